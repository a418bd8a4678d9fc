"""The pool people browse: data/<label>/<file> and sources.csv. Lists it and reads one picture; decides nothing about it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import imagehash

from irisline.core import class_names, display_names, paths
from irisline.core.errors import DataError, MissingInput, UnreadableImage
from irisline.core.params import Collect
from irisline.dataset import images, pool_files, sources_table, thumbnails, untrusted_images
from irisline.dataset.shards import Row

OWN = {"provider": "folder", "licence": "own"}  # a picture someone dropped in by hand
_TABLES = (paths.SOURCES, paths.TAKE_DOWNS, paths.LABEL_PATCHES)
_KEPT = {name: name for name in ("provider", "licence", "author", "page_url")}
_KEPT |= {"given_group": sources_table.GROUP, "given_split": sources_table.SPLIT}


@dataclass(frozen=True)
class Item:
    """One file of the pool, with what its source said of it and the limits of decoding."""

    path: Path
    id: str
    label: str
    source: Mapping[str, str]
    limits: Collect


def items(folder: Path, classes: list[str], limits: Collect) -> list[Item]:
    """Return the files of the pool, sorted by id.

    Raise MissingInput without the pool; DataError for a class without a folder or pictures, a folder that is no class,
    a file outside the class folders, what listing cannot read as DVC pins it, or a sources.csv that is wrong.
    """
    if not folder.is_dir():
        raise MissingInput(f"{folder}/: no pool here; type dvc pull data.dvc to fetch it")
    files = pool_files.files(folder)
    _check_folders(folder, files, classes)
    known = sources_table.by_id(sources_table.read(folder / paths.SOURCES))
    found = [_item(file, name, known, limits) for name, file in files.items() if "/" in name]
    _check_sources(folder, known, classes, found[0].id)
    return found


def without_picture(folder: Path, found: Iterable[Item]) -> list[str]:
    """Return the ids of the lines of sources.csv that promise a picture, where no item is."""
    promised = {line["id"] for line in sources_table.read(folder / paths.SOURCES) if sources_table.is_fetched(line)}
    return sorted(promised - {item.id for item in found})


def _item(file: Path, name: str, known: Mapping[str, Mapping[str, str]], limits: Collect) -> Item:
    return Item(file, name, name.split("/")[0], known.get(name, OWN), limits)


def read(item: Item) -> Row:
    """Return the row of one file, unreadable ones with the reason: what the collect stage keeps of it."""
    row: Row = {
        "id": item.id,
        "label": item.label,
        **{key: item.source.get(name) or None for key, name in _KEPT.items()},
    }
    try:
        data = untrusted_images.read(item.path)
        image = untrusted_images.decode(data, item.limits.max_side, item.limits.max_pixels)
    except (UnreadableImage, OSError) as error:
        return row | {"reason": str(error)}
    width, height, kind = images.header(data)
    return row | {
        "sha256": images.pixel_digest(image),
        "phash": str(imagehash.phash(image)),
        "thumbnail": thumbnails.of(image),
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


def _check_folders(folder: Path, files: Collection[str], classes: Sequence[str]) -> None:
    loose = [name for name in files if "/" not in name and name not in _TABLES and not name.endswith(".md")]
    if loose:
        raise DataError(
            f"{folder}/{display_names.shown(loose[0])}: not in a class folder; move it into {folder}/<class>/ or remove it"
        )
    filled = {name.split("/")[0] for name in files if "/" in name}
    if empty := [name for name in classes if name not in filled]:
        raise DataError(
            f"{folder}/{empty[0]}/: no pictures of class {empty[0]}; put some there, or change base.classes"
        )
    shown = (child for child in folder.iterdir() if child.is_dir() and not child.name.startswith("."))
    if unknown := sorted({display_names.same(child.name) for child in shown} - set(classes)):
        known = class_names.some(classes)
        place = f"{folder}/{display_names.shown(unknown[0])}/"
        raise DataError(f"{place}: not one of base.classes ({known}); add it there or move it")
