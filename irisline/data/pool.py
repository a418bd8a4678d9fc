"""The pool people browse: data/<label>/<file> and sources.csv. Lists it and reads one picture; decides nothing about it."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import imagehash

from irisline import paths
from irisline.data import images
from irisline.data.manifest import Row
from irisline.errors import DataError, MissingInput, UnreadableImage
from irisline.params import Collect

OWN = {"provider": "folder", "licence": "own"}  # a picture someone dropped in by hand
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

    Raise MissingInput without the pool, DataError for a class without a folder or pictures, or a folder that is no class.
    """
    if not folder.is_dir():
        raise MissingInput(f"{folder}/: no pool here; type dvc pull data.dvc to fetch it")
    files = {name: _pictures(folder / name) for name in classes}
    _check_folders(folder, files)
    known = sources(folder / paths.SOURCES)
    found = (_item(file, folder, known, limits) for name in classes for file in files[name])
    return sorted(found, key=lambda item: item.id)


def _pictures(folder: Path) -> list[Path]:
    """Give the files below a folder; a hidden one is some program's note, not a picture."""
    return [file for file in folder.rglob("*") if file.is_file() and not file.name.startswith(".")]


def _item(file: Path, folder: Path, known: Mapping[str, Mapping[str, str]], limits: Collect) -> Item:
    name = file.relative_to(folder).as_posix()
    return Item(file, name, name.split("/")[0], known.get(name, OWN), limits)


def sources(file: Path) -> dict[str, dict[str, str]]:
    """Give what sources.csv says of each picture, by id; none when there is no such file."""
    if not file.is_file():
        return {}
    try:
        text = file.read_text(encoding="utf-8-sig")  # spreadsheets put a mark before the first column's name
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: not UTF-8: {error.reason} at byte {error.start}; save it as UTF-8") from error
    reader = csv.DictReader(io.StringIO(text, newline=""))
    missing = {"id", "licence"} - set(reader.fieldnames or ())
    if missing:
        raise DataError(f"{file}: no column {', '.join(sorted(missing))}; its first line names the columns")
    return {row["id"]: row for row in reader}


def read(item: Item) -> Row:
    """Give the row of one file, unreadable ones with the reason: what the collect stage keeps of it."""
    row: Row = {"id": item.id, "label": item.label, **{key: item.source.get(key) or None for key in _KEPT}}
    try:
        data = item.path.read_bytes()
        image = images.decode(data, item.limits.max_side, item.limits.max_pixels)
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


def _check_folders(folder: Path, files: Mapping[str, list[Path]]) -> None:
    present = {child.name for child in folder.iterdir() if child.is_dir() and not child.name.startswith(".")}
    if empty := [name for name, pictures in files.items() if not pictures]:
        raise DataError(
            f"{folder}/{empty[0]}/: no pictures of class {empty[0]}; put some there, or change base.classes"
        )
    if strangers := sorted(present - set(files)):
        raise DataError(
            f"{folder}/{strangers[0]}/: not one of base.classes ({', '.join(files)}); add it there or move it"
        )
