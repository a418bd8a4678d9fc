"""What a provider has answered, on disk for a week, so that nobody is asked twice: to search deeper, after a limit or a kill.

Knows no provider and no answer. Of a question only a digest is kept: a form may hold a key.
"""

import hashlib
import time
from collections.abc import Callable, Container
from pathlib import Path
from typing import TypeVar

import irisline
from irisline.core import paths
from irisline.core.bounded import plain_files
from irisline.core.errors import SearchFailed, UnfitFile

LIFE = 7 * 86400.0  # seconds; later a search may find what is new
LARGEST = 2**26  # bytes of one

Answered = TypeVar("Answered")


class Answers:
    """The answers of one provider; without a folder there are none. With keep false none is written: this run alone knows."""

    def __init__(self, folder: Path | None = None, keep: bool = True) -> None:
        self._folder, self._keep = folder, keep
        self._of_this_run: dict[str, bytes] = {}
        self._there: set[Path] = set()  # for later, of what was asked for
        self.closed = ""  # why the provider is asked no more, in one line

    @property
    def count(self) -> int:
        """How many answers are there for later, of what was asked for."""
        return len(self._there)

    def known(self, question: str, read: Callable[[bytes], Answered]) -> Answered | None:
        """Return what was answered before, as it is read; None when it is to be asked, also for what cannot be read any more.

        Raise SearchFailed when nothing is asked any more.
        """
        file = self._file(question)
        if file and (found := _kept(file, read)) is not None:
            self._there.add(file)
            return found
        if question in self._of_this_run:
            return read(self._of_this_run[question])
        if self.closed:
            raise SearchFailed(self.closed)
        return None

    def note(self, question: str, answer: bytes) -> None:
        """Keep what was answered."""
        file = self._file(question)
        if file and self._keep:
            paths.write_whole(file, answer)
            self._there.add(file)
        elif file:
            self._of_this_run[question] = answer

    def _file(self, question: str) -> Path | None:
        asked = f"{irisline.__version__} {question}"  # another version may read answers in another way
        return self._folder and self._folder / f"{hashlib.sha256(asked.encode()).hexdigest()}.json"


def forget_old(folder: Path, unkept: Container[str]) -> None:
    """Remove the answers that are old, of every provider that was ever asked, those not to be kept, and what is no answer."""
    for file in folder.glob("*/*"):
        if file.parent.name in unkept or not file.is_file() or _is_old(file):
            paths.remove(file)


def _kept(file: Path, read: Callable[[bytes], Answered]) -> Answered | None:
    try:
        return None if _is_old(file) else read(plain_files.read(file, LARGEST))
    except (OSError, UnfitFile, ValueError):  # none is there, or it was damaged
        return None


def _is_old(file: Path) -> bool:
    return time.time() - file.stat().st_mtime > LIFE
