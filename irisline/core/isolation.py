"""A function of bytes to bytes, run in a process of its own that ends when it takes more than it may.

A fork server is started once for a function: it prepares it, knows nothing of the environment's secrets, and forks a worker
whenever one is wanted, which takes milliseconds. The kernel bounds a worker's memory and files, and ends it at its seconds of
processor, before a byte of a request reaches the function. Nothing is unpickled. Knows nothing of what is run.
"""

import atexit
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

from irisline.core.errors import Overloaded
from irisline.core.isolated_worker import FORKED, WALL, WANTED, exactly, receive, send

_MOST_CALLS = 1000  # of one worker: then the memory it has kept is given back
_EARLY = 0.1  # of the seconds must be left, else the limit is what has ended it: timers are not exact
_START = 60.0  # seconds that a fork server may take to prepare
_FORK = 5.0  # seconds that it may take to fork, once it is prepared: milliseconds, unless somebody has stopped it
_INHERITED = ("PATH", "PYTHONPYCACHEPREFIX", "PYTHONDONTWRITEBYTECODE", "LD_LIBRARY_PATH", "LANG", "TMPDIR")
_ALONE = {
    **dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "MALLOC_ARENA_MAX"), "1"),
    "MALLOC_MMAP_THRESHOLD_": str(8 * 2**20),  # what a giant took goes back to the kernel at once
    "MALLOC_TRIM_THRESHOLD_": str(16 * 2**20),
}


class Ended(Exception):
    """A call took more seconds or memory than it might, or ended its process otherwise. It has no result."""


class Worker:
    """One process that runs one function, a call at a time. It is started by the first call, and anew after its end.

    The function is named as module:factory; the factory, called in the fork server, returns it. Memory is what a worker may
    take beside what the server has, in bytes.
    """

    def __init__(self, function: str, memory: int, nice: int = 0) -> None:
        self._function, self._wanted = function, WANTED.pack(memory, nice)
        self._connection: socket.socket | None = None
        self._calls = 0
        self._lock = threading.Lock()

    def call(self, request: Sequence[bytes], seconds: float) -> tuple[bytes, float]:
        """Return what the function returns of the request's parts, joined, and the seconds of processor it took.

        Raise Ended when they would be more than it may take, or memory is; Overloaded when there is no process to be had;
        RuntimeError with its traceback for a bug of it. A process that ends sooner, by another's hand say, is asked anew once.
        """
        with self._lock:
            started = time.monotonic()
            try:
                answer, took, failed = self._asked(request, seconds)
            except (OSError, EOFError) as error:
                took = time.monotonic() - started
                left = seconds - took
                if took > (1 - _EARLY) * WALL * seconds:
                    raise Overloaded(f"no processor to be had: {seconds:.2g} seconds of it took {took:.2g}") from error
                if left <= _EARLY * seconds:
                    raise Ended from error
                try:
                    answer, took, failed = self._asked(request, left)
                except (OSError, EOFError) as again:
                    raise Ended from again
            self._calls += 1
            if failed or self._calls % _MOST_CALLS == 0:
                self._drop()
        if failed and answer:
            raise RuntimeError(answer.decode())
        if failed:
            raise Ended("took more memory than it may")
        return answer, took

    def start(self) -> None:
        """Have the process ready before the first call."""
        self.call((), 60)

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._drop()

    def _asked(self, request: Sequence[bytes], seconds: float) -> tuple[bytes, float, bool]:
        connection = self._begin(request, seconds)
        try:
            connection.settimeout(WALL * seconds + 5)
            return receive(connection)
        except (OSError, EOFError):
            self._drop()
            raise

    def _begin(self, request: Sequence[bytes], seconds: float) -> socket.socket:
        """Send a request to the process, to a new one when the old one has ended since."""
        if self._connection:
            with suppress(OSError):
                send(self._connection, request, seconds)
                return self._connection
            self._drop()
        try:
            self._connection = _server(self._function).fork(self._wanted)
            send(self._connection, request, seconds)
        except (OSError, EOFError) as error:
            self._drop()
            raise Overloaded(f"no process can be started to run {self._function} ({error})") from error
        return self._connection

    def _drop(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = None


class _ForkServer:
    """The process that forks workers of one function for this process; it ends with it."""

    def __init__(self, function: str) -> None:
        self._function = function
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._prepared = False
        self._lock = threading.Lock()
        atexit.register(self._end)

    def fork(self, wanted: bytes) -> socket.socket:
        """Return the connection to a new worker; raise OSError or EOFError when there is none, also of a new server."""
        try:
            return self._fork(wanted)
        except (OSError, EOFError):  # it has ended, or cannot fork
            return self._fork(wanted)

    def _fork(self, wanted: bytes) -> socket.socket:
        ours, theirs = socket.socketpair()
        with self._lock:
            control = self._control = self._control or self._start()
            patience = _FORK if self._prepared else _START
        try:
            with theirs:
                socket.send_fds(control, [wanted], [theirs.fileno()])
            ours.settimeout(patience)
            exactly(ours, len(FORKED))
            with self._lock:
                self._prepared = self._prepared or self._control is control
        except (OSError, EOFError):
            ours.close()
            with self._lock:
                if self._control is control:
                    self._end()
            raise
        return ours

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        words = [sys.executable, "-m", "irisline.core.isolated_worker", self._function]
        with theirs:
            self._process = subprocess.Popen(words, stdin=theirs.fileno(), env=environment())
        return ours

    def _end(self) -> None:
        if self._control and self._process:
            self._control.close()
            self._process.kill()
            self._process.wait()
        self._control, self._prepared = None, False


@cache
def _server(function: str) -> _ForkServer:
    """Return this process's fork server of a function."""
    return _ForkServer(function)


def environment() -> dict[str, str]:
    """Return what a process that runs alone knows of the environment: nothing secret, and one thread a library."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    return {**inherited, **_ALONE, "PYTHONPATH": path}
