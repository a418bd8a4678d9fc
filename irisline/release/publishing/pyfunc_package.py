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

from irisline.core.bounded import plain_files
from irisline.core.errors import MissingInput, ModelError, NotFound
from irisline.inference import signature_check
from irisline.networks import bundle, version_limits
from irisline.release.publishing import import_closure
from irisline.release.tracking import artifacts, lineage, versions

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
PYFUNC = "pyfunc.py"  # beside this file
STARTED = ("irisline/inference/prover.py",)  # by name, wherever a version answers
ON_CUDA = "irisline/inference/torch_runtime.py"  # loaded by name, where there is such a device


def log(client: "MlflowClient", experiment: str, run_id: str, digest: str) -> str:
    """Store the workspace's bundle as a pyfunc model of the run; give the model's id. One stored before is used again."""
    import mlflow

    whole = [model_id for model_id in _stored(client, experiment, digest) if _holds(client, model_id, digest)]
    if whole:
        return whole[0]
    with _contents() as contents, mlflow.start_run(run_id=run_id):
        info = mlflow.pyfunc.log_model(name="model", tags={versions.DIGEST: digest}, **contents)
    return str(info.model_id)


def is_whole(client: "MlflowClient", source: str, digest: str) -> bool:
    """Return whether the store holds a bundle of this digest at a version's source."""
    return _holds(client, source.removeprefix("models:/"), digest)


def restore(client: "MlflowClient", experiment: str, run_id: str, digest: str, source: str) -> bool:
    """Store the workspace's bundle where a version's source points, over what is there; say whether it is whole now.

    It cannot be where MLflow does not know that place any more, nor where files lie that are not of it: nothing is deleted.
    """
    import mlflow
    from mlflow.models import Model

    model_id = source.removeprefix("models:/")
    if model_id not in _stored(client, experiment, digest):
        return False
    with _contents() as contents, tempfile.TemporaryDirectory() as scratch:
        artifacts.writable(client.get_logged_model(model_id).artifact_location)
        saved, about = str(Path(scratch, "model")), Model(model_uuid=model_id, model_id=model_id, run_id=run_id)
        mlflow.pyfunc.save_model(saved, mlflow_model=about, **contents)
        client.log_model_artifacts(model_id, saved)
    return _holds(client, model_id, digest)


def _holds(client: "MlflowClient", model_id: str, digest: str) -> bool:
    """Return whether the store holds the bundle of this digest, and nothing beside it."""
    from mlflow.exceptions import MlflowException

    with tempfile.TemporaryDirectory() as scratch:
        try:
            place = client.get_logged_model(model_id).artifact_location
            arrived = artifacts.bring(f"{place}/artifacts/bundle", Path(scratch))
            version_limits.check(arrived)
            signature_check.holds_only(arrived, bundle.files(arrived))
            return bundle.digest(arrived) == digest
        except (MlflowException, MissingInput, ModelError, NotFound):
            return False


def _stored(client: "MlflowClient", experiment: str, digest: str) -> list[str]:
    """Return the ids of the models that were stored for a digest."""
    stored = client.search_logged_models([experiment], f"tags.`{versions.DIGEST}` = '{digest}'")
    return [str(model.model_id) for model in stored if str(model.status) == "READY"]


@contextmanager
def _contents() -> Iterator[dict[str, Any]]:
    """Yield what MLflow is to store, for as long as it takes."""
    with tempfile.TemporaryDirectory() as scratch, _without_bytecode():
        packed, code = _copy_bundle(Path(scratch) / "bundle"), _copy_code(Path(scratch) / "irisline")
        signature, example = _signature(packed)
        yield {
            "python_model": str(Path(__file__).with_name(PYFUNC)),
            "artifacts": {"bundle": str(packed)},
            "code_paths": [str(code)],
            "signature": signature,
            "input_example": example,
            "pip_requirements": [f"{name}=={lineage.version(name)}" for name in REQUIRED],
        }


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
    """Copy what an answer needs of this library, and nothing else; return its folder."""
    library, served = Path(__file__).parents[2], Path(__file__).with_name(PYFUNC)
    root = library.parent
    for file in import_closure.travelling([served, *(root / module for module in (*STARTED, ON_CUDA))], root) - {
        served
    }:
        copied = target / file.relative_to(library)
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copied)
    return target


def _signature(folder: Path) -> tuple[Any, Any]:
    """Return the model's signature and an input example: a golden picture, whose answer is known."""
    import pandas as pd
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    classes = json.loads(plain_files.read(folder / "model.json"))["classes"]
    golden = sorted((folder / "golden").glob("*.jpg"))
    if not golden:
        raise ModelError(f"{folder}: the golden set is empty; raise evaluate.golden_images in params.yaml")
    answer = [ColSpec("string", "label"), ColSpec("double", "confidence"), ColSpec("boolean", "unsure")]
    shares = [ColSpec("double", f"probability_{name}") for name in classes]
    signature = ModelSignature(inputs=Schema([ColSpec("binary", "image")]), outputs=Schema([*answer, *shares]))
    return signature, pd.DataFrame({"image": [golden[0].read_bytes()]})
