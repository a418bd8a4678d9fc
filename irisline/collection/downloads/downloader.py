"""Many pictures of the web at the same time, each fetched hop by hop within its limits. Knows nothing of what a picture is.

Every hop is a turn of its own at its host: a redirect waits at the new host, a retry at the same one, and neither holds a
place meanwhile.
"""

import asyncio
import random
import time
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

import aiohttp

from irisline.collection.downloads import addresses, connections, pictures, response_bodies, response_heads
from irisline.collection.downloads.byte_budget import ByteBudget
from irisline.collection.downloads.download import (
    DAMAGED,
    TIMEOUT,
    TOO_MANY_REDIRECTS,
    UNREACHABLE,
    UNWELL,
    Download,
    Limits,
    Refused,
    short,
)
from irisline.collection.downloads.host_queue import Host, HostQueue, Job
from irisline.collection.downloads.response_heads import NotNow
from irisline.core import paths

REDIRECTS = 5  # that are followed
RETRIES = 3  # after 429 and 5xx
PAUSE = 0.5  # seconds before the first of them, on the average; twice as long before each other
WRITERS = 2  # threads that look at pictures and write them; more would wait for each other
WAITING = 16_000_000  # bytes of pictures that have come and are not yet written, beside one for each download at once
_AT_ONCE = 64  # addresses taken before what they began may go on


def fetch_all(urls: Iterable[str], folder: Path, limits: Limits, done: Callable[[Download], None]) -> None:
    """Fetch the pictures into folder/<sha256>.<jpg|png|webp>; call done once for each url, in the order they end.

    A picture that cannot be fetched is a Download with its status and a sentence, never an error. Raise IrislineError when
    the disk is full, and whatever done raises; what was under way then is dropped, and leaves nothing behind.
    """
    with warnings.catch_warnings():  # here and not beside what warns: threads share the filters
        warnings.filterwarnings("ignore", module="PIL")  # remarks on odd files; the limit on pixels is ours
        asyncio.run(_fetch_all(urls, folder, limits, done))


async def _fetch_all(urls: Iterable[str], folder: Path, limits: Limits, done: Callable[[Download], None]) -> None:
    run = _Run(folder, limits, done)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(run.take_in(urls))
            for _ in range(limits.concurrency):
                group.create_task(run.work(group))
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    finally:
        await run.close()


