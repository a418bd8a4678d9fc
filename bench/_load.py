"""A closed loop of HTTP requests over connections that are kept alive: each sends its next request when its last is answered.

One thread, raw sockets and httptools, so that little of the cores it shares with the server is its own. Answers are kept as
they came and looked at afterwards. Knows nothing of what the requests ask or who answers them.
"""

import selectors
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import httptools

HOST = "127.0.0.1"
PATIENCE = 60.0  # seconds without any answer after which a server counts as hung
BROKEN = 0  # instead of a status
_PIECE = 2**14  # bytes read at once


@dataclass(frozen=True, slots=True)
class Answered:
    """What one request came to. Times are seconds of time.perf_counter; BROKEN is a connection that was cut."""

    asked: int  # which of the requests it was
    sent: float
    seconds: float
    status: int
    body: bytes


class _Connection:
    """One client: a socket, the request that is under way, and what has come back of its answer."""

    def __init__(self, port: int, selector: selectors.BaseSelector) -> None:
        self._port, self._selector = port, selector
        self._open()

    def _open(self) -> None:
        self._socket = socket.create_connection((HOST, self._port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setblocking(False)
        self._selector.register(self._socket, selectors.EVENT_READ, self)
        self._waits_to_write, self._whole, self._last = False, False, False
        self._parser = httptools.HttpResponseParser(self)

    def on_body(self, piece: bytes) -> None:
        """Take a piece of the body; the parser calls this."""
        self._pieces.append(piece)

    def on_message_complete(self) -> None:
        """Note that the answer is whole, and whether another may come; the parser calls this."""
        self._whole, self._last = True, not self._parser.should_keep_alive()
        self._status = self._parser.get_status_code()

    def ask(self, number: int, request: bytes) -> None:
        """Send a request, as much of it as the socket takes at once."""
        self._number, self._left = number, memoryview(request)
        self._pieces: list[bytes] = []
        self._whole, self._sent = False, time.perf_counter()
        self._write()

    def go_on(self, events: int) -> Answered | None:
        """Write or read what the socket is ready for; give the answer when that was the last of it."""
        try:
            if events & selectors.EVENT_WRITE:
                self._write()
            if events & selectors.EVENT_READ:
                self._read()
        except (OSError, httptools.HttpParserError):
            self._whole = self._last = True
            self._status = BROKEN
        return self._answer() if self._whole else None

    def close(self) -> None:
        """Hang up."""
        self._selector.unregister(self._socket)
        self._socket.close()

    def _write(self) -> None:
        with suppress(BlockingIOError):
            self._left = self._left[self._socket.send(self._left) :]
        if bool(self._left) != self._waits_to_write:
            self._waits_to_write = bool(self._left)
            wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._left else 0)
            self._selector.modify(self._socket, wanted, self)

    def _read(self) -> None:
        piece = self._socket.recv(_PIECE)
        if not piece:
            raise ConnectionResetError
        self._parser.feed_data(piece)

    def _answer(self) -> Answered:
        taken = time.perf_counter() - self._sent
        if self._last:
            self.close()
            self._open()
        return Answered(self._number, self._sent, taken, self._status, b"".join(self._pieces))


def run(
    port: int,
    requests: Sequence[bytes],
    clients: int,
    goes_on: Callable[[], bool],
    answers: list[Answered] | None = None,
) -> list[Answered]:
    """Ask the requests in turn, over and over, until told to end; give every answer in the order they came.

    The requests that are under way then are waited for. Raise SystemExit when no answer comes any more.
    """
    answers = [] if answers is None else answers
    with selectors.DefaultSelector() as selector:
        waiting = [_Connection(port, selector) for _ in range(clients)]
        busy, asked = set[_Connection](), 0
        while (going := goes_on()) or busy:
            while going and waiting:
                busy.add(connection := waiting.pop())
                connection.ask(asked % len(requests), requests[asked % len(requests)])
                asked += 1
            for key, events in _ready(selector, port):
                if answered := key.data.go_on(events):
                    answers.append(answered)
                    busy.discard(key.data)
                    waiting.append(key.data)
        for connection in waiting:
            connection.close()
    return answers


def _ready(selector: selectors.BaseSelector, port: int) -> list[tuple[selectors.SelectorKey, int]]:
    found = selector.select(PATIENCE)
    if not found:
        raise SystemExit(f"bench: the server at port {port} has not answered for {PATIENCE:g} s")
    return found


def once(port: int, request: bytes) -> Answered:
    """Ask one request."""
    asked = iter([True])
    (answered,) = run(port, [request], 1, lambda: next(asked, False))
    return answered


def until(seconds: float) -> Callable[[], bool]:
    """Return the question whether so much time has not passed yet."""
    deadline = time.perf_counter() + seconds
    return lambda: time.perf_counter() < deadline


def post(path: str, kind: str, body: bytes, *more: str) -> bytes:
    """Return the bytes of a POST request with its body."""
    head = [f"POST {path} HTTP/1.1", f"Host: {HOST}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *more]
    return "\r\n".join([*head, "", ""]).encode() + body


def form(field_name: str, kind: str, data: bytes) -> tuple[str, bytes]:
    """Return the content type and the body of a form with one file."""
    edge = "irisline-bench-edge"
    head = f'--{edge}\r\nContent-Disposition: form-data; name="{field_name}"; filename="picture.jpg"\r\n'
    start = f"{head}Content-Type: {kind}\r\n\r\n".encode()
    return f"multipart/form-data; boundary={edge}", start + data + f"\r\n--{edge}--\r\n".encode()
