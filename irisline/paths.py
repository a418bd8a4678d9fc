"""Where everything lives, from the project's root, and how it gets there whole. Knows names, not contents."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from irisline.errors import IrislineError

POOL = Path("data")
PARAMS = Path("params.yaml")
RENDERED = Path("pretrain/weights")
SERVICE = Path("service")
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
PREDICT_REPORT = REPORTS / "predict"  # like the snapshot's, for whoever typed the command; no run of MLflow holds it


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """Give an empty folder beside the target that becomes the target when the block ends without an error.

    After an error the target is as it was, and nothing is left beside it to fill the disk.
    """
    partial = target.with_name(target.name + ".partial")
    with disk_errors(target):
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        try:
            yield partial
            if target.exists():
                shutil.rmtree(target)
            partial.rename(target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def whole_file(target: Path) -> Iterator[BinaryIO]:
    """Give an open file beside the target that is renamed into place when the block ends without an error."""
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
def disk_errors(target: Path) -> Iterator[None]:
    """Turn a full disk, a limit or a missing right into one line that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno not in _DISK_ADVICE:
            raise
        raise IrislineError(f"{target}: {error.strerror}; {_DISK_ADVICE[error.errno]}") from error


_DISK_ADVICE = {
    28: "free some space (dvc gc --workspace drops what no commit needs), then run the same command again",
    27: "a limit on the size of files is in the way (ulimit -f); raise it, then run the same command again",
    122: "your quota is used up; free some space, then run the same command again",
    30: "the file system is read-only; choose another folder",
    13: "you may not write there; mind who owns the folder",
}
