"""Pictures taken out of the pool because someone asked: which they are, and how they go, for good.

In an order that may be cut off anywhere: first it is remembered never to fetch them, then their lines forget whose they
were, then the files go; the same command again does what is left. Knows nothing of versions.
"""

import hashlib
import re
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from irisline.collection.snapshot import pool_change, replay
from irisline.collection.snapshot.journal import Journal, alone
from irisline.collection.snapshot.snapshot import pin
from irisline.collection.sources import text_cleaning
from irisline.core import display_names, paths
from irisline.core.errors import DataError, MissingInput
from irisline.core.params import Params
from irisline.dataset import pool_files, sources_table, take_downs
from irisline.dataset.sources_table import Line
from irisline.dataset.take_downs import STATUS, Rule, TakeDowns
from irisline.validation import fingerprints

# What is left of a line: enough to know the picture by, and what was kept under which licence. Not a title, an author, or
# what a person wrote into a column of their own.
_LEFT = tuple(name for name in sources_table.FIELDS if name not in ("title", "author"))
_SCRATCH = paths.SCRATCH / "take-down"
_ADDRESS = re.compile(r"https?://.*", re.IGNORECASE)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)

Files = Mapping[str, Path]  # by id


@dataclass(frozen=True)
class Removed:
    """A file that left the pool, and what finds its bytes elsewhere."""

    id: str
    md5: str  # the name of its bytes in DVC's cache and remotes
    pixels: str  # sha256; empty when it could not be decoded
    phash: str  # what finds its copies


@dataclass(frozen=True)
class Removal:
    """What a request came to."""

    kind: str  # what the pictures were named by: id, url, author or sha256
    ids: tuple[str, ...]  # of all that were meant; some were never fetched, or are gone already
    known: bool  # whether the pool or its tables know any of them
    removed: tuple[Removed, ...]
    alike: dict[str, list[str]]  # what shows the same and stays in the pool, by the id that was removed
    changed: bool  # False when all of it had been done before


def remove(settings: Params, what: str, reason: str, author: bool = False) -> Removal:
    """Take out of the pool what has this id, address, sha256 or author, and remember never to fetch it again.

    An address, a sha256 and what is said to be an author are remembered though the pool has no such picture. Raise
    MissingInput without the pool; DataError for what is neither of these nor an id, or when no reason is given.
    """
    if not paths.POOL.is_dir():
        raise MissingInput(f"{paths.POOL}/: no pool here; type dvc pull data.dvc to fetch it")
    what, reason = what.strip(), " ".join(reason.split())
    if not what or not reason:
        raise DataError('take-down: name what to remove, and --reason "why", which data/take_downs.csv keeps')
    with alone():
        return _remove(settings, what, reason, author)


def _remove(settings: Params, what: str, reason: str, author: bool) -> Removal:
    pool_change.take_up(
        Journal(paths.SNAPSHOT, settings), settings.base.classes
    )  # else the next snapshot would, too late
    lines, files = sources_table.read(paths.POOL / paths.SOURCES), _files()
    known = take_downs.read(paths.POOL / paths.TAKE_DOWNS)
    authors = {digest for line in lines for digest in _authors(line)} | {rule.author for rule in known.rules}
    asked = _asked(what, reason, settings.base.classes, authors, author)
    ids = {_name(what)} if asked.what == "id" else _meant(asked, known, lines, files)
    ids = _sharing(asked, ids, lines) | _cut_off(lines, files, known)
    going = {name: file for name, file in files.items() if name in ids}
    removed, alike = _look(settings, files, going)
    rules = [rule for rule in _rules(asked, sorted(ids), lines, going, removed) if rule.covered() and known.adds(rule)]
    left = [_forgotten(line) if line["id"] in ids else line for line in lines]
    if rules:
        take_downs.write(paths.POOL / paths.TAKE_DOWNS, [*known.rules, *rules])
    if left != lines:
        sources_table.write(paths.POOL / paths.SOURCES, left)
    for file in going.values():
        file.unlink()
    _finish(settings)
    heard_of = bool(ids & {*files, *(line["id"] for line in lines)})
    changed = bool(rules or going or left != lines)
    return Removal(asked.what, tuple(sorted(ids)), heard_of, removed, alike, changed)


def _cut_off(lines: Iterable[Line], files: Files, known: TakeDowns) -> set[str]:
    """Return what an earlier take-down had still to remove: not another picture that has come to its place since."""
    left = {line["id"] for line in lines if line.get("status") == STATUS and line["id"] in files}
    return {name for name in left if known.covers("", "", "", "", _digest("sha256", files[name]))}


def _finish(settings: Params) -> None:
    """Bring what follows from the pool up to date, whether or not it has changed: a removal before may have been cut off."""
    if (paths.POOL / paths.ATTRIBUTION).is_file():
        pool_change.attribute(_SCRATCH, settings.base.classes)
    shutil.rmtree(paths.ANSWERS, ignore_errors=True)  # they name authors
    for folder in (paths.SNAPSHOT, replay.FOLDER):  # they hold pictures
        Journal(folder, settings).drop()
    pin()


def _files() -> dict[str, Path]:
    """Return the pictures of the pool, of no class of params too; raise DataError as pool_files.files does."""
    return {name: file for name, file in pool_files.files(paths.POOL).items() if "/" in name}


