"""Files that a person, an archive or another program may have replaced: read only while they are plain files, within a limit.

A pipe in a file's place would be waited for, a device never end. Knows nothing of what files hold.
"""

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

from irisline.core.errors import UnfitFile

DOCUMENT = 2**24  # bytes of a document that people and stages write
TABLE = 2**30  # bytes of a table with a line for each picture
_NONE = "neither a file nor a link to one"


def opened(path: Path) -> BufferedReader:
    """Return a file, or what a link to one leads to, open for reading; raise UnfitFile when it is none, OSError as open."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe would wait for a writer
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise UnfitFile(path, _NONE) from error  # a socket
        raise
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise UnfitFile(path, _NONE)
    return os.fdopen(file, "rb")


def read(path: Path, most: int = DOCUMENT) -> bytes:
    """Return the bytes of a file; raise UnfitFile when it is none or has more of them than it may, OSError as open does."""
    with opened(path) as file:
        has = os.fstat(file.fileno()).st_size
        if has > most:
            raise UnfitFile(path, f"has {has:,} bytes, the limit is {most:,}", too_large=True)
        data = file.read(has + 1)
    if len(data) > has:
        raise UnfitFile(path, "grows while it is read")
    return data
