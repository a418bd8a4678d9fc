"""How a data set lies on a disk: which pictures there are, of which class, and in which split if that is given.

Reads folders and tables of labels; opens no picture and writes nothing.
"""

import csv
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from irisline.core import display_names
from irisline.core.errors import DataError

KINDS = (".jpg", ".jpeg", ".png", ".webp")
SPLITS: Mapping[str, str] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("valid", "validation", "val", "dev"), "valid"),
    **dict.fromkeys(("test", "testing"), "test"),
}
"""Names of folders that are no classes but splits, in small letters, and what each is called here."""
TABLES = (".csv", ".tsv", ".parquet")
_FILE_COLUMNS = ("file", "filename", "file_name", "image", "image_id", "id", "path", "img", "image_path")
_LABEL_COLUMNS = ("label", "class", "category", "target", "breed", "species", "labels", "class_name")
_MISSING_SHOWN = 3


@dataclass(frozen=True)
class Picture:
    """A file, its class, where it is to lie below that class's folder, and its split if one is given."""

    file: Path
    label: str
    name: str
    split: str = ""


@dataclass(frozen=True)
class Layout:
    """The pictures of a data set and, in sentences, how they were found."""

    pictures: tuple[Picture, ...]
    notes: tuple[str, ...]

    @property
    def classes(self) -> list[str]:
        """The names of the classes, sorted; whole numbers by their value."""
        return sorted({picture.label for picture in self.pictures}, key=_in_order)


def read(folder: Path, class_level: int | None = None, labels: Path | None = None) -> Layout:
    """Return the pictures of a folder by the table of labels that is given or lies there, else by its folders.

    The class is the folder at class_level, 1 being the first below the folder or below its splits; without one it is the
    deepest level at which every picture has a folder. Raise DataError when there are no pictures or no two classes.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; name the one that holds your pictures")
    found = {file.relative_to(folder).as_posix(): file for file in _files(folder)}
    table = labels or (_table_of(folder) if class_level is None else None)
    pictures, notes = _by_table(folder, found, table) if table else _by_folders(folder, found, class_level)
    layout = Layout(tuple(pictures), (*notes, *_left_out(folder)))
    if len(layout.classes) < 2:
        only = f"all {len(pictures)} pictures are of class {layout.classes[0]}" if pictures else "no pictures in it"
        raise DataError(
            f"{folder}: {only}; a classifier needs two classes: a folder of JPEG, PNG or WebP files for each, "
            "or a table of labels (--labels FILE)"
        )
    return layout


def _in_order(name: str) -> tuple[int, int, str]:
    return (0, int(name), name) if name.isdecimal() and name.isascii() else (1, 0, name)


def _walk(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(place, name) for name in sorted(names) if not name.startswith("."))


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in _walk(folder) if file.suffix.lower() in KINDS and file.is_file())


def _left_out(folder: Path) -> Iterator[str]:
    others = Counter(file.suffix.lower() or "no ending" for file in _walk(folder) if file.suffix.lower() not in KINDS)
    others = Counter({kind: count for kind, count in others.items() if kind not in (*TABLES, ".md", ".txt")})
    if others:
        told = ", ".join(f"{count} of {kind}" for kind, count in others.most_common(5))
        yield f"{others.total()} other files stay out ({told}): pictures are JPEG, PNG or WebP files"


def _by_folders(
    folder: Path, found: Mapping[str, Path], class_level: int | None
) -> tuple[list[Picture], tuple[str, ...]]:
    splits = _split_folders(folder)
    parted = {name: _below(name, splits) for name in found}
    depths = Counter(len(parts) - 1 for _, parts in parted.values())
    if not depths:
        return [], ()
    level = min(depths) if class_level is None else class_level
    shallow = next((name for name, (_, parts) in parted.items() if len(parts) - 1 < level), None)
    if level < 1 or shallow is not None:
        where = f"{folder}/{display_names.shown(shallow or next(iter(found)))}"
        raise DataError(
            f"{where}: lies in no class folder at level {max(level, 1)}; move it into one, or give a table of labels "
            "(--labels FILE)"
        )
    names = _class_names([parts[:level] for _, parts in parted.values()])
    pictures = [
        Picture(found[name], names[tuple(parts[:level])], _name(name, parts[level:], split), split)
        for name, (split, parts) in parted.items()
    ]
    return pictures, tuple(_notes(parted, splits, level, max(depths)))


def _name(name: str, rest: Sequence[str], split: str) -> str:
    """Return where a picture lies below its class: two splits may have files of one name."""
    return "/".join([name.split("/")[0], *rest] if split else rest)


def _notes(
    parted: Mapping[str, tuple[str, list[str]]], splits: Mapping[str, str], level: int, deepest: int
) -> Iterator[str]:
    if splits:
        told = ", ".join(f"{name}/ is {split}" for name, split in splits.items())
        yield f"the folders of splits are kept as splits ({told})"
    if deepest > 1:
        counts = {
            each: len({tuple(parts[:each]) for _, parts in parted.values() if len(parts) > each})
            for each in range(1, deepest + 1)
        }
        others = ", ".join(f"{count} at level {each}" for each, count in counts.items() if each != level)
        yield f"the class is the folder at level {level}: {counts[level]} classes ({others}: --class-level)"


def _split_folders(folder: Path) -> dict[str, str]:
    """Return the split of each folder below, when each is a split and has folders of its own; else nothing."""
    below = sorted(child for child in folder.iterdir() if child.is_dir() and not child.name.startswith("."))
    splits = {child.name: SPLITS.get(child.name.lower(), "") for child in below}
    filled = all(any(inner.is_dir() for inner in child.iterdir()) for child in below if splits[child.name] != "test")
    return splits if len(splits) > 1 and all(splits.values()) and filled else {}


def _below(name: str, splits: Mapping[str, str]) -> tuple[str, list[str]]:
    first, *rest = name.split("/")
    return (splits[first], rest) if first in splits else ("", [first, *rest])


def _class_names(places: Sequence[Sequence[str]]) -> dict[tuple[str, ...], str]:
    """Return the class of each place: its last folder's name, with those above it where two places end alike."""
    distinct = sorted({tuple(place) for place in places})
    ends = Counter(place[-1] for place in distinct)
    return {place: display_names.same(place[-1] if ends[place[-1]] == 1 else "-".join(place)) for place in distinct}