def _asked(what: str, reason: str, classes: Collection[str], authors: Collection[str], author: bool) -> Rule:
    """Return what was asked as a rule, whatever way it was named; raise DataError when that cannot be told."""
    when, by = sources_table.now(), take_downs.author_digest(what)
    if not author and _name(what).partition("/")[0] in classes and "/" in _name(what):
        return Rule(when, "id", reason=reason)
    if not author and _ADDRESS.fullmatch(what):
        if not text_cleaning.address(what.replace(" ", "%20")):
            raise DataError(f"take-down: {what[:200]!r} is no address of the web; copy it again from the browser")
        return Rule(when, "url", image_url=what, reason=reason)
    if not author and _SHA256.fullmatch(what):
        return Rule(when, "sha256", sha256=what.lower(), reason=reason)
    if author or by in authors:
        return Rule(when, "author", author=by, reason=reason)
    raise DataError(
        f"{paths.POOL}: no picture is by {what!r}, which is no id, address or sha256; nothing was changed. "
        "To keep an author out who is not in the pool, add --author"
    )


def _name(what: str) -> str:
    return display_names.same(what.removeprefix(f"{paths.POOL}/"))


def _authors(line: Mapping[str, str]) -> set[str]:
    return {take_downs.author_digest(line["author"])} if line.get("author") else set()


def _meant(asked: Rule, known: TakeDowns, lines: Iterable[Line], files: Files) -> set[str]:
    """Return the ids of the lines that a rule covers, and of the files that have no line.

    Lines that lost their author to an earlier take-down are found by what was remembered of them then.
    """
    earlier = (rule.covered() for rule in known.rules if asked.author and rule.author == asked.author)
    covered = asked.covered().union(*earlier)
    ids = {line["id"] for line in lines if covered & _known_by(asked, line).covered()}
    if asked.sha256:
        ids |= {name for name, file in files.items() if _digest("sha256", file) == asked.sha256}
    return ids


def _sharing(asked: Rule, ids: Collection[str], lines: Collection[Line]) -> set[str]:
    """Return these ids, and those of all other lines of the same pictures: what was refused names its author too."""
    shared = {line["id"]: _rule(asked, line["id"], line).covered() for line in lines}
    covered = {key for name in ids for key in shared.get(name, ())}
    return {*ids, *(name for name, keys in shared.items() if keys & covered)}


def _rules(
    asked: Rule, ids: Collection[str], lines: Iterable[Line], going: Files, removed: Iterable[Removed]
) -> Iterator[Rule]:
    """Yield what is to be remembered: each picture by all it can be known by, or what was asked where there is none."""
    if not ids:
        yield asked
    known, seen = sources_table.by_id(lines), {one.id: one.phash for one in removed}
    for name in ids:
        rule = _rule(asked, name, known.get(name, {}))
        sha256 = _digest("sha256", going[name]) if name in going else rule.sha256
        yield replace(rule, author=asked.author, sha256=sha256, phash=seen.get(name) or rule.phash)


def _known_by(asked: Rule, line: Line) -> Rule:
    return replace(_rule(asked, line["id"], line), author="".join(_authors(line)))


def _rule(asked: Rule, name: str, line: Mapping[str, str]) -> Rule:
    """Return what a picture can be known by, without its author and paths of this machine.

    A page stands for it where it is of one picture, or was asked for: others show many.
    """
    provider, stem = line.get("provider") or "", Path(name).stem
    addresses = {key: line.get(key) or "" for key in ("image_url", "page_url")}
    page = addresses["page_url"]
    if not take_downs.shows_one_picture(page) and take_downs.address(page) != take_downs.address(asked.image_url):
        del addresses["page_url"]
    return Rule(
        asked.when,
        asked.what,
        provider=provider,
        provider_id=stem.removeprefix(f"{provider}-") if provider and stem.startswith(f"{provider}-") else "",
        **{key: url for key, url in addresses.items() if not url.startswith("file:")},
        sha256=line.get("sha256") or "",
        phash=line.get(sources_table.PHASH) or "",
        reason=asked.reason,
    )


def _forgotten(line: Line) -> Line:
    return {name: line.get(name) or "" if name in _LEFT else "" for name in line} | {"status": STATUS}


def _look(settings: Params, files: Files, going: Files) -> tuple[tuple[Removed, ...], dict[str, list[str]]]:
    """Return what is known of the files that go, and what stays and shows the same; the whole pool is looked at."""
    if not going:
        return (), {}
    seen = dict(zip(files, fingerprints.of_files(files.values(), settings.collect, settings.execution), strict=True))
    staying = fingerprints.Index(fingerprints.distance_of_removed(settings.split.near_duplicate_distance))
    for name in files.keys() - going.keys():
        staying.add(name, seen[name])
    removed = tuple(
        Removed(name, _digest("md5", file), seen[name].pixels, seen[name].written) for name, file in going.items()
    )
    alike = {name: sorted(staying.like(seen[name])) for name in going if not seen[name].reason}
    return removed, {name: others for name, others in alike.items() if others}


def _digest(algorithm: str, file: Path) -> str:
    with file.open("rb") as data:
        return hashlib.file_digest(data, algorithm).hexdigest()
