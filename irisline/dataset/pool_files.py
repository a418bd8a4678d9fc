"""The files of the pool, by id: the one place that walks through data/, for whoever reads, searches or changes it.

It sees what DVC pins, or says why it cannot. Measured with DVC 3.67.1: a link to a file is pinned by what it leads to, and
replaced by it; a link to a folder is pinned as nothing; a link that leads nowhere ends dvc add. Knows nothing of classes.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from irisline.core import display_names
from irisline.core.errors import DataError


def files(folder: Path) -> dict[str, Path]:
    """Return the files below a folder, sorted by id: their path below it, in the one form names are compared in.

    None where there is no folder. What is hidden is some program's note, and left out. Raise DataError for a link that DVC
    does not pin, for what is neither file nor folder, for a name that is not UTF-8, and for two that are the same but for
    their Unicode form.
    """
    if not folder.exists():
        return {}
    if folder.is_symlink():
        raise DataError(f"{folder}: is a link, and DVC pins nothing through it; put the folder itself here")
    found: dict[str, Path] = {}
    for file in sorted(_walk(folder)):
        name = display_names.same(file.relative_to(folder).as_posix())
        if name in found:
            place = f"{folder}/{display_names.shown(name)}"
            raise DataError(f"{place}: there twice, written in two Unicode forms; rename one of them, or remove it")
        found[name] = file
    return dict(sorted(found.items()))


def _walk(folder: Path) -> Iterator[Path]:
    for place, folders, inside in os.walk(folder, onerror=_unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for file in (Path(place, name) for name in (*folders, *inside) if not name.startswith(".")):
            _check(file)
            if not file.is_dir():
                yield file


def _check(file: Path) -> None:
    told = f"{file.parent}/{display_names.shown(file.name)}"
    if (name := os.fsencode(file.name).decode("utf-8", "backslashreplace")) != file.name:
        raise DataError(f"{file.parent}/{name}: its name is not UTF-8; rename it")
    if file.is_dir():
        if file.is_symlink():
            raise DataError(
                f"{told}: a link to the folder {file.readlink()}, which DVC does not pin; copy the folder here in its place"
            )
    elif not file.exists():
        raise DataError(
            f"{told}: a link that leads nowhere, at which DVC stops; remove it, or put the picture in its place"
        )
    elif not file.is_file():
        raise DataError(f"{told}: neither a file nor a folder; remove it")


def _unreadable(error: OSError) -> NoReturn:
    raise DataError(f"{error.filename}: {error.strerror}; mind who owns the folder") from error
