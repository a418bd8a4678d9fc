"""The installed platform, as a project notes it: a digest of the code of each stage, for DVC to see what an upgrade changes.

In the repository itself dvc.yaml names those files one by one. Knows nothing of pictures.
"""

import hashlib
from importlib import metadata
from pathlib import Path

from irisline.core import paths
from irisline.release.publishing import import_closure

FILE = Path("platform.yaml")
_HEAD = "# The platform that this project was last made with: its version, and a digest of the code of each stage.\n"


def note(project: Path) -> bool:
    """Write platform.yaml of a project for what is installed; say whether it has changed."""
    stages = sorted(file.stem for file in (paths.CODE / "pipelines").glob("[a-z]*.py"))
    lines = [f"version: {metadata.version('irisline')}", "code:", *(f"  {name}: {_digest(name)}" for name in stages)]
    text = _HEAD + "\n".join(lines) + "\n"
    file = project / FILE
    if file.is_file() and file.read_text(encoding="utf-8") == text:
        return False
    paths.write_whole(file, text)
    return True


def _digest(stage: str) -> str:
    """Return the start of the sha256 of all that a stage imports: names and bytes."""
    whole = hashlib.sha256()
    for file in sorted(import_closure.travelling([paths.CODE / "pipelines" / f"{stage}.py"], paths.CODE)):
        whole.update(f"{file.relative_to(paths.CODE).as_posix()}\0".encode() + file.read_bytes())
    return whole.hexdigest()[:16]
