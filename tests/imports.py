"""What a file of this project imports, directly or not."""

from pathlib import Path

from irisline.release.publishing import import_closure
from irisline.release.publishing.import_closure import modules_of

__all__ = ["ROOT", "files_of", "modules_of"]

ROOT = Path(__file__).parent.parent


def files_of(file: Path) -> set[Path]:
    """Return the project's files that this one needs when it runs: imported anywhere, and the packages they lie in."""
    return import_closure.files_of([file], ROOT)
