"""Connections that owe something are closed in time, and never keep those out who ask: real sockets upon the whole service."""

import select
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from service.settings import Settings
from service.wire import RECEIVE, SEND
from tests.service.conftest import eventually, running

pytestmark = pytest.mark.slow

JPEG = {"content-type": "image/jpeg"}
HEAD, TIMEOUT = 0.4, 0.8  # seconds that the service of these tests waits
LATE = 10.0  # seconds: so long nobody holds a connection here, on a machine however busy
BRIEF: dict[str, Any] = {"IRISLINE_HEAD_TIMEOUT": str(HEAD), "IRISLINE_TIMEOUT": str(TIMEOUT)}
# The attacker is crowded out, not late.
PATIENT: dict[str, Any] = {"IRISLINE_HEAD_TIMEOUT": "60", "IRISLINE_TIMEOUT": "60"}
ASKED = b"GET /model HTTP/1.1\r\nHost: x\r\n"
POSTED = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\n"
WAYS = pytest.mark.parametrize("alone", [False, True], ids=["bentoml serve", "python -m service"])


@pytest.fixture(scope="module")
def brief(served: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of a service that waits for nobody long."""
    with running(served, tmp_path_factory.mktemp("brief") / "log", **BRIEF) as (address, _):
        yield address


def connected(address: str, source: str = "127.0.0.1") -> socket.socket:
    """Return a connection from one of this machine's addresses."""
    host, _, port = address.removeprefix("http://").rpartition(":")
    return socket.create_connection((host, int(port)), timeout=20, source_address=(source, 0))


def is_open(connection: socket.socket) -> bool:
    """Return whether the other side has not closed a connection; what it has sent is thrown away."""
    with suppress(OSError):
        while select.select([connection], [], [], 0)[0]:
            if not connection.recv(2**16):
                return False
        return True
    return False


def held(connection: socket.socket, drops: bytes) -> float:
    """Send byte by byte until the other side closes; give the seconds that took, at most LATE."""
    started = time.monotonic()
    while is_open(connection) and time.monotonic() - started < LATE:
        with suppress(OSError):
            connection.sendall(drops)
        time.sleep(0.05)
    connection.close()
    return time.monotonic() - started


@pytest.mark.parametrize(
    ("first", "drops"),
    [
        pytest.param(b"", b"", id="nothing at all"),
        pytest.param(b"", b"\r\n", id="empty lines"),
        pytest.param(b"GET /model HT", b"", id="half a line"),
        pytest.param(ASKED + b"X-Slow: ", b"y", id="a head that drips"),
        pytest.param(ASKED + b"\r\n", b"", id="an answer, and nothing more"),
        pytest.param(ASKED + b"\r\n" + ASKED, b"", id="an answer, and half a head"),
        pytest.param(ASKED + b"\r\n" + ASKED + b"X-Slow: ", b"y", id="an answer, and a head that drips"),
        pytest.param(ASKED + b"Content-Length: 9999\r\n\r\n", b"x", id="an answer, and a body that drips"),
        pytest.param(ASKED + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", id="chunks nobody reads"),
        pytest.param(POSTED + b"Content-Length: 9999\r\n\r\n", b"x", id="a body that drips"),
        pytest.param(POSTED + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", id="chunks that drip"),
        pytest.param(POSTED + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n", id="last lines that drip"),
        pytest.param(POSTED + b"Content-Length: 9\r\nExpect: 100-continue\r\n\r\n", b"", id="asks to go on"),
        pytest.param(ASKED + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", b"", id="a web socket"),
    ],
)
def test_a_connection_that_owes_something_is_closed(brief: str, first: bytes, drops: bytes) -> None:
    with connected(brief) as connection:
        connection.sendall(first)
        assert HEAD / 2 < held(connection, drops) < LATE


def test_an_idle_connection_comes_to_an_end_and_is_not_broken(brief: str) -> None:
    with connected(brief) as connection:
        connection.sendall(ASKED + b"\r\n")
        assert b"".join(iter(lambda: connection.recv(2**16), b"")).startswith(b"HTTP/1.1 200 ")


def test_a_client_that_does_not_take_its_answers_is_closed(brief: str) -> None:
    with connected(brief) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.setblocking(False)
        sent = 0
        with suppress(BlockingIOError, ConnectionError):  # until neither side takes any more, or it is closed already
            for _ in range(1000):
                connection.send(b"GET /page/example.jpg HTTP/1.1\r\nHost: x\r\n\r\n" * 10)
                sent += 10
        time.sleep(2 * TIMEOUT + 2 * HEAD + 0.5)
        connection.settimeout(20)
        got = 0
        with suppress(ConnectionError):
            while piece := connection.recv(2**20):
                got += len(piece)
    size = len(httpx.get(f"{brief}/page/example.jpg").content)
    assert got < sent * size


def test_clients_that_keep_asking_keep_their_connection(brief: str, blue: bytes) -> None:
    connection = HTTPConnection(brief.removeprefix("http://"))
    connection.connect()
    first, answered = connection.sock, time.monotonic()
    ends = answered + 3 * (2 * TIMEOUT + HEAD)
    while time.monotonic() < ends:
        if time.monotonic() - answered > HEAD / 2:  # the machine is busy, and kept this client from asking
            connection.close()
            connection.connect()
            first = connection.sock
        connection.request("POST", "/predict", blue, JPEG)
        assert b"blue" in connection.getresponse().read()
        answered = time.monotonic()
        time.sleep(HEAD / 8)
    assert connection.sock is first
    connection.close()


@WAYS
def test_who_asks_is_answered_while_others_hold_all_they_can(
    served: Path, tmp_path: Path, blue: bytes, alone: bool
) -> None:
    few: dict[str, Any] = {"IRISLINE_MAX_CONNECTIONS": "20", "IRISLINE_MAX_CONNECTIONS_PER_ADDRESS": "8", **PATIENT}
    kinds = (b"", ASKED, ASKED + b"\r\n", POSTED + b"Content-Length: 999\r\n\r\nx")
    with running(served, tmp_path / "log", alone, **few) as (address, _), ExitStack() as stack:

        def hoard(source: str, times: int) -> list[socket.socket]:
            connections = [stack.enter_context(connected(address, source)) for _ in range(times)]
            for number, connection in enumerate(connections):
                with suppress(OSError):
                    connection.sendall(kinds[number % len(kinds)])
            return connections

        one = hoard("127.0.0.2", 100)
        assert eventually(lambda: 0 < sum(map(is_open, one)) <= 8, within=20)
        good = stack.enter_context(httpx.Client(base_url=address))
        assert good.get("/readyz").status_code == 200
        many = [each for host in range(3, 60) for each in hoard(f"127.0.0.{host}", 4)]
        for _ in range(10):  # from another address, from that of a hoarder, and over a connection that was there before
            for client in (httpx, good):
                assert client.post(f"{address}/predict", content=blue, headers=JPEG).json()["label"] == "blue"
            assert _asked_from("127.0.0.2", address).startswith(b"HTTP/1.1 200 ")
        assert sum(map(is_open, (*one, *many))) <= 20
        assert 'irisline_connections_cut_total{reason="crowded"}' in httpx.get(f"{address}/metrics").text


def _asked_from(source: str, address: str) -> bytes:
    with connected(address, source) as connection:
        connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return connection.recv(2**10)


@WAYS
def test_more_connections_than_files_may_be_open_do_no_harm(
    served: Path, tmp_path: Path, blue: bytes, alone: bool
) -> None:
    unlimited = {"IRISLINE_MAX_CONNECTIONS": "100000", "IRISLINE_MAX_CONNECTIONS_PER_ADDRESS": "0", **PATIENT}
    log = tmp_path / "log"
    with ExitStack() as stack:
        address, process = stack.enter_context(running(served, log, alone, files=256, **unlimited))
        held = [stack.enter_context(connected(address)) for _ in range(600)]
        for connection in held[::2]:
            with suppress(OSError):
                connection.sendall(b"GET /page/example.jpg HTTP/1.1\r\nHost: x\r\n\r\nGET")
        for _ in range(10):
            assert httpx.get(f"{address}/readyz").status_code == 200
            assert httpx.post(f"{address}/predict", content=blue, headers=JPEG).json()["label"] == "blue"
        all_of_it = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        before = sum(sum(one.cpu_times()[:2]) for one in all_of_it)
        time.sleep(1)
        assert sum(sum(one.cpu_times()[:2]) for one in all_of_it) - before < 0.5  # of a core: nothing goes round
    assert "Too many open files" not in log.read_text()


@contextmanager
def _still(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Keep the processes that look at pictures from working during the block."""
    looking = [
        one
        for one in psutil.Process(process.pid).children(recursive=True)
        if "irisline.core.isolated_worker" in one.cmdline()
    ]
    assert looking
    for one in looking:
        one.suspend()
    try:
        yield
    finally:
        for one in looking:
            with suppress(psutil.NoSuchProcess):
                one.resume()


def test_who_is_one_too_many_is_told_and_who_waits_for_an_answer_is_not_cut(
    served: Path, tmp_path: Path, blue: bytes
) -> None:
    few: dict[str, Any] = {"IRISLINE_MAX_CONNECTIONS": "3", "IRISLINE_TIMEOUT": "30"}
    with running(served, tmp_path / "log", **few) as (address, process), ExitStack() as stack:
        with _still(process):
            asking = [stack.enter_context(connected(address)) for _ in range(3)]
            for connection in asking:
                connection.sendall(POSTED + b"Content-Length: %d\r\n\r\n" % len(blue) + blue)
            time.sleep(0.5)
            with connected(address) as refused:
                told = refused.recv(2**12)
            assert told.startswith(b"HTTP/1.1 503 ")
            assert b"retry-after: 1" in told
        assert {connection.recv(2**12)[:12] for connection in asking} == {b"HTTP/1.1 200"}


def test_it_is_not_ready_while_nothing_is_answered(served: Path, tmp_path: Path, blue: bytes) -> None:
    def ready() -> int:
        return httpx.get(f"{address}/readyz").status_code

    with running(served, tmp_path / "log", **BRIEF) as (address, process):
        with _still(process):
            assert httpx.post(f"{address}/predict", content=blue, headers=JPEG).status_code == 503
            assert eventually(lambda: ready() == 503, within=5)
            assert httpx.get(f"{address}/livez").status_code == 200
        assert eventually(lambda: ready() == 200, within=30)
        assert httpx.post(f"{address}/predict", content=blue, headers=JPEG).json()["label"] == "blue"


@WAYS
def test_sigterm_ends_it_in_time_whatever_clients_do(served: Path, tmp_path: Path, blue: bytes, alone: bool) -> None:
    settings: dict[str, Any] = {"IRISLINE_HEAD_TIMEOUT": "30", "IRISLINE_TIMEOUT": "2"}
    whole = POSTED + b"Content-Length: %d\r\n\r\n" % len(blue) + blue
    with running(served, tmp_path / "log", alone, **settings) as (address, process), ExitStack() as stack:
        kinds = (
            b"",
            ASKED,
            ASKED + b"\r\n",
            ASKED + b"\r\n" + ASKED,
            POSTED + b"Content-Length: 99\r\n\r\nx",
            whole * 9,
        )
        for kind in kinds:
            stack.enter_context(connected(address)).sendall(kind)
        asking = stack.enter_context(connected(address))
        asking.sendall(whole[:-9])
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        asking.sendall(whole[-9:])
        assert asking.recv(2**12).startswith(b"HTTP/1.1 200 ")  # what was under way is answered
        with pytest.raises(ConnectionError), connected(address) as late:  # and nobody new is let in
            late.recv(1)
        assert eventually(lambda: process.poll() is not None, within=2 * 2 + 10)


def test_sigterm_ends_it_in_time_when_pictures_are_stuck(served: Path, tmp_path: Path, blue: bytes) -> None:
    with (
        running(served, tmp_path / "log", **BRIEF) as (address, process),
        connected(address) as asking,
        _still(process),
    ):
        asking.sendall(POSTED + b"Content-Length: %d\r\n\r\n" % len(blue) + blue)
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        assert asking.recv(2**12).startswith(b"HTTP/1.1 503 ")
        assert eventually(lambda: process.poll() is not None, within=30)


@pytest.mark.parametrize(
    "head",
    [
        ASKED + b"Content-Length: " + b"9" * 5000,
        POSTED + b"Content-Length: " + b"0" * 5000 + b"5",
        POSTED + b"Content-Length: \xb2",
        POSTED + b"Content-Length: 5\r\nTransfer-Encoding: chunked",
        b"GET http://[/ HTTP/1.1",
    ],
)
def test_numbers_that_are_none_are_refused(brief: str, head: bytes) -> None:
    with connected(brief) as connection:
        connection.sendall(head + b"\r\n\r\n12345")
        assert connection.recv(2**12).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(ASKED + b"X: y\r\n" * 101 + b"\r\n", id="a hundred headers"),
        pytest.param(ASKED + b"X: " + b"y" * 40_000 + b"\r\n\r\n", id="a long header"),
        pytest.param(b"GET /" + b"y" * 200_000, id="a path without end"),
        pytest.param(
            POSTED + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"y" * 200_000, id="a last line without end"
        ),
        pytest.param(POSTED + b"Transfer-Encoding: chunked\r\n\r\n" + b"5;" + b"y" * 200_000, id="a size without end"),
        pytest.param(b"\r\n" * 100_000, id="empty lines without end"),
        pytest.param((ASKED + b"\r\n") * 2000, id="thousands of requests at once"),
    ],
)
def test_heads_are_bounded(brief: str, head: bytes) -> None:
    statuses = []
    with connected(brief) as connection, suppress(ConnectionError):
        connection.sendall(head)
        while piece := connection.recv(2**20):
            statuses += [part[:3] for part in piece.split(b"HTTP/1.1 ")[1:]]
    assert not statuses or statuses[-1] in (
        b"400",
        b"431",
    )  # none: the connection was broken off under the client's hands
    assert len(statuses) < 100


@pytest.mark.parametrize(
    ("head", "status", "code"),
    [
        pytest.param(ASKED + b"X: y\r\n" * 100, b"431", b"head_too_large", id="too many headers"),
        pytest.param(ASKED + b"X: " + b"y" * 33_000 + b"\r\n", b"431", b"head_too_large", id="too long a header"),
        pytest.param(b"GET /model HTTP/1.1\r\n", b"400", b"bad_request", id="no host"),
        pytest.param(ASKED + b"Host: y\r\n", b"400", b"bad_request", id="two hosts"),
        pytest.param(b"GET /model HTTP/1.0\r\n", b"200", b"version", id="an old protocol needs no host"),
        pytest.param(b"OPTIONS /livez HTTP/1.1\r\nHost: x\r\n", b"405", b"method_not_allowed", id="options of a probe"),
        pytest.param(b"POST /readyz HTTP/1.1\r\nHost: x\r\n", b"405", b"method_not_allowed", id="a probe posted"),
    ],
)
def test_the_status_says_what_a_head_lacks(brief: str, head: bytes, status: bytes, code: bytes) -> None:
    with connected(brief) as connection:
        connection.sendall(head + b"Connection: close\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(2**16), b""))
    assert answer.startswith((b"HTTP/1.1 " + status, b"HTTP/1.0 " + status))
    assert code in answer


def test_an_upgrade_that_would_take_the_body_away_is_refused_and_another_is_passed_over(
    brief: str, blue: bytes
) -> None:
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n"
    for head, status in ((POSTED + b"Content-Length: %d\r\n" % len(blue), b"400"), (ASKED, b"200")):
        with connected(brief) as connection:
            connection.sendall(head + upgrade + b"\r\n" + blue * (status == b"400"))
            answer = connection.recv(2**16)
            assert answer.startswith(b"HTTP/1.1 " + status)
            assert (b"Upgrade is not served" in answer) is (status == b"400")


@pytest.mark.parametrize("behind", [b"rubbish\r\n\r\n", b"GET /model HTTP/1.1\r\n\r\n", (ASKED + b"\r\n") * 20])
def test_a_refusal_is_not_taken_for_the_answer_before_it(brief: str, blue: bytes, behind: bytes) -> None:
    with connected(brief) as connection:
        connection.sendall(POSTED + b"Content-Length: %d\r\n\r\n" % len(blue) + blue + behind)
        answer = b"".join(iter(lambda: connection.recv(2**16), b""))
    assert answer == b"" or answer.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("path", [b"/livez", b"/model"])
def test_bodies_ahead_of_their_turn_are_bounded(brief: str, path: bytes) -> None:
    port = f":{brief.rpartition(':')[2]}"
    service = max(
        (one for one in psutil.process_iter() if port in _listening(one)), key=lambda one: one.memory_info().rss
    )
    before = service.memory_info().rss
    get = b"GET %s HTTP/1.1\r\nHost: x\r\n" % path
    for body in (
        b"Content-Length: 16777216\r\n\r\n" + bytes(2**23),
        (b"Content-Length: 65000\r\n\r\n" + bytes(65000) + get) * 60,
    ):
        with ExitStack() as stack:
            for connection in [stack.enter_context(connected(brief)) for _ in range(60)]:
                with suppress(OSError):
                    connection.sendall((get + b"\r\n") * 12 + get + body)
            assert service.memory_info().rss - before < 64 * 2**20
    assert httpx.get(f"{brief}/readyz").status_code == 200


def _listening(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        return " ".join(f":{one.laddr.port}" for one in process.net_connections() if one.status == psutil.CONN_LISTEN)
    return ""


def test_a_body_in_tiny_chunks_is_refused_and_one_in_small_ones_is_read(brief: str, blue: bytes) -> None:
    for size, told in (
        (48, "the body comes in chunks of less than 128 bytes"),
        (200, "not a picture that can be read"),
    ):
        chunks = (bytes(size) for _ in range(2000))
        answer = httpx.post(f"{brief}/predict", content=chunks, headers=JPEG)
        assert answer.status_code == 400
        assert told in answer.json()["detail"]


@pytest.mark.parametrize("path", [b"/page/" + b"a/" * 30_000, b"/predict?" + b"a=1&" * 1000], ids=["path", "query"])
def test_paths_are_bounded(brief: str, path: bytes) -> None:
    with connected(brief) as connection, suppress(ConnectionError):
        connection.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(2**12).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    ("kind", "body", "said"),
    [
        ("multipart/form-data; boundary=", b"--\r\n" + b"\r\n--x" * 200_000, "Missing boundary"),
        ("multipart/form-data; boundary=b", b"--b\r\n" + b"\r\n--bx" * 200_000, "its boundary within one"),
        ("multipart/form-data;" + ";" * 20_000, b"x", "the content type has 20020 characters"),
    ],
)
def test_what_takes_long_to_be_read_is_refused(brief: str, kind: str, body: bytes, said: str) -> None:
    answer = httpx.post(f"{brief}/predict", content=body, headers={"Content-Type": kind})
    assert answer.status_code == 400
    assert said in answer.json()["detail"]


def test_a_form_chooses_no_charset(brief: str) -> None:
    field = b'--XX\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + b"b" * 200_000 + b"-" + b"a" * 200_000
    for charset in ("punycode", "idna", "x" * 500):
        kind = f"multipart/form-data; boundary=XX; charset={charset}"
        answer = httpx.post(f"{brief}/predict", content=field + b"\r\n--XX--\r\n", headers={"Content-Type": kind})
        assert answer.status_code == 400
        assert "the form names a charset" in answer.json()["detail"]


def test_clients_that_break_off_leave_no_line_in_the_log(served: Path, tmp_path: Path) -> None:
    with running(served, tmp_path / "log", alone=True) as (address, _):
        for path in (b"/page/example.jpg", b"/livez", b"/model"):
            for _ in range(20):
                with connected(address) as connection:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    connection.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path * 40)
        assert httpx.get(f"{address}/readyz").status_code == 200
    said = (tmp_path / "log").read_text()
    assert "Traceback" not in said
    assert "without completing" not in said


def test_what_follows_the_last_chunk_is_no_header(brief: str, blue: bytes) -> None:
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    with connected(brief) as connection:
        connection.sendall(head + b"%x\r\n" % len(blue) + blue + b"\r\n0\r\nContent-Type: image/jpeg\r\n\r\n")
        assert connection.recv(2**12).startswith(b"HTTP/1.1 415 ")


def test_the_bounds_add_up() -> None:
    settings = Settings()
    assert settings.max_connections_per_address < settings.max_connections
    assert settings.max_connections * 2 * (SEND + RECEIVE) < 0.2 * 2**30  # of the memory of deploy/kubernetes