def _table_of(folder: Path) -> Path | None:
    """Return the table of labels that lies in a folder: the only one with a column of files and one of labels."""
    tables = [file for file in sorted(folder.iterdir()) if file.suffix.lower() in TABLES and file.is_file()]
    fitting = [file for file in tables if _columns(_header(file))]
    named = [file for file in fitting if file.stem.lower() in ("labels", "train", "train_labels", "annotations")]
    return next(iter(named or fitting), None)


def _header(file: Path) -> list[str]:
    if file.suffix.lower() == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            return list(pq.read_schema(file).names)
        except (pa.ArrowInvalid, OSError):
            return []
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            return next(csv.reader(opened, delimiter=_delimiter(file)), [])
    except (UnicodeDecodeError, csv.Error):
        return []


def _delimiter(file: Path) -> str:
    return "\t" if file.suffix.lower() == ".tsv" else ","


def _columns(header: Sequence[str]) -> tuple[str, str, str | None] | None:
    """Return the columns of a table that hold files, labels and splits; nothing when the first two are not there."""
    known = {name.strip().lower(): name for name in header}
    file = next((known[name] for name in _FILE_COLUMNS if name in known), None)
    label = next((known[name] for name in _LABEL_COLUMNS if name in known), None)
    return (file, label, known.get("split")) if file and label and file != label else None


def _by_table(folder: Path, found: Mapping[str, Path], table: Path) -> tuple[list[Picture], tuple[str, ...]]:
    columns = _columns(_header(table))
    if columns is None:
        raise DataError(
            f"{table}: no table of labels: it needs a column of files ({', '.join(_FILE_COLUMNS[:4])} …) and one of "
            f"labels ({', '.join(_LABEL_COLUMNS[:4])} …)"
        )
    file_column, label_column, split_column = columns
    named = _names(found)
    pictures, missing = [], []
    for row in _rows(table):
        place = named.get(display_names.same(str(row[file_column]).strip()))
        label = display_names.same(str(row[label_column]).strip())
        if place is None or not label:
            missing.append(str(row[file_column]))
            continue
        split = SPLITS.get(str(row.get(split_column) or "").strip().lower(), "") if split_column else ""
        pictures.append(Picture(found[place], label, place, split))
    if twice := [name for name, count in Counter(picture.name for picture in pictures).items() if count > 1]:
        raise DataError(f"{table}: {display_names.shown(twice[0])} has several lines; a picture has one class")
    notes = [f"classes are those of {table.name}: column {label_column}, files in column {file_column}"]
    if missing:
        shown = ", ".join(map(display_names.shown, missing[:_MISSING_SHOWN]))
        notes.append(f"{len(missing)} lines of {table.name} name no picture in {folder} or no class, such as {shown}")
    if without := len(found) - len(pictures):
        notes.append(f"{without} pictures have no line in {table.name} and stay out")
    return pictures, tuple(notes)


def _rows(table: Path) -> Iterator[Mapping[str, object]]:
    if table.suffix.lower() == ".parquet":
        import pyarrow.parquet as pq

        yield from pq.read_table(table).to_pylist()
        return
    with table.open(encoding="utf-8-sig", newline="") as opened:
        yield from csv.DictReader(opened, delimiter=_delimiter(table))


def _names(found: Mapping[str, Path]) -> dict[str, str]:
    """Return the picture that a table means by each name: its path, its file's name, or that without an ending."""
    named = {display_names.same(name): name for name in found}
    for ends in ({name: Path(name).name for name in found}, {name: Path(name).stem for name in found}):
        counts = Counter(map(display_names.same, ends.values()))
        for name, end in ends.items():
            if counts[same := display_names.same(end)] == 1:
                named.setdefault(same, name)
    return named
