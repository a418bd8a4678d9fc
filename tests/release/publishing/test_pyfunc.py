"""A version as MLflow serves it: without this checkout, without a pickle, the answers of the classifier."""

import base64
import json
import subprocess
import sys
from pathlib import Path

import mlflow
import pandas as pd
import pytest

from irisline.core.params import Params
from irisline.inference.classifier import Classifier
from irisline.release.publishing.pyfunc_package import ON_CUDA, REQUIRED, STARTED
from irisline.release.tracking import store, versions
from tests import imports
from tests.release.conftest import BLUE, BROWN

SERVED = imports.ROOT / "irisline/release/publishing/pyfunc.py"
NOT_IN_A_VERSION = {"cli", "collection", "evaluation", "labels", "release", "rendering", "training", "validation"}
IMPORTED_AS = {"google": "protobuf", "PIL": "pillow", "cv2": "opencv-python-headless", "yaml": "pyyaml"}
NOT_TO_SERVE = {"scipy"}  # only fitting a temperature needs it


def package(published: Params) -> Path:
    store.client()
    return Path(mlflow.artifacts.download_artifacts("models:/eye-colour/1"))


def test_a_version_answers_from_bytes_and_from_base64(published: Params) -> None:
    store.client()
    model = mlflow.pyfunc.load_model("models:/eye-colour/1")
    expected = Classifier.load(
        versions.fetch(store.client(), "eye-colour", versions.get(store.client(), "eye-colour", 1))
    )
    answers = model.predict(pd.DataFrame({"image": [BLUE, BROWN]}))
    assert answers["label"].tolist() == ["blue", "brown"]
    assert answers["probability_blue"].tolist() == [
        one.probabilities["blue"] for one in expected.predict([BLUE, BROWN])
    ]
    coded = pd.DataFrame({"image": [base64.b64encode(data).decode() for data in (BLUE, BROWN)]})
    assert model.unwrap_python_model().predict(None, coded)["label"].tolist() == ["blue", "brown"]


def test_a_version_has_signature_example_pins_and_no_pickle(published: Params) -> None:
    folder = package(published)
    model = mlflow.models.Model.load(folder)
    assert [column.name for column in model.signature.inputs] == ["image"]
    assert [column.name for column in model.signature.outputs] == [
        "label", "confidence", "unsure", "probability_blue", "probability_brown",
    ]  # fmt: skip
    assert model.saved_input_example_info is not None
    pins = (folder / "requirements.txt").read_text().split()
    assert all("==" in pin for pin in pins)
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert not [file for file in files if file.suffix in (".pkl", ".pickle", ".pt")]
    assert not [file for file in files if file.read_bytes()[:1] == b"\x80"]


def test_a_version_carries_the_code_it_runs_and_no_other_and_names_all_the_packages(published: Params) -> None:
    code = package(published) / "code"
    needed = imports.files_of(SERVED) - {SERVED}
    by_name = {imports.ROOT / name for name in (*STARTED, ON_CUDA)}
    own = {file for started in (SERVED, *by_name) for file in imports.files_of(started)} - {SERVED}
    weights = {imports.ROOT / "irisline/eyes/finder/weights.npz"}
    stored = {file.relative_to(code) for file in code.rglob("*") if file.is_file()}
    carried = {file for file in stored if file.suffix != ".pyc"}  # what loading it compiles
    assert carried == {file.relative_to(imports.ROOT) for file in own | weights}
    assert not {part for file in carried for part in file.parts} & NOT_IN_A_VERSION
    names = {name.split(".")[0] for file in needed for name in imports.modules_of(file)}
    foreign = {IMPORTED_AS.get(name, name) for name in names - set(sys.stdlib_module_names) - {"irisline"}}
    assert foreign - NOT_TO_SERVE <= set(REQUIRED)


@pytest.mark.slow
def test_mlflow_predicts_where_the_checkout_is_not(published: Params, tmp_path: Path) -> None:
    data = [[base64.b64encode(picture).decode()] for picture in (BLUE, BROWN)]
    (tmp_path / "in.json").write_text(json.dumps({"dataframe_split": {"columns": ["image"], "data": data}}))
    words = ["-m", str(package(published)), "--env-manager", "local", "-i", "in.json", "-o", "out.json", "-t", "json"]
    subprocess.run([sys.executable, "-m", "mlflow", "models", "predict", *words], cwd=tmp_path, check=True)
    answers = json.loads((tmp_path / "out.json").read_text())["predictions"]
    assert [answer["label"] for answer in answers] == ["blue", "brown"]
