"""What a snapshot has fetched so far, on disk, so that a killed run asks for none of it again.

A run decides by what it is given alone, and changes the pool at its end: a second run that is given the same by this
journal, and by what the providers have answered, comes to the same. Knows nothing of the pool.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from irisline.collection.downloads import download
from irisline.collection.downloads.download import Download
from irisline.core import locks, paths
from irisline.core.errors import IrislineError
from irisline.core.params import Params
from irisline.dataset import sources_table

_DOWNLOAD = TypeAdapter(Download)
# Failures of a moment: the same picture may be there when the command is typed again.
PASSING = {download.UNREACHABLE, download.UNWELL, download.TIMEOUT}


@dataclass(frozen=True)
class Recorded:
    """What came of one address, and when."""

    download: Download
    at: str


class Journal:
    """The downloads, a line each; the fetched pictures by their sha256.

    One that is not to keep anything reads what was noted before, and writes nothing.
    """

    def __init__(self, folder: Path, settings: Params, keep: bool = True) -> None:
        self.keep, self.folder, self.blobs = keep, folder, folder / "blobs"
        within = _digest([settings.snapshot.max_bytes, settings.collect.max_pixels])
        self._downloads = folder / f"downloads-{within[:16]}.jsonl"
        if keep:
            shutil.rmtree(_leftover(folder), ignore_errors=True)
            if not self._downloads.is_file():  # a folder or a pipe in its place keeps nothing
                paths.remove(self._downloads)
            self._end_last_line()
        self.known = dict(self._read())

    def note(self, found: Download) -> Recorded:
        """Keep what came of an address; a failure of the moment is forgotten with the run."""
        noted = Recorded(found, sources_table.now())
        self.known[found.url] = noted
        if found.status not in PASSING:
            line = json.dumps(asdict(found) | {"file": found.file and found.file.name, "at": noted.at}) + "\n"
            with paths.disk_errors(self._downloads):
                self.folder.mkdir(parents=True, exist_ok=True)
                with self._downloads.open("a", encoding="utf-8") as file:
                    file.write(line)
        return noted

    def drop(self) -> None:
        """Forget everything, at once."""
        if self.folder.exists():
            self.folder.rename(_leftover(self.folder))
        shutil.rmtree(_leftover(self.folder), ignore_errors=True)

    def _read(self) -> Iterator[tuple[str, Recorded]]:
        """Yield the downloads noted before; of a line that was cut short, or whose picture is gone, nothing."""
        if not self._downloads.is_file():
            return
        with self._downloads.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if noted := self._parsed(line):
                    yield noted.download.url, noted

    def _end_last_line(self) -> None:
        """See to it that what is noted next is not glued to a line that was cut short."""
        if self._downloads.is_file() and not self._downloads.read_bytes().endswith(b"\n"):
            with paths.disk_errors(self._downloads), self._downloads.open("a") as file:
                file.write("\n")

    def _parsed(self, line: str) -> Recorded | None:
        try:
            document: dict[str, Any] = json.loads(line)
            at, name = str(document.pop("at")), document.pop("file")
            found = _DOWNLOAD.validate_python(document)
            if not name:
                return Recorded(found, at)
            file = self.blobs / Path(name).name
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):  # cut short, or not written here
            return None
        whole = file.is_file() and file.stat().st_size == found.bytes
        return Recorded(replace(found, file=file), at) if whole else None


@contextmanager
def alone() -> Iterator[None]:
    """Hold the lock of this project's pool while the block runs; raise IrislineError when another process changes it."""
    lock = paths.SCRATCH / "locks" / "snapshot"
    with ExitStack() as stack:
        try:
            with paths.disk_errors(lock):
                stack.enter_context(locks.held(lock, wait=False))
        except locks.Held as error:
            at_work = f"{paths.POOL}/: another snapshot is at work here"
            raise IrislineError(f"{at_work}; let it end, then type the same command again") from error
        yield


def _digest(values: Any) -> str:
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()


def _leftover(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.partial")
