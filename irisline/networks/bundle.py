"""The files that make up one version of a model, and the digest that names them. Knows nothing of their contents."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from irisline.core import paths
from irisline.core.bounded import plain_files
from irisline.core.errors import MissingInput

MODEL_FOLDERS = (paths.TRAINED, paths.CALIBRATED)

Precision = Literal["float32", "int8"]

NETWORKS: dict[Precision, str] = {"float32": "model.onnx", "int8": "model.int8.onnx"}  # what the CPU runs
WEIGHTS = "model.safetensors"  # what CUDA runs
ANSWERS: dict[Precision, str] = {"float32": "golden/answers.json", "int8": "golden/answers.int8.json"}

NAMES = (NETWORKS["float32"], WEIGHTS, "model.json", "calibration.json", ANSWERS["float32"])
INT8 = (NETWORKS["int8"], ANSWERS["int8"])  # of a network that can be quantised
NEIGHBOURS = "neighbours.npz"  # versions from before they were compared with have none


def files(*folders: Path) -> dict[str, Path]:
    """Return the path of each file of a version by its name in the bundle; raise MissingInput that names the first absent."""
    found = {name: find(name, folders) for name in NAMES}
    found.update({name: path for name in (*INT8, NEIGHBOURS) if (path := locate(name, folders))})
    golden = found[ANSWERS["float32"]].parent
    found.update({f"golden/{picture.name}": picture for picture in sorted(golden.glob("*.jpg"))})
    return dict(sorted(found.items()))


def digest(*folders: Path) -> str:
    """Return the sha256 of a version: over the sorted names and sha256 of its files."""
    lines = (f"{name} {file_digest(path)}\n" for name, path in files(*folders).items())
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def find(name: str, folders: Sequence[Path]) -> Path:
    """Return the path of a file of a version by its name in the bundle; raise MissingInput when no folder holds it."""
    found = locate(name, folders)
    if found is None:
        raise MissingInput(f"{name}: not in {' or '.join(map(str, folders))}; type dvc repro to make it")
    return found


def locate(name: str, folders: Sequence[Path]) -> Path | None:
    """Return the path of a file by its name in the bundle, or None when no folder holds it."""
    return next((folder / name for folder in folders if (folder / name).is_file()), None)


def file_digest(path: Path) -> str:
    """Return the sha256 of a file's bytes; raise UnfitFile when it is none."""
    with plain_files.opened(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
