"""The process that runs a function for isolation.py: forked from a server that has prepared it, bounded by the kernel.

Also how the two sides tell each other, and what any process does that must not take more than it may.
"""

import importlib
import os
import resource
import signal
import socket
import struct
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

_HEAD = struct.Struct(">Qd?")  # bytes that follow, seconds, whether the function failed
WANTED = struct.Struct(">Qb")  # bytes of memory beside what the server has, nice
_MOST_BYTES = 2**30  # of a request or an answer
FORKED = b"\1"  # what a worker sends first
WALL = 10  # times the seconds of processor: so busy may a machine be


def confine(memory: int, nice: int) -> None:
    """Let this process take so many bytes beside what it has, write no file, and give way to the rest of the machine."""
    os.nice(nice)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")  # whoever is short of memory ends this process first
    has = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    for limit, most in ((resource.RLIMIT_AS, has + memory), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(limit, (most, most))


def send(connection: socket.socket, parts: Sequence[bytes], seconds: float, failed: bool = False) -> None:
    """Tell the other side something, in parts that need not be joined here."""
    connection.sendall(_HEAD.pack(sum(map(len, parts)), seconds, failed))
    for part in parts:
        connection.sendall(part)


def receive(connection: socket.socket) -> tuple[bytes, float, bool]:
    """Return what the other side tells: bytes, seconds, and whether a function failed; raise OSError or EOFError."""
    length, seconds, failed = _HEAD.unpack(exactly(connection, _HEAD.size))
    if length > _MOST_BYTES:
        raise OSError(f"{length} bytes follow, the limit is {_MOST_BYTES}")
    return bytes(exactly(connection, length)), seconds, failed


def exactly(connection: socket.socket, count: int) -> bytearray:
    """Return so many bytes from the other side; raise OSError or EOFError."""
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
        wanted, connections, *_ = socket.recv_fds(control, WANTED.size, 1)
        if not wanted:
            return
        with suppress(OSError):  # no more processes may be: whoever asks sees the connection end
            if os.fork() == 0:
                control.close()
                memory, nice = WANTED.unpack(wanted)
                try:
                    _work(function, socket.socket(fileno=connections[0]), memory, nice)
                finally:
                    os._exit(0)
        os.close(connections[0])


def _work(function: Callable[[bytes], bytes], connection: socket.socket, memory: int, nice: int) -> None:
    """Answer requests until the other side has gone."""
    confine(memory, nice)
    connection.sendall(FORKED)
    while True:
        started = time.process_time()  # taking in what is asked is part of what it takes
        try:
            request, seconds, _ = receive(connection)
        except (OSError, EOFError):
            return
        signal.setitimer(signal.ITIMER_PROF, seconds)  # both end the process
        signal.setitimer(signal.ITIMER_REAL, WALL * seconds)
        try:
            answer, failed = function(request) if request else b"", False
        except MemoryError:
            answer, failed = b"", True
        except Exception:
            answer, failed = traceback.format_exc().encode(), True
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        send(connection, (answer,), time.process_time() - started, failed)


if __name__ == "__main__":
    main()
