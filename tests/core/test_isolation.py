"""A function in a process of its own: what it takes is bounded, its end is an answer, no secret reaches it."""

import os
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from irisline.core.errors import Overloaded
from irisline.core.isolation import Ended, Worker

MEMORY = 64 * 2**20


def tricks() -> Callable[[bytes], bytes]:
    """Return what the processes of these tests run: a request is one of the words below."""

    def do(request: bytes) -> bytes:
        word, _, rest = request.partition(b" ")
        if word == b"echo":
            return rest
        if word == b"spin":
            until = time.process_time() + float(rest)
            while time.process_time() < until:
                pass
        elif word == b"sleep":
            time.sleep(float(rest))
        elif word == b"take":
            return str(len(bytearray(int(rest)))).encode()
        elif word == b"die":
            os.kill(os.getpid(), int(rest))
        elif word == b"pid":
            return f"{os.getpid()} {os.getppid()}".encode()
        elif word == b"environment":
            return repr(dict(os.environ)).encode()
        elif word == b"write":
            Path(rest.decode()).write_bytes(b"something")
        elif word == b"raise":
            raise ValueError(rest.decode())
        return b"done"

    return do


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker("tests.core.test_isolation:tricks", MEMORY)
    yield made
    made.close()


def pids(worker: Worker) -> tuple[int, int]:
    mine, parents = worker.call((b"pid",), 5)[0].split()
    return int(mine), int(parents)


def gone(pid: int, seconds: float = 20) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with suppress(psutil.NoSuchProcess):
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                time.sleep(0.02)
                continue
        return True
    return False


def test_bytes_come_back_with_the_seconds_they_took(worker: Worker) -> None:
    for size in (0, 1, 10, 10_000_000):
        assert worker.call((b"echo ", b"x" * size), 5)[0] == b"x" * size
    assert worker.call((b"spin 0.2",), 5)[1] >= 0.2


def test_what_another_ends_is_asked_anew(worker: Worker) -> None:
    mine, _ = pids(worker)
    asking = threading.Timer(0.3, os.kill, (mine, signal.SIGKILL))
    asking.start()
    assert worker.call((b"sleep 1",), 60)[0] == b"done"
    assert pids(worker)[0] != mine
    asking.join()


@pytest.mark.parametrize("request_", [b"spin 60", b"die 9", b"die 11", b"take 300000000"])
def test_what_takes_too_much_or_dies_is_ended_and_the_next_call_is_answered(worker: Worker, request_: bytes) -> None:
    for _ in range(2):
        with pytest.raises(Ended):
            worker.call((request_,), 0.2)
        assert worker.call((b"echo again",), 5)[0] == b"again"


def test_what_sleeps_is_ended_too(worker: Worker) -> None:
    with pytest.raises(Overloaded, match=r"no processor to be had: 0\.05 seconds of it took"):
        worker.call((b"sleep 300",), 0.05)


def test_memory_within_the_bound_may_be_taken_again_and_again(worker: Worker) -> None:
    for _ in range(50):
        assert worker.call((b"take 30000000",), 5)[0] == b"30000000"
    assert pids(worker)[0]


def test_a_bug_is_told_with_its_traceback(worker: Worker) -> None:
    with pytest.raises(RuntimeError, match=r"test_isolation[\s\S]*ValueError: what is wrong"):
        worker.call((b"raise what is wrong",), 5)
    assert worker.call((b"echo again",), 5)[0] == b"again"


def test_no_secret_reaches_it_and_no_file_is_written(
    worker: Worker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("IRISLINE_API_KEYS", "a-secret")
    own = Worker("tests.core.test_isolation:tricks", MEMORY, 1)  # the fork server may be older than the variable
    assert b"secret" not in own.call((b"environment",), 5)[0]
    own.close()
    with pytest.raises((Ended, RuntimeError)):
        worker.call((b"write ", str(tmp_path / "file").encode()), 5)
    assert not (tmp_path / "file").exists() or not (tmp_path / "file").read_bytes()


def test_whoever_kills_the_fork_server_is_answered_by_a_new_one(worker: Worker) -> None:
    old, server = pids(worker)
    os.kill(server, signal.SIGKILL)
    worker.close()
    assert gone(old)
    mine, other = pids(worker)
    assert {mine, other}.isdisjoint({old, server})


def test_a_fork_server_that_somebody_has_stopped_is_replaced(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("irisline.core.isolation._FORK", 0.2)
    server = pids(worker)[1]
    worker.close()
    os.kill(server, signal.SIGSTOP)
    assert worker.call((b"echo anew",), 5)[0] == b"anew"
    assert gone(server)


def test_a_new_worker_is_answered_though_the_fork_server_died_and_another_of_it_lives(worker: Worker) -> None:
    os.kill(pids(worker)[1], signal.SIGKILL)
    other = Worker("tests.core.test_isolation:tricks", MEMORY)
    assert other.call((b"echo anew",), 0.5)[0] == b"anew"
    assert worker.call((b"echo still",), 5)[0] == b"still"
    other.close()


def test_without_a_process_to_be_had_that_is_what_is_told() -> None:
    with pytest.raises(Overloaded, match="no process can be started to run tests"):
        Worker("tests.core.test_isolation:absent", MEMORY).start()


def test_threads_take_turns(worker: Worker) -> None:
    found: list[bytes] = []
    threads = [
        threading.Thread(target=lambda n=n: found.append(worker.call((b"echo %d" % n,), 5)[0])) for n in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(int, found)) == list(range(20))


def test_nothing_outlives_the_process_that_asked() -> None:
    code = (
        "import os, signal; from irisline.core.isolation import Worker; w = Worker('tests.core.test_isolation:tricks', 2**26);"
        "print(w.call((b'pid',), 5)[0].decode(), flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    import subprocess
    import sys

    from tests.imports import ROOT

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    mine, server = map(int, done.stdout.split())
    assert gone(mine)
    assert gone(server)


def test_a_process_takes_the_descriptors_it_needs_and_no_more(worker: Worker) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        with pytest.raises(Ended):
            worker.call((b"die 9",), 5)
    worker.call((b"echo",), 5)
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 3
    assert resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY
