"""A folder of a person's own pictures, <folder>/<class>/*. No network; the words of a query are not looked at."""

import os
from collections.abc import Iterator
from pathlib import Path

from irisline.collection.sources import text_cleaning
from irisline.collection.sources.candidate import Candidate, Query
from irisline.core.bounded import plain_files
from irisline.core.errors import SearchFailed, UnfitFile
from irisline.core.params import Snapshot
from irisline.dataset import licences


class Folder:
    """The pictures in snapshot.folder."""

    name = "folder"

    def __init__(self, settings: Snapshot) -> None:
        if not settings.folder:
            raise SearchFailed("folder: snapshot.folder is empty; set it in params.yaml to the folder of your pictures")
        self._folder = Path(settings.folder).expanduser().absolute()
        self._max_bytes = settings.max_bytes

    def search(self, query: Query, limit: int) -> Iterator[Candidate]:
        """Yield at most limit pictures of the class, by name; what is hidden is some program's note, not a picture."""
        place = self._folder / query.label
        if not place.is_dir():
            raise SearchFailed(f"folder: {place}: no such folder; put pictures of class {query.label} there")
        files = sorted(file for file in place.iterdir() if file.is_file() and not file.name.startswith("."))
        for rank, file in enumerate(files[:limit], start=1):
            name = file.relative_to(self._folder).as_posix()
            if text_cleaning.line(name) != name:
                raise SearchFailed(f"folder: {os.fsencode(file)!r}: its name is not plain text; rename it")
            yield Candidate(self.name, name, query, rank, file.as_uri(), title=file.stem, licence=licences.OWN)

    def read(self, candidate: Candidate) -> bytes:
        """Return the bytes of a picture, one more than snapshot.max_bytes at most.

        Raise SearchFailed when it lies elsewhere, as a line of sources.csv may say, or cannot be read any more.
        """
        file = Path(os.path.normpath(self._folder / candidate.provider_id))
        if not file.is_relative_to(self._folder):
            raise SearchFailed(f"folder: {candidate.provider_id!r} does not lie in snapshot.folder, {self._folder}")
        try:
            with plain_files.opened(file) as opened:
                return opened.read(self._max_bytes + 1)
        except UnfitFile as error:
            raise SearchFailed(f"folder: {error}") from error
        except OSError as error:
            raise SearchFailed(f"folder: {file}: {error.strerror}; put it back, or take it out of the pool") from error
