"""What a version from a store may take, and its files read within that: nothing of it is believed before it is proven.

Knows nothing of what the files hold.
"""

import json
import math
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from irisline.core.bounded import plain_files
from irisline.core.errors import ModelError, UnfitFile

FILES = 2000
FILE_BYTES = 3 * 2**29  # an ONNX file cannot have 2 GiB
ALL_BYTES = 2**32
DOCUMENT_BYTES = 2**20  # of one JSON document
PICTURE_BYTES = 2**24  # of one golden picture

SECONDS = 120  # of processor that a proof may take
WALL_SECONDS = 300  # and by the clock, on a machine that has other things to do
MEMORY = 2**31  # bytes that it may take
MEMORY_TIMES = 4  # and so many times the bytes of the version: a network is read, unpacked and laid out anew
NICE = 10
BATCH = 32  # squares that go through a network at once


def check(folder: Path) -> int:
    """Return the bytes of a version's folder; raise ModelError unless it holds plain files only, and not too many or large."""
    count = whole = 0
    try:
        for path, status in _entries(folder):
            count, whole = count + 1, whole + status.st_size
            if not stat.S_ISREG(status.st_mode):
                raise _refused(path, "is no plain file, and a version holds no other")
            if status.st_size > FILE_BYTES:
                raise _refused(path, f"has {status.st_size} bytes, the limit is {FILE_BYTES}")
            if count > FILES or whole > ALL_BYTES:
                raise _refused(folder, f"has more than {FILES} files or {ALL_BYTES} bytes")
    except OSError as error:
        raise _refused(Path(error.filename or folder), f"cannot be read ({error.strerror})") from error
    return whole


def read(path: Path, most: int = DOCUMENT_BYTES) -> bytes:
    """Return the bytes of a file; raise ModelError when it is no plain file, or has more of them than it may."""
    try:
        return plain_files.read(path, most)
    except UnfitFile as error:
        raise _refused(path, error.reason) from error


def document(path: Path) -> Any:
    """Return what a JSON file holds; raise ModelError when it is too large, too deep, or has numbers that are none."""
    try:
        return json.loads(read(path), parse_float=_finite, parse_constant=_finite)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: not a model of this program: {str(error)[:80]}; publish it anew") from error


def _entries(folder: Path, below: bool = True) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield what lies in a folder and in the folders of it, as it lies there: a folder deeper down is told as such."""
    with os.scandir(folder) as entries:
        for entry in entries:
            status = entry.stat(follow_symlinks=False)
            if below and stat.S_ISDIR(status.st_mode):
                yield from _entries(Path(entry), below=False)
            else:
                yield Path(entry), status


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is no number")
    return value


def _refused(path: Path, reason: str) -> ModelError:
    return ModelError(f"{path}: {reason}; leave this version, or publish it anew")
