"""A version as MLflow stores it: a pyfunc model of the workspace's bundle, with the code it runs and its pins, and no pickle.

Knows nothing of the registry.
"""

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from irisline.errors import ModelError
from irisline.model import bundle
from irisline.release import lineage, versions

if TYPE_CHECKING:
    from mlflow import MlflowClient

REQUIRED = (
    "mlflow",
    "numpy",
    "onnxruntime",
    "opencv-python-headless",
    "pandas",
    "pillow",
    "protobuf",
    "pydantic",
    "pyyaml",
)
_NOT_SERVED = ("__pycache__", "assets", "commands", "release", "rendering", "sources")


def log(client: "MlflowClient", experiment: str, run_id: str, digest: str) -> str:
    """Store the workspace's bundle as a pyfunc model of the run; give the model's id. One stored before is used again."""
    import mlflow

    stored = client.search_logged_models([experiment], f"tags.`{versions.DIGEST}` = '{digest}'")
    whole = [model for model in stored if str(model.status) == "READY"]
    if whole:
        return str(whole[0].model_id)
    with tempfile.TemporaryDirectory() as scratch:
        packed, code = _copy_bundle(Path(scratch) / "bundle"), _copy_code(Path(scratch) / "irisline")
        signature, example = _signature(packed)
        with mlflow.start_run(run_id=run_id), _without_bytecode():
            info = mlflow.pyfunc.log_model(
                name="model",
                python_model=str(Path(__file__).with_name("served.py")),
                artifacts={"bundle": str(packed)},
                code_paths=[str(code)],
                signature=signature,
                input_example=example,
                pip_requirements=[f"{name}=={lineage.version(name)}" for name in REQUIRED],
                tags={versions.DIGEST: digest},
            )
    return str(info.model_id)


@contextmanager
def _without_bytecode() -> Iterator[None]:
    """Let imports leave no compiled files: MLflow tries out what it stores, and would store this machine's with it."""
    usual, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = usual


def _copy_bundle(target: Path, folders: Sequence[Path] = bundle.MODEL_FOLDERS) -> Path:
    for name, path in bundle.files(*folders).items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target / name)
    return target


def _copy_code(target: Path) -> Path:
    package = Path(__file__).parents[1]
    shutil.copytree(package, target, ignore=shutil.ignore_patterns(*_NOT_SERVED))
    return target


def _signature(folder: Path) -> tuple[Any, Any]:
    """Give the model's signature and an input example: a golden picture, whose answer is known."""
    import pandas as pd
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    classes = json.loads((folder / "model.json").read_text())["classes"]
    golden = sorted((folder / "golden").glob("*.jpg"))
    if not golden:
        raise ModelError(f"{folder}: the golden set is empty; raise evaluate.golden_images in params.yaml")
    answer = [ColSpec("string", "label"), ColSpec("double", "confidence"), ColSpec("boolean", "unsure")]
    shares = [ColSpec("double", f"probability_{name}") for name in classes]
    signature = ModelSignature(inputs=Schema([ColSpec("binary", "image")]), outputs=Schema([*answer, *shares]))
    return signature, pd.DataFrame({"image": [golden[0].read_bytes()]})
