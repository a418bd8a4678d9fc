"""One program at a time: locks that end with whoever holds them, by the kernel's word."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout


class Busy(Exception):
    """Another program holds a lock."""


@contextmanager
def held(lock: Path, wait: bool = True) -> Iterator[None]:
    """Hold a lock, a file of that name, while the block runs; raise Busy when another does and none is to wait."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    holder = FileLock(lock, timeout=-1 if wait else 0, thread_local=False)
    try:
        holder.acquire()
    except Timeout as error:
        raise Busy(lock) from error
    try:
        yield
    finally:
        holder.release()
