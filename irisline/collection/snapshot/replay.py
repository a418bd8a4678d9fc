"""The recorded list, fetched again: are the pictures still what they were? The pool keeps the recorded bytes, whatever is.

What the web has lost is taken from the pool, else from DVC's cache or remote. Searches nothing, decides nothing anew.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from irisline.collection.snapshot import fetching
from irisline.collection.snapshot.journal import Journal, Recorded, alone
from irisline.collection.snapshot.source_lines import label_of
from irisline.collection.sources.candidate import Candidate, Query
from irisline.core import console, paths
from irisline.core.errors import MissingInput
from irisline.core.params import Params
from irisline.dataset import pool_files, sources_table
from irisline.dataset.sources_table import FETCHED, Line

FOLDER = paths.SNAPSHOT.with_name("replay")
SAME, CHANGED, GONE = "same", "changed", "gone"
IN_POOL, FROM_WEB, FROM_DVC, LOST = "in the pool", "fetched", "from DVC", "lost"


@dataclass(frozen=True)
class Replayed:
    """One recorded picture: what its address gives now, and where the pool has the recorded bytes from."""

    id: str
    web: str  # same, changed or gone
    detail: str
    pool: str  # in the pool, fetched, from DVC or lost

    @property
    def is_well(self) -> bool:
        """Whether the recorded bytes are there, and the address does not give others."""
        return self.web != CHANGED and self.pool != LOST


def run(settings: Params) -> list[Replayed]:
    """Fetch every recorded picture of a search again and put back what the pool lacks; give what came of each.

    Killed, it goes on where it was. Raise MissingInput without a recorded list; IrislineError when the disk is full.
    """
    table = paths.POOL / paths.SOURCES
    if not table.is_file():
        raise MissingInput(f"{table}: no recorded list here; type make data, or irisline snapshot to make one")
    with alone():
        recorded = [
            line for line in sources_table.read(table) if line.get("status") == FETCHED and line.get("image_url")
        ]
        journal = Journal(FOLDER, settings)
        candidates = [_candidate(line) for line in recorded]
        with console.progress("replaying", len(candidates)) as advance:
            found = fetching.fetch(candidates, journal, settings, advance)
        with closing(_Pinned()) as pinned:
            replayed = list(_compared(recorded, found, pinned))
        journal.drop()
    return replayed


def _candidate(line: Line) -> Candidate:
    """Return the candidate that a line was made of, as far as fetching needs it."""
    url, provider = line["image_url"], line.get("provider", "")
    name = Path(line["id"]).stem.removeprefix(f"{provider}-")
    here = url2pathname(urlsplit(url).path) if url.startswith("file:") else name
    return Candidate(provider, here, Query(label_of(line["id"]), ""), 0, url)


def _compared(recorded: Iterable[Line], found: dict[str, Recorded], pinned: "_Pinned") -> Iterator[Replayed]:
    files = pool_files.files(paths.POOL)
    for line in recorded:
        fetched = found[line["image_url"]].download
        web = SAME if fetched.sha256 == line["sha256"] else CHANGED if fetched.status == FETCHED else GONE
        target = _place(line, files)
        detail = fetched.detail and f"{fetched.status}: {fetched.detail}"
        yield Replayed(line["id"], web, detail, _kept(line, target, fetched.file if web == SAME else None, pinned))


def _place(line: Line, files: Mapping[str, Path]) -> Path:
    """Return where a recorded picture lies, whatever form its name is written in there, or would lie."""
    return files.get(line["id"], paths.POOL / line["id"])


def _kept(line: Line, target: Path, fetched: Path | None, pinned: "_Pinned") -> str:
    """See to it that the pool has the recorded bytes; say where they are from."""
    if target.is_file() and hashlib.sha256(target.read_bytes()).hexdigest() == line["sha256"]:
        return IN_POOL
    if fetched:
        paths.write_whole(target, fetched.read_bytes())  # another line may have the same bytes
        return FROM_WEB
    data = pinned.read(target)
    if hashlib.sha256(data).hexdigest() != line["sha256"]:
        return LOST
    paths.write_whole(target, data)
    return FROM_DVC


class _Pinned:
    """The pictures as data.dvc pins them, in DVC's cache or else a remote. Opened when first asked: most replays never do."""

    def __init__(self) -> None:
        self._repo: Any = None

    def read(self, file: Path) -> bytes:
        """Return the bytes of a file; nothing where neither has them."""
        from dvc.exceptions import DvcException
        from dvc.repo import Repo

        try:
            self._repo = self._repo or Repo(".")
            with self._repo.datafs.open(file.as_posix(), mode="rb") as opened:
                return bytes(opened.read())
        except (DvcException, OSError):
            return b""

    def close(self) -> None:
        """Let go of the repository."""
        if self._repo:
            self._repo.close()
