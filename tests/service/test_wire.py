"""What one address may take of the kernel's memory and of the main process's time: real sockets upon the whole service."""

import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from service.wire import RECEIVE, REST, SEND
from tests.service.conftest import running
from tests.service.test_connections import ASKED, PATIENT, POSTED, connected

pytestmark = pytest.mark.slow

PICTURE = b"GET /page/example.jpg HTTP/1.1\r\nHost: x\r\n"
KEPT = 2 * SEND + 2 * RECEIVE  # bytes of a connection: the kernel takes twice what it was told
FEW = 24  # connections of an address
DRIPS = 3.0  # seconds


def kernel_bytes(address: str) -> int:
    """Return the bytes that the kernel keeps for the connections of a service, those that it has closed too."""
    port = address.rpartition(":")[2]
    told = subprocess.run(
        ["ss", "-tmanHO", "sport", "=", f":{port}"], capture_output=True, text=True, check=True
    ).stdout  # fmt: skip
    return sum(int(count) for part in (r"skmem:\(r(\d+)", r",w(\d+)") for count in re.findall(part, told))


def greedy(address: str, source: str = "127.0.0.2") -> socket.socket:
    """Return a connection whose client has room for next to nothing."""
    host, _, port = address.removeprefix("http://").rpartition(":")
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.bind((source, 0))
    connection.connect((host, int(port)))
    connection.setblocking(False)
    return connection


@pytest.fixture(scope="module")
def started(served: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, psutil.Process]]:
    """Yield the address and the process of a service that takes few connections of one address, and is patient."""
    limits: dict[str, Any] = {"IRISLINE_MAX_CONNECTIONS_PER_ADDRESS": str(FEW), **PATIENT}
    with running(served, tmp_path_factory.mktemp("few") / "log", alone=True, **limits) as (address, process):
        yield address, psutil.Process(process.pid)


@pytest.fixture
def few(started: tuple[str, psutil.Process]) -> str:
    return started[0]


@pytest.fixture
def process(started: tuple[str, psutil.Process]) -> psutil.Process:
    return started[1]


@pytest.mark.parametrize(
    ("asked", "turns", "opened"),
    [
        pytest.param((PICTURE + b"\r\n") * 8, 60, 0, id="answers"),
        pytest.param((PICTURE + b"\r\n") * 8, 60, 10, id="answers, and new connections"),
        pytest.param(PICTURE + b"Connection: close\r\n\r\n", 60, 10, id="last answers"),
        pytest.param(POSTED + b"Content-Length: 9999999\r\n\r\n" + b"x" * 2**20, 20, 0, id="bodies"),
    ],
)
def test_what_nobody_takes_fills_no_memory(few: str, asked: bytes, turns: int, opened: int) -> None:
    with ExitStack() as stack:
        held = [stack.enter_context(greedy(few)) for _ in range(FEW)]
        for _ in range(turns):
            held += [stack.enter_context(greedy(few)) for _ in range(opened)]
            for connection in held[-opened or -FEW :]:
                with suppress(OSError):
                    connection.send(asked)
            time.sleep(0.05)
            assert kernel_bytes(few) < FEW * KEPT
        assert httpx.get(f"{few}/readyz").status_code == 200


@pytest.mark.parametrize("path", [b"/model", b"/readyz"])
@pytest.mark.parametrize(
    ("length", "piece"),
    [
        pytest.param(b"Content-Length: 1000000000000000", bytes(2**16), id="one piece"),
        pytest.param(b"Transfer-Encoding: chunked", b"2000\r\n" + bytes(0x2000) + b"\r\n", id="chunks"),
    ],
)
def test_a_body_is_not_read_once_its_request_is_answered(few: str, path: bytes, length: bytes, piece: bytes) -> None:
    with connected(few) as connection:
        connection.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n" % (path, length))
        assert connection.recv(2**16).startswith(b"HTTP/1.1 200 ")
        sent = 0
        with suppress(ConnectionError):
            while sent < 2**28:
                connection.settimeout(5)
                sent += connection.send(piece)
        assert sent < 2**24


def test_a_small_body_that_comes_after_the_answer_keeps_the_connection(few: str) -> None:
    connection = HTTPConnection(few.removeprefix("http://"))
    connection.connect()
    first = connection.sock
    for _ in range(3):
        connection.request("GET", "/model", headers={"Content-Length": "1000"})
        answer = connection.getresponse()
        assert (answer.status, answer.read()[:1]) == (200, b"{")
        first.sendall(bytes(1000))
    assert connection.sock is first
    connection.close()


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(POSTED + b"Content-Length: 9999999\r\n\r\n", id="a body"),
        pytest.param(POSTED + b"Transfer-Encoding: chunked\r\n\r\n8fffff\r\n", id="a chunk"),
        pytest.param(
            b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
            b'Content-Length: 9999999\r\n\r\n--b\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n',
            id="a form",
        ),
    ],
)
def test_a_body_that_drips_takes_next_to_no_time_of_the_processor(
    few: str, process: psutil.Process, head: bytes
) -> None:
    with connected(few) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(head)
        before, until = process.num_ctx_switches().voluntary, time.monotonic() + DRIPS
        while time.monotonic() < until:
            connection.send(b"x")
        assert process.num_ctx_switches().voluntary - before < 4 * DRIPS / REST  # each look for more is one


def test_a_body_in_small_pieces_is_read_whole(few: str, blue: bytes) -> None:
    with connected(few) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(POSTED + b"Content-Length: %d\r\n\r\n" % len(blue))
        for start in range(0, len(blue), 5):
            connection.send(blue[start : start + 5])
        assert connection.recv(2**16).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("ahead", [0, 3])
def test_who_says_that_nothing_more_comes_is_answered(few: str, blue: bytes, ahead: int) -> None:
    with connected(few) as connection:
        connection.sendall((POSTED + b"Content-Length: %d\r\n\r\n" % len(blue) + blue) * (ahead + 1))
        connection.shutdown(socket.SHUT_WR)
        answers = b"".join(iter(lambda: connection.recv(2**16), b""))
    assert answers.count(b"HTTP/1.1 200 ") == ahead + 1


def test_who_ends_in_the_middle_of_a_request_has_gone(few: str) -> None:
    with connected(few) as connection:
        connection.sendall(POSTED + b"Content-Length: 99\r\n\r\nx")
        connection.shutdown(socket.SHUT_WR)
        assert b"".join(iter(lambda: connection.recv(2**16), b"")) == b""


@pytest.mark.parametrize("head", [b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n"])
@pytest.mark.parametrize("before", [b"", ASKED + b"\r\n"])
def test_what_cannot_be_read_is_told_so(few: str, before: bytes, head: bytes) -> None:
    with connected(few) as connection:
        connection.sendall(before)
        while before and not connection.recv(2**16).endswith(b"}"):
            pass
        connection.sendall(head)
        assert connection.recv(2**16).startswith(b"HTTP/1.1 400 ")
