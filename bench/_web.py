"""A web of pictures on the loopback, as a process: fast, the same for all who ask, and as far away as one likes.

Every address has bytes of its own: a picture of a few, and a comment in it that says its number.

    python -m bench._web FOLDER MILLISECONDS
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HOSTS = tuple(f"127.0.0.{number}" for number in range(1, 9))  # all of them are this machine
_BEGIN = 2  # bytes of a JPEG before its first note


@contextmanager
def running(folder: Path, milliseconds: int) -> Iterator[int]:
    """Yield the port of a web that serves the pictures of a folder, each answer after so many milliseconds."""
    words = [sys.executable, "-m", "bench._web", str(folder), str(milliseconds)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield int(process.stdout.readline() if process.stdout else 0)
        finally:
            process.terminate()


def addresses(port: int, count: int) -> Iterator[str]:
    """Return so many addresses of pictures, the hosts in turn."""
    return (f"http://{HOSTS[number % len(HOSTS)]}:{port}/{number}.jpg" for number in range(count))


class _Line(asyncio.Protocol):
    """One connection: an answer for every request, in their order."""

    def __init__(self, pictures: list[bytes], seconds: float) -> None:
        self._pictures, self._seconds = pictures, seconds
        self._asked = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Keep the way back; asyncio calls this."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer what is asked; asyncio calls this."""
        self._asked += data
        while (end := self._asked.find(b"\r\n\r\n")) >= 0:
            number = int(self._asked[self._asked.index(b"/") + 1 : self._asked.index(b".")])
            self._asked = self._asked[end + 4 :]
            if self._seconds:
                asyncio.get_running_loop().call_later(self._seconds, self._answer, number)
            else:
                self._answer(number)

    def _answer(self, number: int) -> None:
        picture = self._pictures[number % len(self._pictures)]
        note = b"\xff\xfe\x00\x0e%012d" % number
        head = f"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture) + len(note)}\r\n\r\n"
        self._transport.write(b"".join((head.encode(), picture[:_BEGIN], note, picture[_BEGIN:])))


async def _serve(pictures: list[bytes], seconds: float) -> None:
    server = await asyncio.get_running_loop().create_server(
        lambda: _Line(pictures, seconds), "0.0.0.0", 0, backlog=1024
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    import uvloop

    uvloop.run(_serve([file.read_bytes() for file in sorted(Path(sys.argv[1]).iterdir())], float(sys.argv[2]) / 1000))
