"""The golden set is asked again in the precision that answers, and told from another model's answers."""

import json
from pathlib import Path

import numpy as np
import pytest

from irisline.core.errors import MissingInput, ModelError
from irisline.dataset import shards
from irisline.evaluation import evaluate, quantization
from irisline.inference import calibration, golden
from irisline.inference.calibration import Calibration
from irisline.inference.classifier import Classifier
from irisline.networks import bundle
from irisline.networks.bundle import ANSWERS, Precision
from tests import planted


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a bundle with golden answers in both precisions."""
    rows, folder = tmp_path / "rows", planted.model(tmp_path / "model", calibrated=Calibration(2.0, 0.6))
    planted.accept(rows, {"train": 10, "test": 4})
    assert quantization.add(Classifier.load(folder), folder, rows, 1, folder) is None
    test = evaluate.answers(Classifier.load(folder), rows, "test")
    evaluate.keep_golden(evaluate.classifiers(folder), test, rows, 5, 1, folder / "golden")
    return folder


def shift(file: Path, by: float, unsure: bool | None = None) -> None:
    """Change the first kept answer."""
    kept = json.loads(file.read_text())
    kept[0]["probabilities"]["blue"] += by
    kept[0]["unsure"] = kept[0]["unsure"] if unsure is None else unsure
    file.write_text(json.dumps(kept))


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_each_precision_is_held_to_its_own_answers(folder: Path, precision: Precision) -> None:
    classifier, limit = Classifier.load(folder, precision=precision), golden.TOLERANCE[precision]
    assert golden.replay(classifier, folder, "it") == 5
    shift(folder / ANSWERS[precision], 0.9 * limit)
    assert golden.replay(classifier, folder, "it") == 5
    shift(folder / ANSWERS[precision], 0.2 * limit)
    message = (
        rf"^it: answers 0001.jpg of its golden set differently .* \(by \S+, limit {limit:g}\); other code or another "
    )
    with pytest.raises(ModelError, match=message):
        golden.replay(classifier, folder, "it")


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_an_answer_that_is_unsure_now_is_another(folder: Path, precision: Precision) -> None:
    classifier = Classifier.load(folder, precision=precision)
    shift(folder / ANSWERS[precision], 0.0, unsure=True)
    with pytest.raises(ModelError, match="differently"):
        golden.replay(classifier, folder, "it")


def test_a_distance_next_to_its_limit_may_fall_on_either_side(folder: Path) -> None:
    training = shards.of_split(folder.parent / "rows", "train")
    (folder / bundle.NEIGHBOURS).write_bytes(evaluate.gather(Classifier.load(folder), training, 1).as_bytes())
    kept = json.loads((folder / ANSWERS["float32"]).read_text())
    pictures = [(folder / "golden" / answer["file"]).read_bytes() for answer in kept]
    distances = [answer.distance for answer in Classifier.load(folder).predict(pictures)]
    kept[int(np.argmax(distances))]["unsure"] = True  # as a processor that rounds otherwise would have it
    (folder / ANSWERS["float32"]).write_text(json.dumps(kept))
    for gap, near in ((0.5e-4, True), (2e-4, False)):
        limit = calibration.as_json(Calibration(2.0, 0.6, max(distances) + gap))
        (folder / "calibration.json").write_text(limit)
        if near:
            assert golden.replay(Classifier.load(folder), folder, "it") == 5
        else:
            with pytest.raises(ModelError, match=r"differently .* \(unsure is false now\)"):
                golden.replay(Classifier.load(folder), folder, "it")


def test_answers_that_are_not_there_are_named(folder: Path) -> None:
    (folder / ANSWERS["int8"]).unlink()
    assert golden.replay(Classifier.load(folder), folder, "it") == 5
    with pytest.raises(MissingInput, match=r"^golden/answers.int8.json: not in "):
        golden.replay(Classifier.load(folder, precision="int8"), folder, "it")


def test_a_network_that_gives_no_numbers_is_no_match(folder: Path) -> None:
    weights = np.full((3, planted.SIZE, planted.SIZE, 2), np.nan, np.float32)
    (folder / "model.onnx").write_bytes(planted.linear(weights, np.zeros(2, np.float32)).SerializeToString())
    with pytest.raises(ModelError, match=r"differently .* \(by nan, limit 0.0001\)"):
        golden.replay(Classifier.load(folder), folder, "it")


def test_no_answers_prove_nothing(folder: Path) -> None:
    (folder / ANSWERS["float32"]).write_text("[]")
    with pytest.raises(ModelError, match=r"^it: its golden set is empty; publish it anew$"):
        golden.replay(Classifier.load(folder), folder, "it")
