"""The pool people browse: data/<label>/<file> and sources.csv. Lists it and reads one picture; decides nothing about it."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import imagehash

from irisline import paths
from irisline.data import images, provenance, strangers
from irisline.data.manifest import Row
from irisline.errors import DataError, MissingInput, UnreadableImage
from irisline.params import Collect

OWN = {"provider": "folder", "licence": "own"}  # a picture someone dropped in by hand
_TABLES = (paths.SOURCES, paths.TAKE_DOWNS, paths.LABEL_PATCHES)
_KEPT = ("provider", "licence", "author", "page_url")


@dataclass(frozen=True)
class Item:
    """One file of the pool, with what its source said of it and the limits of decoding."""

    path: Path
    id: str
    label: str
    source: Mapping[str, str]
    limits: Collect


def items(folder: Path, classes: list[str], limits: Collect) -> list[Item]:
    """Give the files of the pool, sorted by id.

    Raise MissingInput without the pool; DataError for a class without a folder or pictures, a folder that is no class,
    a file outside the class folders or whose name is not UTF-8, or a sources.csv that is wrong.
    """
    if not folder.is_dir():
        raise MissingInput(f"{folder}/: no pool here; type dvc pull data.dvc to fetch it")
    files = {name: _pictures(folder / name) for name in classes}
    _check_folders(folder, files)
    known = provenance.by_id(provenance.read(folder / paths.SOURCES))
    found = [_item(file, folder, known, limits) for name in classes for file in files[name]]
    _check_sources(folder, known, classes, min(item.id for item in found))
    return sorted(found, key=lambda item: item.id)


def _pictures(folder: Path) -> list[Path]:
    """Give the files below a folder, and the links to none; what is hidden is some program's note, not a picture."""
    shown = (file for file in folder.rglob("*") if not _hidden(file.relative_to(folder)))
    return [file for file in shown if file.is_file() or (file.is_symlink() and not file.exists())]


def _hidden(file: Path) -> bool:
    return any(part.startswith(".") for part in file.parts)


def _item(file: Path, folder: Path, known: Mapping[str, Mapping[str, str]], limits: Collect) -> Item:
    name = file.relative_to(folder).as_posix()
    return Item(file, name, name.split("/")[0], known.get(name, OWN), limits)


def read(item: Item) -> Row:
    """Give the row of one file, unreadable ones with the reason: what the collect stage keeps of it."""
    row: Row = {"id": item.id, "label": item.label, **{key: item.source.get(key) or None for key in _KEPT}}
    try:
        data = item.path.read_bytes()
        image = strangers.decode(data, item.limits.max_side, item.limits.max_pixels)
    except (UnreadableImage, OSError) as error:
        return row | {"reason": str(error)}
    width, height, kind = images.header(data)
    return row | {
        "sha256": images.pixel_digest(image),
        "phash": str(imagehash.phash(image)),
        "width": width,
        "height": height,
        "format": kind,
        "image": images.encode(image),
    }


def _check_sources(folder: Path, known: Iterable[str], classes: Iterable[str], example: str) -> None:
    """Refuse ids that can name no picture. One whose picture was removed since may stay: it hides nothing."""
    if stray := [name for name in known if name.split("/")[0] not in classes]:
        raise DataError(
            f"{folder / paths.SOURCES}: {stray[0]!r} is in no class folder; ids are paths below {folder}/, "
            f"such as {example}: drop the line or fix the id"
        )


def _check_names(folder: Path, files: Iterable[Path]) -> None:
    for file in files:
        name = os.fsencode(file.relative_to(folder)).decode("utf-8", "backslashreplace")
        if name != file.relative_to(folder).as_posix():
            raise DataError(f"{folder}/{name}: its name is not UTF-8; rename it")


def _check_folders(folder: Path, files: Mapping[str, list[Path]]) -> None:
    shown = sorted(child for child in folder.iterdir() if not _hidden(child.relative_to(folder)))
    _check_names(folder, [*shown, *chain(*files.values())])
    present = {child.name for child in shown if child.is_dir()}
    loose = [child.name for child in shown if child.name not in present]
    if pictures := [name for name in loose if name not in _TABLES and not name.endswith(".md")]:
        raise DataError(f"{folder}/{pictures[0]}: not in a class folder; move it into {folder}/<class>/ or remove it")
    if empty := [name for name, pictures in files.items() if not pictures]:
        raise DataError(
            f"{folder}/{empty[0]}/: no pictures of class {empty[0]}; put some there, or change base.classes"
        )
    if strangers := sorted(present - set(files)):
        raise DataError(
            f"{folder}/{strangers[0]}/: not one of base.classes ({', '.join(files)}); add it there or move it"
        )
