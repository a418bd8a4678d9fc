"""A whole workspace in a temporary folder: tiny models that weigh blue against red, their reports, and a fresh store."""

import io
import json
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import pytest
import yaml
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from irisline.core import params, paths
from irisline.core.params import Params
from irisline.dataset import images, shards, training_set
from irisline.evaluation import evaluate, gate
from irisline.inference.classifier import Classifier
from irisline.networks import bundle
from irisline.release.publishing import publishing
from irisline.release.tracking import store

ROOT = Path(__file__).parents[2]
CLASSES = ["blue", "brown"]
SIZE = 32

Train = Callable[..., str]


def picture(red: int, blue: int) -> bytes:
    """Return a JPEG of one colour."""
    buffer = io.BytesIO()
    Image.new("RGB", (48, 40), (red, 60, blue)).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


BLUE, BROWN = picture(40, 200), picture(160, 50)


def network(weight: float, bias: float = 0.0) -> onnx.ModelProto:
    """Return a network whose logits grow with the mean blue minus red, (batch, 3, SIZE, SIZE) uint8 to (batch, 2)."""
    weights = weight * np.array([[-1, 1], [0, 0], [1, -1]], np.float32)
    nodes = [
        helper.make_node("Cast", ["pixels"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("GlobalAveragePool", ["float"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["weighed"]),
        helper.make_node("Add", ["weighed", "bias"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["batch", 3, SIZE, SIZE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 2])],
        [
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(np.array([bias, -bias], np.float32), "bias"),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store made once: its first use costs seconds."""
    home = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        store.client()
    return home / store.DATABASE


@pytest.fixture(scope="session")
def settings() -> Params:
    """Return the project's own params with fewer resamples, a smaller square and a limit of 30 % errors."""
    document = yaml.safe_load((ROOT / "params.yaml").read_text())
    document["evaluate"]["bootstrap_samples"] = 200
    document["preprocess"] |= {"crop": "none", "size": SIZE}
    document["train"] |= {"arch": "resnet18", "init": "scratch", "schedule": "one_cycle"}
    document["gate"]["max_error_rate"] = 0.3
    return params.parse(document)


@pytest.fixture(autouse=True)
def person(monkeypatch: pytest.MonkeyPatch) -> None:
    """Name who is at work."""
    monkeypatch.setenv("IRISLINE_USER", "ada@bench")


@pytest.fixture
def project(tmp_path: Path, empty_store: Path, settings: Params, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project folder, the working directory meanwhile: accepted pictures, params and a fresh store."""
    monkeypatch.chdir(tmp_path)
    fill(empty_store, settings)
    return tmp_path


@pytest.fixture
def train(project: Path, settings: Params) -> Train:
    """Return a function that puts a trained and evaluated model into the workspace; a negative weight is always wrong."""
    return partial(put_model, settings)


@pytest.fixture(scope="session")
def two_versions(tmp_path_factory: pytest.TempPathFactory, empty_store: Path, settings: Params) -> Path:
    """Return a project made once, with versions 1 and 2 that are right about every picture; 2 is the challenger."""
    home = tmp_path_factory.mktemp("two_versions")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        fill(empty_store, settings)
        for weight in (0.05, 0.06):
            put_model(settings, weight)
            publishing.publish(settings)
    return home


@pytest.fixture
def published(two_versions: Path, tmp_path: Path, settings: Params, monkeypatch: pytest.MonkeyPatch) -> Params:
    """Return the params of a copy of that project, the working directory meanwhile; stored files are shared."""
    shutil.copytree(two_versions, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns(store.FILES))
    (tmp_path / store.FILES).symlink_to(two_versions / store.FILES)
    monkeypatch.chdir(tmp_path)
    return settings


def fill(empty_store: Path, settings: Params) -> None:
    """Fill the working directory with accepted pictures, params and a fresh store."""
    shutil.copyfile(empty_store, store.DATABASE)
    paths.PARAMS.write_text(yaml.safe_dump(settings.model_dump(by_alias=True)))
    Path("data.dvc").write_text(
        yaml.safe_dump({"outs": [{"md5": "0123456789abcdef0123456789abcdef.dir", "path": "data"}]})
    )
    shards.write(paths.ACCEPTED, shards.ACCEPTED, 100, _accepted())


def put_model(settings: Params, weight: float = 0.05, bias: float = 0.0, error_rate: float = 0.0) -> str:
    """Put a trained and evaluated model into the workspace; give its digest."""
    for folder in (paths.TRAINED, paths.CALIBRATED, paths.TRAIN_REPORT, paths.EVALUATE_REPORT, paths.VALIDATE_REPORT):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    onnx.save(network(weight, bias), paths.TRAINED / "model.onnx")
    (paths.TRAINED / "model.safetensors").write_bytes(f"weights {weight} {bias}".encode())
    facts = {
        "name": "eye-colour",
        "classes": CLASSES,
        "preprocess": settings.preprocess.model_dump(),
        "max_side": 640,
        "max_pixels": 10**6,
        "digest": bundle.file_digest(paths.TRAINED / "model.safetensors"),
        "data_licences": {"CC0-1.0": 24},
        "data_providers": {"drawn": 24},
        "data_pictures": training_set.digest(training_set.of(shards.table(paths.ACCEPTED))),
    }
    (paths.TRAINED / "model.json").write_text(json.dumps(facts))
    (paths.CALIBRATED / "calibration.json").write_text(json.dumps({"temperature": 1.0, "unsure_threshold": 0.6}))
    put_golden()
    _reports(settings, error_rate)
    return str(facts["digest"])


def _accepted() -> Iterator[shards.Row]:
    for number in range(24):
        label = CLASSES[number % 2]
        data = picture(40 + number, 200) if label == "blue" else picture(160 + number, 50)
        split = ("train", "valid", "test")[number // 2 % 3]
        sha256 = images.pixel_digest(images.decode(data, 640, 10**6))
        facts = dict.fromkeys(("aspect", "brightness", "contrast", "sharpness", "entropy"), 1.0)
        named = {"id": f"{label}/{number}.jpg", "label": label, "sha256": sha256, "group": str(number), "split": split}
        yield {
            **named,
            **facts,
            "width": 48,
            "height": 40,
            "licence": "CC0-1.0",
            "provider": "drawn",
            "image": data,
            "page_url": f"https://example.org/{number}",
        }


def put_golden(key: int = 6) -> None:
    """Put the golden set of the workspace's model into it: two pictures of the test split, blue/4.jpg among them with key 6."""
    shutil.rmtree(paths.CALIBRATED / "golden", ignore_errors=True)
    classifier = Classifier.load(paths.TRAINED, paths.CALIBRATED)
    test = evaluate.answers(classifier, paths.ACCEPTED, "test")
    evaluate.keep_golden([classifier], test, paths.ACCEPTED, 2, key, paths.CALIBRATED / "golden")


def _reports(settings: Params, error_rate: float) -> None:
    metrics = {
        "error_rate": error_rate,
        "error_rate_low": max(error_rate - 0.1, 0.0),
        "error_rate_high": error_rate + 0.1,
        "ece": 0.02,
        "test_images": 8.0,
        "baseline_constant": 0.5,
    }
    (paths.EVALUATE_REPORT / "metrics.json").write_text(json.dumps(metrics))
    verdict = gate.verdict(gate.judge(metrics, 0.1, 1e-6, settings.gate))
    (paths.EVALUATE_REPORT / "gate.json").write_text(json.dumps(verdict))
    choice = {"chosen": "float32", "reason": "int8 changes 1 of 8 test answers"}
    (paths.EVALUATE_REPORT / "precision.json").write_text(json.dumps(choice))
    (paths.EVALUATE_REPORT / "model_card.md").write_text("# Model card: eye-colour\n\n## Metrics\n\n- right\n")
    (paths.EVALUATE_REPORT / "predictions.csv").write_text("id,actual,predicted\nblue/4.jpg,blue,blue\n")
    Image.new("RGB", (8, 8)).save(paths.EVALUATE_REPORT / "confusion_matrix.png")
    (paths.VALIDATE_REPORT / "index.html").write_text("<p>data docs</p>")
    header, rows = "epoch\ttrain_loss\tvalid_loss", ("0\t0.7\t0.6", "1\t0.5\t0.4")
    (paths.TRAIN_REPORT / "history.tsv").write_text("\n".join([header, *rows]) + "\n")