class _Run:
    """One call of fetch_all."""

    def __init__(self, folder: Path, limits: Limits, done: Callable[[Download], None]) -> None:
        self._folder, self._limits, self._done = folder, limits, done
        self._turns = HostQueue(limits.per_host)
        self._connections = connections.Connections(limits.agent, limits.allowed)
        self._agent = response_heads.agent_of(limits.agent)
        self._disk = ThreadPoolExecutor(WRITERS, "disk")
        self._room = ByteBudget(WAITING)
        self._locks = tuple(Lock() for _ in range(16))  # by a hash's first digit: the same bytes may come twice at once

    async def take_in(self, urls: Iterable[str]) -> None:
        """Let every address wait for its turn."""
        for number, url in enumerate(urls, start=1):
            try:
                place = addresses.target(url, self._limits.allowed)
            except Refused as refused:
                self._done(Download(url, refused.status, refused.detail))
            else:
                self._turns.add(Job(url, place, self._limits.timeout))
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
        self._turns.whole()

    async def work(self, group: asyncio.TaskGroup) -> None:
        """Take turn after turn until no job is left; the host is asked for the next before what came is looked at."""
        while turn := await self._turns.next():
            came = await self._arrived(*turn)
            if isinstance(came, bytes):
                await self._room.take(len(came))
                group.create_task(self._keep(turn[1], came))
            elif came:
                self._end(came)

    async def close(self) -> None:
        """Let go of all that is open."""
        self._disk.shutdown(cancel_futures=True)
        await self._connections.close()

    async def _arrived(self, host: Host, job: Job) -> bytes | Download | None:
        """Take a job one hop on; give the bytes of its picture, or its end, when that was the last."""
        try:
            return await self._hop(host, job)
        except NotNow as refused:
            return self._put_off(host, job, refused)
        except Refused as refused:
            return Download(job.url, refused.status, refused.detail)

    async def _hop(self, host: Host, job: Job) -> bytes | None:
        """Return the bytes of the picture; nothing when the job now waits for a turn at another place."""
        started = time.monotonic()
        try:
            if host.given_up:
                raise Refused(UNWELL if host.loud else UNREACHABLE, f"{job.target.host} {host.given_up}; left alone")
            async with asyncio.timeout(job.left):
                return await self._exchange(host, job)
        except Refused as refused:
            host.heard(refused.status != UNREACHABLE)
            raise
        except TimeoutError as error:
            host.heard(False)
            silent = isinstance(error, aiohttp.ServerTimeoutError)
            said = f"silent for {connections.READ:g} s" if silent else f"not whole within {self._limits.timeout:g} s"
            raise Refused(TIMEOUT, f"{job.target.host}: {said}") from error
        except aiohttp.ClientResponseError as error:
            raise Refused(DAMAGED, f"{job.target.host}: not proper HTTP: {short(error)}") from error
        except (OSError, ValueError, aiohttp.ClientError) as error:
            host.heard(False)
            raise Refused(UNREACHABLE, f"{job.target.host}: {short(error)}") from error
        finally:
            job.left -= time.monotonic() - started
            self._turns.leave(host)

    async def _exchange(self, host: Host, job: Job) -> bytes | None:
        async with self._connections.get(job.target, keep=self._turns.more(host)) as answer:
            place = response_heads.place_of(answer, self._agent)
            body = await self._body(answer) if place is None else None
        host.heard(True)
        if place is not None:
            self._redirect(job, place)
        return body

    async def _body(self, answer: aiohttp.ClientResponse) -> bytes:
        try:
            return await response_bodies.read(answer, self._limits.max_bytes)
        except aiohttp.ClientPayloadError as error:
            raise Refused(DAMAGED, f"cut short: {short(error)}") from error

    def _redirect(self, job: Job, place: str) -> None:
        job.redirects += 1
        if job.redirects > REDIRECTS:
            raise Refused(TOO_MANY_REDIRECTS, f"more than {REDIRECTS} redirects, the last to {place[:200]}")
        job.target = addresses.target(place, self._limits.allowed, base=job.target.url)
        self._turns.again(job)

    def _put_off(self, host: Host, job: Job, refused: NotNow) -> Download | None:
        """Let a job wait and try again; give its end when it has been tried often enough."""
        pause = PAUSE * 2**job.retries * random.uniform(0.5, 1.5)  # noqa: S311 - nobody guards a secret with it
        if refused.everyone:
            self._turns.quiet(host, max(pause, refused.wait or 0))
        if job.retries == RETRIES:
            return Download(job.url, refused.status, f"{refused.detail}, {RETRIES + 1} times")
        job.retries += 1
        if refused.everyone:
            self._turns.again(job)
        else:
            self._turns.later(job, pause)
        return None

    async def _keep(self, job: Job, body: bytes) -> None:
        try:
            kept = await asyncio.get_running_loop().run_in_executor(self._disk, self._written, job.url, body)
        except Refused as refused:
            kept = Download(job.url, refused.status, refused.detail)
        await self._room.give(len(body))
        self._end(kept)

    def _end(self, download: Download) -> None:
        self._done(download)
        self._turns.ended()

    def _written(self, url: str, body: bytes) -> Download:
        """Look at a picture and write it, in a thread: hashing and the disk let the others go on meanwhile."""
        download = pictures.examined(url, body, self._folder, self._limits.max_side, self._limits.max_pixels)
        with self._locks[int(download.sha256[0], 16)]:
            paths.write_whole(self._folder / f"{download.sha256}.{download.kind}", body)
        return download
