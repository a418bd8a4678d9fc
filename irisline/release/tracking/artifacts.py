"""Files behind the addresses that a store tells: brought within a bound, and written only where the store keeps its own.

Whoever writes to the database chooses the addresses, so that none is believed. Knows nothing of what the files hold.
"""

import os
import re
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from irisline.core import paths
from irisline.core.errors import NotFound, ReleaseError
from irisline.networks import version_limits
from irisline.release.tracking import store

_LONGEST = 300  # characters of what is told of a failure


def bring(address: str, target: Path, most: int = version_limits.ALL_BYTES) -> Path:
    """Return a folder of the store, brought into another of this machine; its entries may be folders of files.

    Raise NotFound when it cannot be had or has more than so many bytes or files, ReleaseError when the disk is full.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    try:
        size, count = _size(address)
        if size > most or count > version_limits.FILES:
            raise NotFound(
                f"{address}: {size} bytes in {count} files, the limits are {most} and {version_limits.FILES}"
            )
        return Path(mlflow.artifacts.download_artifacts(address, dst_path=str(target)))
    except (MlflowException, OSError, ValueError) as error:
        if full := paths.disk_failure(error, target.parent.absolute()):  # the target itself is often there for once
            raise ReleaseError(full) from error
        raise NotFound(_of_file(error)) from error


def writable(address: str) -> str:
    """Return an address that may be written to; raise ReleaseError for a folder of this machine that is not the store's."""
    place = folder_of(address)
    if place is not None and not place.is_relative_to(store.home() / store.FILES):
        raise ReleaseError(
            f"{address[:200]}: lies outside of {store.home() / store.FILES}, and nothing is written there; "
            "correct the address in the store, or restore a copy of its database"
        )
    return address


def folder_of(address: str) -> Path | None:
    """Return the folder of this machine that an address points to, None where it points elsewhere.

    Raise ReleaseError for an address that makes no sense.
    """
    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise ReleaseError(f"{address[:200]!r}: no address of files ({error})") from error
    if parts.scheme not in ("", "file"):
        return None
    if parts.query or parts.fragment or parts.netloc not in ("", "localhost"):
        raise ReleaseError(f"{address[:200]!r}: no address of a folder")
    return Path(os.path.normpath(unquote(parts.path)))


def _of_file(error: Exception) -> str:
    """Return what an error says of the first file that could not be had: its end, for MLflow begins with long addresses."""
    first = re.split("##### File ", str(error))[:2][-1].replace(" #####", ":")
    return " ".join(first.split())[-_LONGEST:] or type(error).__name__


def _size(address: str, below: bool = True) -> tuple[int, int]:
    """Return the bytes and the files of a folder, as the store tells them; raise NotFound for a folder that is too deep."""
    import mlflow

    size, count = 0, 0
    for found in mlflow.artifacts.list_artifacts(artifact_uri=address):
        if not found.is_dir:
            told = int(found.file_size or 0), 1
        elif below:
            told = _size(f"{address}/{PurePosixPath(found.path).name}", below=False)
        else:
            raise NotFound(
                f"{address}/{PurePosixPath(found.path).name}: a folder, and no file of a version lies that deep"
            )
        size, count = size + told[0], count + told[1]
    return size, count
