"""A function of bytes to bytes, run in a process of its own that ends when it takes more than it may.

A fork server is started once for a function: it prepares it, knows nothing of the environment's secrets, and forks a worker
whenever one is wanted, which takes milliseconds. The kernel bounds a worker's memory and files, and ends it at its seconds of
processor, before a byte of a request reaches the function. Nothing is unpickled. Knows nothing of what is run.
"""

import atexit
import importlib
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

from irisline.errors import Overloaded

_HEAD = struct.Struct(">Qd?")  # bytes that follow, seconds, whether the function failed
_WANTED = struct.Struct(">Qb")  # bytes of memory beside what the server has, nice
_MOST_BYTES = 2**30  # of a request or an answer
_MOST_CALLS = 1000  # of one worker: then the memory it has kept is given back
_WALL = 10  # times the seconds of processor: so busy may a machine be
_FORKED = b"\1"  # what a worker sends first
_START = 60.0  # seconds that a fork server may take to prepare
_INHERITED = ("PATH", "PYTHONPYCACHEPREFIX", "PYTHONDONTWRITEBYTECODE", "LD_LIBRARY_PATH", "LANG", "TMPDIR")
_ALONE = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "MALLOC_ARENA_MAX"), "1")


class Ended(Exception):
    """A call took more seconds or memory than it might, or ended its process otherwise. It has no result."""


class Worker:
    """One process that runs one function, a call at a time. It is started by the first call, and anew after its end.

    The function is named as module:factory; the factory, called in the fork server, returns it. Memory is what a worker may
    take beside what the server has, in bytes.
    """

    def __init__(self, function: str, memory: int, nice: int = 0) -> None:
        self._function, self._wanted = function, _WANTED.pack(memory, nice)
        self._connection: socket.socket | None = None
        self._calls = 0
        self._lock = threading.Lock()

    def call(self, request: bytes, seconds: float) -> tuple[bytes, float]:
        """Return what the function returns, and the seconds of processor it took.

        Raise Ended when they would be more than it may take, or memory is; Overloaded when there is no process to be had;
        RuntimeError with its traceback for a bug of it.
        """
        with self._lock:
            connection = self._begin(request, seconds)
            try:
                connection.settimeout(_WALL * seconds + 5)
                answer, took, failed = _receive(connection)
            except (OSError, EOFError) as error:
                self._drop()
                raise Ended from error
            self._calls += 1
            if failed or self._calls % _MOST_CALLS == 0:
                self._drop()
        if failed:
            raise RuntimeError(answer.decode())
        return answer, took

    def start(self) -> None:
        """Have the process ready before the first call."""
        self.call(b"", 60)

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._drop()

    def _begin(self, request: bytes, seconds: float) -> socket.socket:
        """Send a request to the process, to a new one when the old one has ended since."""
        if self._connection:
            with suppress(OSError):
                _send(self._connection, request, seconds)
                return self._connection
            self._drop()
        try:
            self._connection = _server(self._function).fork(self._wanted)
            _send(self._connection, request, seconds)
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
        try:
            with theirs:
                socket.send_fds(control, [wanted], [theirs.fileno()])
            ours.settimeout(_START)
            _exactly(ours, len(_FORKED))
        except (OSError, EOFError):
            ours.close()
            with self._lock:
                if self._control is control:
                    self._end()
            raise
        return ours

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        words = [sys.executable, "-m", "irisline.isolation", self._function]
        with theirs:
            self._process = subprocess.Popen(words, stdin=theirs.fileno(), env=environment())
        return ours

    def _end(self) -> None:
        if self._control and self._process:
            self._control.close()
            self._process.kill()
            self._process.wait()
        self._control = None


@cache
def _server(function: str) -> _ForkServer:
    """Return this process's fork server of a function."""
    return _ForkServer(function)


def environment() -> dict[str, str]:
    """Return what a process that runs alone knows of the environment: nothing secret, and one thread a library."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    path = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    return {**inherited, **_ALONE, "PYTHONPATH": path}


def confine(memory: int, nice: int) -> None:
    """Let this process take so many bytes beside what it has, write no file, and give way to the rest of the machine."""
    os.nice(nice)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")  # whoever is short of memory ends this process first
    has = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    for limit, most in ((resource.RLIMIT_AS, has + memory), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(limit, (most, most))


def _send(connection: socket.socket, data: bytes, seconds: float, failed: bool = False) -> None:
    connection.sendall(_HEAD.pack(len(data), seconds, failed))
    connection.sendall(data)


def _receive(connection: socket.socket) -> tuple[bytes, float, bool]:
    length, seconds, failed = _HEAD.unpack(_exactly(connection, _HEAD.size))
    if length > _MOST_BYTES:
        raise OSError(f"{length} bytes follow, the limit is {_MOST_BYTES}")
    return bytes(_exactly(connection, length)), seconds, failed


def _exactly(connection: socket.socket, count: int) -> bytearray:
    data = bytearray(count)
    view = memoryview(data)
    while view:
        got = connection.recv_into(view)
        if not got:
            raise EOFError("the other side has ended")
        view = view[got:]
    return data


def main() -> None:
    """Fork a worker for each connection that comes through the socket that is standard input, until that is closed."""
    module, _, factory = sys.argv[1].partition(":")
    function = getattr(importlib.import_module(module), factory)()
    control = socket.socket(fileno=os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # a worker would keep a dead server's end of it open
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a person's Ctrl-C is for who has asked
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the dead
    while True:
        wanted, connections, *_ = socket.recv_fds(control, _WANTED.size, 1)
        if not wanted:
            return
        with suppress(OSError):  # no more processes may be: whoever asks sees the connection end
            if os.fork() == 0:
                control.close()
                memory, nice = _WANTED.unpack(wanted)
                try:
                    _work(function, socket.socket(fileno=connections[0]), memory, nice)
                finally:
                    os._exit(0)
        os.close(connections[0])


def _work(function: Callable[[bytes], bytes], connection: socket.socket, memory: int, nice: int) -> None:
    """Answer requests until the other side has gone."""
    confine(memory, nice)
    connection.sendall(_FORKED)
    while True:
        try:
            request, seconds, _ = _receive(connection)
        except (OSError, EOFError):
            return
        started = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, seconds)  # both end the process
        signal.setitimer(signal.ITIMER_REAL, _WALL * seconds)
        try:
            answer, failed = function(request) if request else b"", False
        except MemoryError:
            return
        except Exception:
            answer, failed = traceback.format_exc().encode(), True
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        _send(connection, answer, time.process_time() - started, failed)


if __name__ == "__main__":
    main()
