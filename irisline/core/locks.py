"""One program at a time: locks that end with whoever holds them, by the kernel's word."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Held(Exception):
    """Another program holds a lock."""


@contextmanager
def held(lock: Path, wait: bool = True) -> Iterator[None]:
    """Hold a lock, a file of that name, while the block runs; raise Held when another does and none is to wait."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    # To read and write: a pipe in its place would be waited for by who opens it to write alone.
    handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Held(lock) from error
        yield
    finally:
        os.close(handle)
