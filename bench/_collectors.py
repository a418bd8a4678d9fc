"""Who fetches the pictures of a web, each in a process of its own, and the seconds and memory that it takes there.

Start-up and imports are not counted. Counted until the last picture lies on the disk, or, of the bare ones, is read.

    python -m bench._collectors NAME PORT COUNT FOLDER
"""

import asyncio
import json
import logging
import os
import resource
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
from icrawler import ImageDownloader
from icrawler.builtin import UrlListCrawler

from bench import _web
from irisline.collection.downloads import download, downloader

CONCURRENCY = 32
PER_HOST = CONCURRENCY // len(_web.HOSTS)


@dataclass(frozen=True)
class Run:
    """What one of them took."""

    seconds: float
    cpu: float  # seconds of all its threads, the system's work for it among them
    peak: float  # bytes of memory


def run(name: str, port: int, count: int, folder: Path) -> Run:
    """Let one of them fetch so many pictures into an empty folder."""
    words = [sys.executable, "-m", "bench._collectors", name, str(port), str(count), str(folder)]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"bench: {' '.join(words)} gave {done.returncode}")
    return Run(**json.loads(done.stdout))


def _ours(port: int, count: int, folder: Path) -> None:
    statuses: Counter[str] = Counter()
    allowed = frozenset(f"{host}:{port}" for host in _web.HOSTS)
    limits = download.Limits(20_000_000, 640, 50_000_000, 30.0, CONCURRENCY, PER_HOST, "Irisline/bench", allowed)
    downloader.fetch_all(_web.addresses(port, count), folder, limits, lambda ended: statuses.update([ended.status]))
    if statuses != {"fetched": count}:
        raise SystemExit(f"bench: fetch_all gave {dict(statuses)}")


def _bare(port: int, count: int, folder: Path) -> None:
    asyncio.run(_drain(port, count))


async def _drain(port: int, count: int) -> None:
    """Read every picture over asyncio's streams and drop it: the floor of anything that asyncio can do."""
    numbers = {host: iter(range(at, count, len(_web.HOSTS))) for at, host in enumerate(_web.HOSTS)}

    async def line(host: str) -> None:
        reader, writer = await asyncio.open_connection(host, port)
        for number in numbers[host]:
            writer.write(f"GET /{number}.jpg HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.rpartition(b"Content-Length: ")[2]))
        writer.close()

    await asyncio.gather(*(line(host) for host in _web.HOSTS for _ in range(PER_HOST)))


def _httpx(port: int, count: int, folder: Path) -> None:
    asyncio.run(_drain_with_httpx(port, count))


async def _drain_with_httpx(port: int, count: int) -> None:
    urls = _web.addresses(port, count)
    limits = httpx.Limits(max_connections=CONCURRENCY, max_keepalive_connections=CONCURRENCY)
    async with httpx.AsyncClient(limits=limits, trust_env=False) as client:

        async def line() -> None:
            for url in urls:
                (await client.get(url)).raise_for_status()

        await asyncio.gather(*(line() for _ in range(CONCURRENCY)))


def _icrawler(port: int, count: int, folder: Path) -> None:
    """Fetch with icrawler's crawler of lists; that its threads wait some seconds for more at the end is not counted."""
    left, all_kept = iter(range(count - 1)), threading.Event()

    class Counting(ImageDownloader):
        def process_meta(self, task: dict[str, object]) -> None:
            if task["success"] and next(left, None) is None:
                all_kept.set()

    crawler = UrlListCrawler(
        downloader_cls=Counting,
        downloader_threads=CONCURRENCY,
        storage={"root_dir": str(folder)},
        log_level=logging.ERROR,
    )
    threading.Thread(
        target=crawler.crawl, args=(list(_web.addresses(port, count)),), kwargs={"max_num": count}, daemon=True
    ).start()
    all_kept.wait()


NAMES: dict[str, Callable[[int, int, Path], None]] = {
    "fetch_all": _ours,
    "bare asyncio": _bare,
    "bare httpx": _httpx,
    "icrawler": _icrawler,
}


def _main(name: str, port: int, count: int, folder: Path) -> None:
    started, worked = time.perf_counter(), time.process_time()
    NAMES[name](port, count, folder)
    seconds, cpu = time.perf_counter() - started, time.process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak": peak}), flush=True)
    os._exit(0)  # icrawler's threads still wait


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
