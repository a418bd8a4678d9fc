"""The change of the pool: written down whole, then done step by step, so that one cut off anywhere is taken up again.

The table first, then the files, then ATTRIBUTION.md; each is moved into place, so that no half of one is ever there.
"""

import errno
import hashlib
import shutil
from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ValidationError

from irisline.collection.snapshot import attribution
from irisline.collection.snapshot.journal import Journal
from irisline.collection.snapshot.source_lines import SourceLines
from irisline.core import paths
from irisline.core.errors import DataError
from irisline.dataset import pool_files, sources_table

PLAN = "plan.json"


class Plan(BaseModel):
    """What is to be done: digest of the table before; blobs by the ids they get; ids to remove; counts of what was fetched."""

    before: str
    place: dict[str, str]
    remove: list[str]
    tally: list[tuple[str, str, dict[str, int]]]


def files(folder: Path, classes: Iterable[str]) -> dict[str, Path]:
    """Return the pictures of the classes by id; raise DataError as pool_files.files does."""
    return {
        name: file
        for name, file in pool_files.files(folder).items()
        if name.partition("/")[0] in {*classes} and "/" in name
    }


def write_down(ledger: SourceLines, journal: Journal) -> None:
    """Write down what is to be done; from then on it will be, also by another run."""
    plan = Plan(
        before=_digest(paths.POOL / paths.SOURCES),
        place={identity: file.name for identity, file in ledger.added.items()},
        remove=ledger.removed,
        tally=[(label, provider, counts) for (label, provider), counts in ledger.tally.items()],
    )
    with paths.whole_folder(_folder(journal)) as folder:
        sources_table.write(folder / paths.SOURCES, ledger.lines)
        (folder / PLAN).write_text(plan.model_dump_json(), encoding="utf-8")


def take_up(journal: Journal, classes: Iterable[str]) -> list[tuple[str, str, dict[str, int]]] | None:
    """Do what is written down, whatever of it is done already; give the tally it was written with. None: nothing is.

    Where others changed the table before it was written, nothing is done: the run decides anew. Where they changed it
    after, theirs stays, and what it promises is filed.
    """
    folder = _folder(journal)
    if not (folder / PLAN).is_file():
        return None
    plan = _plan(folder / PLAN)
    table, written = paths.POOL / paths.SOURCES, folder / paths.SOURCES
    if written.is_file():
        if _digest(table) not in (plan.before, _digest(written)):
            shutil.rmtree(folder)
            return None
        move(written, table)
    known = sources_table.by_id(sources_table.read(table))
    promised = {name for name, line in known.items() if sources_table.is_fetched(line)}
    for identity, blob in plan.place.items():
        fetched = journal.blobs / Path(blob).name
        if identity in promised and fetched.is_file():
            move(fetched, paths.POOL / identity)
    present = pool_files.files(paths.POOL)
    for identity in plan.remove:
        if identity in present and identity not in promised:
            with paths.disk_errors(present[identity]):
                present[identity].unlink()
    attribute(folder, classes)
    return plan.tally


def attribute(folder: Path, classes: Iterable[str]) -> None:
    """Write ATTRIBUTION.md for the pool as it is, by way of a folder for what is half done."""
    classes = list(classes)
    lines = sources_table.read(paths.POOL / paths.SOURCES)
    paths.write_whole(folder / paths.ATTRIBUTION, attribution.text(lines, files(paths.POOL, classes), classes))
    move(folder / paths.ATTRIBUTION, paths.POOL / paths.ATTRIBUTION)


def move(source: Path, target: Path) -> None:
    """Move a file into place at once; between two file systems, by a copy beside the target."""
    with paths.disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            source.replace(target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            with source.open("rb") as read, paths.whole_file(target) as written:
                shutil.copyfileobj(read, written)
            source.unlink()


def _plan(file: Path) -> Plan:
    try:
        return Plan.model_validate_json(file.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        told = f"{'.'.join(map(str, first['loc'])) or 'the file'}: {first['msg']}"
        advice = f"remove the folder {file.parent}, then type the same command again"
        if not (file.parent / paths.SOURCES).is_file():  # it is in the pool already, and promises pictures that are not
            advice = f"type dvc checkout --force {paths.POOL}.dvc, {advice}"
        raise DataError(f"{file}: not a plan that was written here ({told}); {advice}") from error


def _folder(journal: Journal) -> Path:
    return journal.folder / "filing"


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""
