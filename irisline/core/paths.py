"""Where everything lives, from the project's root, and how it gets there whole. Knows names, not contents."""

import atexit
import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import BinaryIO

from irisline.core.errors import IrislineError

POOL = Path("data")
PARAMS = Path("params.yaml")
RENDERED = Path("pretrain/weights")
CODE = (
    Path(__file__).resolve().parents[2]
)  # irisline, pipelines and service: the repository, or where they are installed
ARTIFACTS = Path("artifacts")
REPORTS = Path("reports")
SOURCES = "sources.csv"
LABEL_PATCHES = "label_patches.csv"
TAKE_DOWNS = "take_downs.csv"
ATTRIBUTION = "ATTRIBUTION.md"

COLLECTED = ARTIFACTS / "collect"
ACCEPTED = ARTIFACTS / "validate"
LABELLED = ARTIFACTS / "labels"
AUGMENTED = ARTIFACTS / "augment"
TRAINED = ARTIFACTS / "train"
CALIBRATED = ARTIFACTS / "evaluate"

# Not outputs: what a stage keeps between runs of its own. DVC does not see them.
SCRATCH = ARTIFACTS / "scratch"
SNAPSHOT = SCRATCH / "snapshot"
ANSWERS = SCRATCH / "answers"  # of providers; a snapshot that is done leaves them, for the next may search deeper

SNAPSHOT_REPORT = REPORTS / "snapshot"
COLLECT_REPORT = REPORTS / "collect"
VALIDATE_REPORT = REPORTS / "validate"
LABELS_REPORT = REPORTS / "labels"
AUGMENT_REPORT = REPORTS / "augment"
TRAIN_REPORT = REPORTS / "train"
EVALUATE_REPORT = REPORTS / "evaluate"
FIT_LIMITS_REPORT = REPORTS / "fit_limits"
PREDICT_REPORT = REPORTS / "predict"  # like the snapshot's, for whoever typed the command; no run of MLflow holds it


def writable(folder: Path) -> Path:
    """Return a folder, made if it is not there; where it may only be read, one of this process's own that goes with it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    except OSError as error:
        if error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM):
            raise
    return _own(folder)


@cache
def _own(folder: Path) -> Path:
    instead = Path(tempfile.mkdtemp(prefix=f"irisline-{folder.name}-"))
    atexit.register(shutil.rmtree, instead, ignore_errors=True)
    return instead


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """Yield an empty folder beside the target that becomes the target when the block ends without an error.

    After an error the target is as it was, and nothing is left beside it to fill the disk.
    """
    partial = target.with_name(target.name + ".partial")
    with disk_errors(target):
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        try:
            yield partial
            remove(target)
            partial.rename(target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def remove(path: Path) -> None:
    """Remove what lies there, a folder with all in it, a link alone; do nothing when nothing does."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def whole_file(target: Path) -> Iterator[BinaryIO]:
    """Yield an open file beside the target that is renamed into place when the block ends without an error."""
    told = hashlib.sha256(os.fsencode(target.name)).hexdigest()[:16]  # a name may be as long as names get
    partial = target.with_name(f".{told}.{os.getpid()}.partial")
    with disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("wb") as file:
                yield file
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)


def write_whole(target: Path, content: str | bytes) -> None:
    """Write a file beside its target, then rename it into place."""
    with whole_file(target) as file:
        file.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def disk_errors(target: Path | None = None) -> Iterator[None]:
    """Turn a full disk, a limit, a missing right or what lies in the way into one line that says what to do.

    It names the target, where known.
    """
    try:
        yield
    except IrislineError:
        raise
    except Exception as error:
        told = disk_failure(error, target) or _in_the_way(error, target)
        if told is None:
            raise
        raise IrislineError(told) from error


def disk_failure(error: BaseException | None, target: Path | None = None) -> str | None:
    """Return where, what and what to do if a disk stands behind an error; None when it does not.

    Libraries raise other errors of their own in its place, with the system's words in theirs.
    """
    while error is not None:
        for number, advice in _DISK_ADVICE.items():
            if getattr(error, "errno", None) == number or any(word in str(error) for word in _words(number)):
                where = target or _standing(getattr(error, "filename", None) or Path.cwd())
                return f"{where}: {os.strerror(number)}; {advice}"
        error = error.__cause__ or error.__context__
    return None


def _standing(place: str | Path) -> Path:
    """Return a place, or what it was to lie in: a folder for once has another name each time, and has gone."""
    found = Path(place)
    while not os.path.lexists(found) and found != found.parent:
        found = found.parent
    return found


def _in_the_way(error: Exception, target: Path | None) -> str | None:
    if not isinstance(error, OSError) or error.errno not in _IN_THE_WAY:
        return None
    return f"{target or error.filename}: {os.strerror(error.errno)}; {_IN_THE_WAY[error.errno]}"


def _words(number: int) -> tuple[str, ...]:
    return (os.strerror(number), *_SQLITE.get(number, ()))


_SQLITE = {
    errno.ENOSPC: ("database or disk is full",),
    errno.EROFS: ("attempt to write a readonly database",),
    errno.EIO: ("disk I/O error",),
}
_DISK_ADVICE = {
    errno.ENOSPC: "free some space (dvc gc --workspace drops what no commit needs), then run the same command again",
    errno.EFBIG: "a limit on the size of files is in the way (ulimit -f); raise it, then run the same command again",
    errno.EDQUOT: "your quota is used up; free some space, then run the same command again",
    errno.EROFS: "it may only be read there; make it writable, or choose another folder, then run the same command again",
    errno.EACCES: "you may not read or write there; mind who owns it and its folder, then run the same command again",
    errno.EPERM: "it may not be changed; mind its attributes (lsattr), then run the same command again",
    errno.EIO: "the disk fails; look at it, then run the same command again",
}
_IN_THE_WAY = {
    errno.EISDIR: "a folder lies where a file should; move it away, then run the same command again",
    errno.ENOTDIR: "a file lies where a folder should; move it away, then run the same command again",
    errno.EEXIST: "something else lies where a folder should; move it away, then run the same command again",
    errno.ELOOP: "links lead in a circle there; remove them, then run the same command again",
}
