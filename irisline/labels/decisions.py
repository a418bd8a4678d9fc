"""data/label_patches.csv: what people decided about labels, one line each, to be applied whenever pictures are collected.

A decision is about a picture's pixels, whatever its file is called and in whichever folder it lies, so pictures that are
fetched again keep theirs. Owns the columns, the way to disk and what a decision does to a row. Knows nothing of models.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from itertools import pairwise
from pathlib import Path
from typing import Self

from irisline.core import class_names, locks, paths
from irisline.core.display_names import same
from irisline.core.errors import DataError
from irisline.dataset import tables
from irisline.dataset.shards import Row

ACTIONS = ("accept", "reject", "set")
NEEDED = {"id", "sha256", "action", "label"}


@dataclass(frozen=True)
class Patch:
    """One decision. Without sha256, as a person may write it, it is about whatever lies at its id."""

    id: str  # the path below data/ when it was decided
    sha256: str  # of the pixels
    action: str
    label: str = ""  # what the picture shows: as it was when accepted, the new one when set
    previous: str = ""
    who: str = ""
    when: str = ""
    why: str = ""
    confidence: str = ""  # the model's in the previous label
    line: int = field(default=0, compare=False)

    @property
    def picture(self) -> str:
        """What the decision is about."""
        return self.sha256 or self.id

    @property
    def names(self) -> tuple[str, ...]:
        """By what an earlier line may be about the same picture."""
        return tuple(name for name in (self.sha256, self.id) if name)

    @property
    def decision(self) -> str:
        """What it comes to, in words."""
        return f"{self.action} {self.label}".strip()


FIELDS = tuple(each.name for each in fields(Patch) if each.name != "line")


class Patches:
    """The decisions of a file, and which of them found their picture."""

    def __init__(self, file: Path, patches: Iterable[Patch]) -> None:
        self.file = file
        self._of = {patch.picture: patch for patch in patches}
        self._used: set[str] = set()

    @classmethod
    def read(cls, file: Path, classes: Sequence[str]) -> Self:
        """Return the decisions of a file; raise DataError as `read` does."""
        return cls(file, read(file, classes))

    def __len__(self) -> int:
        return len(self._of)

    @property
    def unused(self) -> int:
        """How many found no picture so far."""
        return len(self._of.keys() - self._used)

    def of(self, row: Row) -> Patch | None:
        """Return the decision about a row's picture: by its pixels, else by its id. Raise DataError when the two differ."""
        found = [self._of[key] for key in (row.get("sha256"), row["id"]) if key in self._of]
        self._used.update(patch.picture for patch in found)
        _check_agreed(self.file, found)
        return found[0] if found else None

    def applied(self, row: Row) -> Row:
        """Return a collected row as people decided: with its label and that it was reviewed, or the reason to reject it."""
        patch = self.of(row)
        if patch is None or row.get("reason"):
            return row
        who = patch.who or "a person"
        if patch.action == "reject":
            return row | {"reason": f"rejected by {who}: {patch.why or 'no reason given'}", "image": None}
        return row | {"label": patch.label or row["label"], "reviewed": f"{patch.action} by {who}"}


def read(file: Path, classes: Sequence[str]) -> list[Patch]:
    """Return the decisions in their order; none when there is no such file.

    Raise DataError for a table that is not UTF-8, not CSV or lacks a column, for a line that decides nothing, and for two
    that decide differently about one picture.
    """
    patches = [_patch(raw, number, file, classes) for number, raw in _lines(file)]
    first: dict[str, Patch] = {}
    for patch in patches:
        _check_agreed(file, (first.setdefault(patch.picture, patch), patch))
    return patches


def append(file: Path, added: Iterable[Patch], classes: Sequence[str], replace: bool = False) -> list[Patch]:
    """Add decisions to the file, whole or not at all, and give those that were not in it; one already there stays.

    Raise DataError as `read` does, and where a picture has another decision already, unless that is to be replaced.
    """
    with _alone(file):
        known = {patch.picture: patch for patch in read(file, classes)}
        decided = _told_once(added)
        fresh = [patch for patch in decided if not (old := _before(patch, known)) or old.decision != patch.decision]
        if (clash := [old for patch in fresh if (old := _before(patch, known))]) and not replace:
            raise DataError(
                f"{file}: line {clash[0].line} says {clash[0].decision} of {clash[0].id} already "
                f"({clash[0].who or 'no name'}, {clash[0].when or 'no time'}); give --replace to decide anew"
            )
        if fresh:
            gone = {name for patch in fresh for name in patch.names}
            kept = [raw for _, raw in _lines(file) if not _told(raw, gone)]
            tables.write(
                file, FIELDS, [*kept, *({name: str(asdict(patch)[name]) for name in FIELDS} for patch in fresh)]
            )
    return fresh


def _before(patch: Patch, known: Mapping[str, Patch]) -> Patch | None:
    """Return the decision about the same picture, whether the lines name it by its pixels or by its id."""
    return next((known[name] for name in patch.names if name in known), None)


def _told(raw: Mapping[str, str], names: Collection[str]) -> bool:
    return (raw["sha256"].strip() or same(raw["id"])) in names


def _told_once(added: Iterable[Patch]) -> list[Patch]:
    told: dict[str, Patch] = {}
    for patch in added:
        if told.setdefault(patch.picture, patch).decision != patch.decision:
            raise DataError(f"{patch.id}: named twice, with different decisions; name it once")
    return list(told.values())


def _check_agreed(file: Path, patches: Sequence[Patch]) -> None:
    for before, patch in pairwise(patches):
        if before.decision != patch.decision:
            raise DataError(
                f"{file}: lines {before.line} and {patch.line} decide differently about {patch.id or patch.sha256} "
                f"({before.decision}; {patch.decision}); drop one of them"
            )


def _patch(raw: Mapping[str, str], number: int, file: Path, classes: Sequence[str]) -> Patch:
    cells = {name: raw.get(name, "").strip() for name in FIELDS}
    patch = Patch(
        **cells | {"id": same(raw["id"]), "label": same(raw.get("label", "").strip())}, line=number
    )  # a file's name may end with a space
    if patch.action not in ACTIONS:
        raise DataError(f"{file}: line {number}: action is {patch.action!r}, must be one of {', '.join(ACTIONS)}")
    if not patch.picture:
        raise DataError(f"{file}: line {number}: neither sha256 nor id; say which picture it is about, or drop it")
    if patch.label not in classes and (patch.label or patch.action == "set"):
        raise DataError(
            f"{file}: line {number}: label is {patch.label!r}, must be one of base.classes ({class_names.some(classes)})"
        )
    return patch


def _lines(file: Path) -> list[tuple[int, dict[str, str]]]:
    return tables.read(file, NEEDED) if file.is_file() else []


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Let one program at a time change the file: each reads it before it writes it."""
    with locks.held(paths.SCRATCH / "locks" / file.name):
        yield
