"""sources.csv: where each picture of the pool came from, one line each, those that were not fetched among them.

Owns the columns, the statuses and the way to disk. Knows nothing of pictures or providers.
"""

import os
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from irisline.core import display_names, paths
from irisline.core.errors import DataError
from irisline.dataset import tables

FIELDS = (
    "id",  # the path below data/; of a picture that was not fetched, the path it would have had, without an ending
    "provider",
    "query",
    "rank",
    "page_url",
    "image_url",
    "title",
    "author",
    "licence",
    "licence_url",
    "provider_hash",
    "sha256",  # of the file's bytes, as fetched
    "bytes",
    "width",
    "height",
    "fetched_at",
    "status",
)
PHASH = "phash"  # behind the others, where a snapshot fetched the picture: 16 hex digits that know it without its file
GROUP = "group"  # a person's columns: pictures of one group never cross a split
SPLIT = "split"  # train, valid or test, where the picture stays
SPLITS = ("", "train", "valid", "test")
FETCHED = "fetched"

Line = dict[str, str]


def read(file: Path) -> list[Line]:
    """Return the lines of sources.csv in their order, ids in the form names are compared in; none when there is no such file.

    Raise DataError when it is not UTF-8, not CSV, lacks a column, has two fetched lines for one picture or an unknown split.
    """
    if not file.is_file():
        return []
    lines = [line | {"id": display_names.same(line["id"])} for _, line in tables.read(file, ("id", "licence"))]
    if stray := [name for line in lines if _is_outside(name := line["id"])]:
        raise DataError(f"{file}: {stray[0]!r} is no path below {paths.POOL}/; fix or drop the line")
    if wrong := [line for line in lines if line.get(SPLIT, "") not in SPLITS]:
        raise DataError(
            f"{file}: {wrong[0]['id']!r} has the split {wrong[0][SPLIT]!r}; write train, valid or test, or leave it empty"
        )
    ids = Counter(line["id"] for line in lines if is_fetched(line))
    if repeated := [name for name, count in ids.items() if count > 1]:
        raise DataError(f"{file}: {repeated[0]!r} has two lines; keep one of them")
    return lines


def _is_outside(name: str) -> bool:
    return Path(name).is_absolute() or ".." in Path(name).parts


def by_id(lines: Iterable[Line]) -> dict[str, Line]:
    """Return the lines by id; one of a download that failed counts only where no other names the picture."""
    return {line["id"]: line for line in sorted(lines, key=is_fetched)}


def is_fetched(line: Mapping[str, str]) -> bool:
    """Whether a line promises a file: one a person wrote has no status."""
    return (line.get("status") or FETCHED) == FETCHED


def write(file: Path, lines: Iterable[Mapping[str, object]]) -> None:
    """Write the lines whole; a column a person added stays behind ours."""
    tables.write(file, FIELDS, lines)


def now() -> str:
    """Return the time as the table writes it, in UTC; that of SOURCE_DATE_EPOCH when set (reproducible-builds.org)."""
    seconds = os.environ.get("SOURCE_DATE_EPOCH")
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(float(seconds) if seconds else None))
