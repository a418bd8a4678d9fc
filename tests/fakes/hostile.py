"""A loopback server of pictures, in a thread of its own: what it says comes from an answer's own code, byte by byte.

It listens on all of 127.0.0.0/8, so that tests have as many hosts as they like, and it records who asked, in which order, and
how many of one host at a time.
"""

import asyncio
import socket
import ssl
import struct
import threading
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Asked:
    """One request as it came."""

    host: str  # with the port, as the client names it
    path: str
    headers: dict[str, str]
    at: float


@dataclass
class Seen:
    """What a server has been asked."""

    requests: list[Asked] = field(default_factory=list)
    connections: int = 0
    open: Counter[str] = field(default_factory=Counter)  # connections to each address now
    at_once: Counter[str] = field(default_factory=Counter)  # the most requests of a host at one time
    all_at_once: int = 0
    names: list[str] = field(default_factory=list)  # that TLS asked for
    _now: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    def begin(self, asked: Asked) -> None:
        self.requests.append(asked)
        self._now[asked.host] += 1
        self.at_once[asked.host] = max(self.at_once[asked.host], self._now[asked.host])
        self.all_at_once = max(self.all_at_once, sum(self._now.values()))

    def end(self, asked: Asked) -> None:
        self._now[asked.host] -= 1

    def paths(self) -> list[str]:
        return [asked.path for asked in self.requests]


class Hangup(Exception):
    """The answer has been given to its end: the connection closes."""


Writer = asyncio.StreamWriter
Answer = Callable[[Writer, Asked], Awaitable[None]]


@dataclass
class Server:
    """A server that runs; answers are told by the first part of the path."""

    port: int
    answers: Mapping[str, Answer]
    seen: Seen = field(default_factory=Seen)
    ending: bool = False

    def url(self, name: str, number: int = 0, host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}/{name}/{number}"

    def allowed(self, hosts: int = 9) -> frozenset[str]:
        return frozenset(f"127.0.0.{number + 1}:{self.port}" for number in range(hosts))

    async def serve(self, reader: asyncio.StreamReader, writer: Writer) -> None:
        address = writer.get_extra_info("sockname")[0]
        self.seen.connections += 1
        self.seen.open[address] += 1
        try:
            with suppress(
                Hangup, OSError, EOFError, asyncio.CancelledError
            ):  # 3.11 reports cancelled handlers as errors
                while True:
                    await self._answer(_parsed(await reader.readuntil(b"\r\n\r\n")), writer)
        finally:
            if self.ending:
                writer.transport.abort()  # whoever does not read must not keep it open
            writer.close()
            self.seen.open[address] -= 1

    async def _answer(self, asked: Asked, writer: Writer) -> None:
        self.seen.begin(asked)
        try:
            await self.answers[asked.path.split("/")[1]](writer, asked)
            await writer.drain()
        finally:
            self.seen.end(asked)
        if asked.headers.get("connection") == "close":
            raise Hangup


def _parsed(head: bytes) -> Asked:
    first, *lines = head.decode("latin-1").strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Asked(headers.get("host", ""), first.split(" ")[1], headers, asyncio.get_running_loop().time())


@contextmanager
def running(answers: Mapping[str, Answer], tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Yield a server that runs until the block ends."""
    started, loop = threading.Event(), asyncio.new_event_loop()
    server, stop = Server(0, answers), asyncio.Event()

    async def main() -> None:
        listening = await asyncio.start_server(server.serve, "0.0.0.0", 0, backlog=512, ssl=tls, limit=2**16)
        server.port = listening.sockets[0].getsockname()[1]
        started.set()
        await stop.wait()
        loop.remove_reader(listening.sockets[0].fileno())  # nothing more is accepted
        await asyncio.sleep(0.02)  # and what was has begun: asyncio leaves a socket open whose task ends before that
        server.ending = True
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
        listening.close()
        await asyncio.sleep(0.02)  # the transports close

    thread = threading.Thread(target=loop.run_until_complete, args=(main(),), daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


def head(status: str = "200 OK", **headers: object) -> bytes:
    """Return the head of an answer; an underscore in a header's name stands for a hyphen."""
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode("latin-1")


def whole(body: bytes, status: str = "200 OK", **headers: object) -> Answer:
    """Return the answer that says what it is and is what it says."""

    async def answer(writer: Writer, asked: Asked) -> None:
        writer.write(head(status, **{"Content_Length": len(body), **headers}) + body)

    return answer


def raw(*pieces: bytes, pause: float = 0.0) -> Answer:
    """Return the answer of exactly these bytes, a pause after each, and then the end of the connection."""

    async def answer(writer: Writer, asked: Asked) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)
        raise Hangup

    return answer


def forever(start: bytes, piece: bytes, pause: float = 0.0) -> Answer:
    """Return the answer that never ends."""

    async def answer(writer: Writer, asked: Asked) -> None:
        writer.write(start)
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)

    return answer


def reset(start: bytes) -> Answer:
    """Return the answer that breaks off with a reset."""

    async def answer(writer: Writer, asked: Asked) -> None:
        writer.write(start)
        await writer.drain()
        await asyncio.sleep(0.02)
        wire = writer.get_extra_info("socket")
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closing is a reset
        raise Hangup

    return answer


def at_first(first: Answer, then: Answer, times: int = 1) -> Answer:
    """Return the answer that is another one after so many times, for each path of its own."""
    counts: Counter[str] = Counter()

    async def answer(writer: Writer, asked: Asked) -> None:
        counts[asked.path] += 1
        await (first if counts[asked.path] <= times else then)(writer, asked)

    return answer


def after(seconds: float, then: Answer) -> Answer:
    """Return an answer after some time."""

    async def answer(writer: Writer, asked: Asked) -> None:
        await asyncio.sleep(seconds)
        await then(writer, asked)

    return answer
