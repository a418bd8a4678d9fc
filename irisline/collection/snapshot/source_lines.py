"""The lines of sources.csv while a snapshot works on them, and which of their files are in the pool. Touches no file."""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import Path

from irisline.collection.snapshot.journal import Recorded
from irisline.collection.sources.candidate import Candidate
from irisline.core.display_names import same
from irisline.dataset import sources_table
from irisline.dataset.sources_table import FETCHED, PHASH, Line, is_fetched

# Statuses beside those of a download.
LICENCE_REFUSED = "licence_refused"
RESTRICTED = "restricted"
DUPLICATE = "duplicate"
CONFLICT = "conflict"  # the same picture under two labels, kept under neither
TAKEN_DOWN = "taken_down"

FOR_GOOD = (CONFLICT, TAKEN_DOWN)  # not tried again, however often it is asked for
_ENDING = re.compile(r"\.(jpe?g|png|webp)$", re.IGNORECASE)
LONGEST = 150  # signs of a file's name, far below what any file system takes
LONGEST_CELL = 10_000  # signs of a cell; what reads CSV stops at 131,072


def stem(label: str, provider: str, provider_id: str) -> str:
    """Return what a picture is filed as, without the ending: <label>/<provider>-<id made safe>."""
    provider_id = same(provider_id)
    safe = re.sub(r"[^0-9A-Za-z_]+", "-", provider_id).strip("-")[:LONGEST]
    if safe != provider_id:  # two ids may come to the same
        safe = f"{safe}-{hashlib.sha256(provider_id.encode()).hexdigest()[:8]}".strip("-")
    return f"{label}/{provider}-{safe}"


def stem_of(identity: str) -> str:
    """Return the stem of an id."""
    return _ENDING.sub("", identity)


def label_of(identity: str) -> str:
    """Return the class an id, or a stem, lies in."""
    return identity.split("/")[0]


class SourceLines:
    """One line for each picture that was ever considered, and the ids of the files that are in the pool."""

    def __init__(self, lines: Iterable[Line], present: Iterable[str]) -> None:
        self.lines = list(lines)
        places = sorted(range(len(self.lines)), key=lambda place: is_fetched(self.lines[place]))
        self._place = {stem_of(self.lines[place]["id"]): place for place in places}
        self.present = {stem_of(identity): identity for identity in present}
        self.changed = False
        self.added: dict[str, Path] = {}  # what is to be filed, by id
        self.removed: list[str] = []  # ids
        self.details: dict[str, str] = {}  # why, in a sentence, by stem
        self.tally: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)  # by label and provider

    def line(self, name: str) -> Line | None:
        """Return the line of a stem."""
        place = self._place.get(name)
        return None if place is None else self.lines[place]

    def status(self, name: str) -> str:
        """Return the status of a stem; nothing where there is no line."""
        line = self.line(name)
        return "" if line is None else line.get("status") or FETCHED

    def absent(self, status: str) -> dict[str, Line]:
        """Return the lines of a status, by stem, whose file is not in the pool."""
        return {
            name: self.lines[place]
            for name, place in self._place.items()
            if self.status(name) == status and name not in self.present
        }

    def held(self, label: str, providers: Collection[str]) -> int:
        """Return how many pictures of a class are in the pool from these providers."""
        fetched = (line for line in self.lines if is_fetched(line) and line.get("provider") in providers)
        ids = {line["id"] for line in fetched if label_of(line["id"]) == label}
        return len(ids & set(self.present.values()))

    def is_from_a_search(self, name: str) -> bool:
        """Whether a snapshot fetched this picture: a person's own, and one without an address, is not ours to remove."""
        line = self.line(name) or {}
        return line.get("status") == FETCHED and bool(line.get("image_url")) and line.get("licence") != "own"

    def refuse(
        self, candidate: Candidate, status: str, detail: str, noted: Recorded | None = None, phash: str = ""
    ) -> None:
        """Note that a candidate is not taken, and why."""
        name = stem(candidate.query.label, candidate.provider, candidate.provider_id)
        self.details[name] = detail
        if status == TAKEN_DOWN:  # whose it was is what they asked to be forgotten
            candidate = replace(candidate, title="", author="")
        self._put(name, _line(candidate, name, status, noted, phash))

    def accept(self, candidate: Candidate, noted: Recorded, phash: str) -> str:
        """Note that a candidate is taken; give its stem."""
        name = stem(candidate.query.label, candidate.provider, candidate.provider_id)
        identity = f"{name}.{noted.download.kind}"
        assert noted.download.file is not None  # it was fetched
        self.added[identity], self.present[name] = noted.download.file, identity
        self._put(name, _line(candidate, identity, FETCHED, noted, phash))
        return name

    def take_out(self, name: str, detail: str) -> None:
        """Note that a picture of the pool shows what another label shows too: it is kept under neither."""
        line = self.lines[self._place[name]]
        identity = self.present.pop(name)
        if self.added.pop(identity, None) is None:
            self.removed.append(identity)
        else:
            self.tally[label_of(name), line["provider"]][FETCHED] -= 1
        self.details[name] = detail
        self._put(name, line | {"id": name, "status": CONFLICT})

    def _put(self, name: str, line: Line) -> None:
        self.changed = True
        self.tally[label_of(name), line["provider"]][line["status"]] += 1
        if name in self._place:
            self.lines[self._place[name]] = line
        else:
            self._place[name] = len(self.lines)
            self.lines.append(line)


def _line(candidate: Candidate, identity: str, status: str, noted: Recorded | None, phash: str) -> Line:
    found = noted.download if noted else None
    values = {
        "id": identity,
        "query": candidate.query.text,
        "rank": candidate.rank,
        "sha256": found.sha256 if found else "",
        "bytes": found.bytes or "" if found else "",
        "width": found.width or "" if found else "",
        "height": found.height or "" if found else "",
        "fetched_at": noted.at if noted else "",
        "status": status,
    }
    known = {name: values.get(name, getattr(candidate, name, "")) for name in sources_table.FIELDS}
    return {name: _cell(str(value)) for name, value in known.items()} | ({PHASH: phash} if phash else {})


def _cell(value: str) -> str:
    """Return what others wrote as one line that can be written and read again, however it was meant."""
    return " ".join(value.encode("utf-8", "replace").decode().replace("\0", "").split())[:LONGEST_CELL]
