"""int8 is served if and only if it is faster and answers alike, and the reason is a sentence with its numbers."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from irisline.evaluation import evaluate, precision, quantization
from irisline.evaluation.evaluate import Answers
from irisline.evaluation.precision import Choice
from irisline.inference.calibration import Calibration
from irisline.inference.classifier import Classifier
from tests import planted
from tests.planted import CLASSES


@pytest.mark.parametrize(
    ("speed", "changed", "max_changed", "chosen", "reason"),
    [
        (
            3.14,
            0,
            0.0,
            "int8",
            "3.1 times as fast as float32 on one thread, changes 0 of 41 test answers, limit is 0.0% ",
        ),
        (
            1.05,
            2,
            0.05,
            "int8",
            "1.1 times as fast as float32 on one thread, changes 2 of 41 test answers, limit is 5.0% ",
        ),
        (3.14, 1, 0.0, "float32", "int8 changes 1 of 41 test answers, limit is 0.0% (gate.max_changed_answers)"),
        (3.14, 3, 0.05, "float32", "int8 changes 3 of 41 test answers, limit is 5.0% (gate.max_changed_answers)"),
        (1.04, 0, 0.0, "float32", "int8 is 1.04 times as fast on one thread, needs 1.05"),
        (0.5, 9, 0.0, "float32", "int8 changes 9 of 41"),
    ],
)
def test_the_choice_and_its_reason(speed: float, changed: int, max_changed: float, chosen: str, reason: str) -> None:
    found = precision.choose(speed, changed, 41, max_changed)
    assert found[0] == chosen
    assert found[1].startswith(reason)


class Stopwatch:
    """A clock that only moves when a call takes time."""

    def __init__(self) -> None:
        self.now = 0.0
        self.calls = 0

    def takes(self, *seconds: float) -> Callable[[], None]:
        times = iter(seconds)
        last = seconds[-1]

        def call() -> None:
            self.calls += 1
            self.now += next(times, last)

        return call

    def read(self) -> float:
        return self.now


def test_the_ratio_is_the_median_of_pairs_after_a_warm_up() -> None:
    watch = Stopwatch()
    slow, fast = watch.takes(0.3, 0.1, 0.2, 0.3, 0.4, 9.0), watch.takes(10.0, 0.1)
    assert precision.times_as_fast(slow, fast, watch.read) == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("seconds", "pairs"), [(0.001, precision.MOST_PAIRS), (10.0, precision.LEAST_PAIRS), (0.05, 10)]
)
def test_measuring_ends_by_time_or_by_count(seconds: float, pairs: int) -> None:
    watch = Stopwatch()
    assert precision.times_as_fast(watch.takes(seconds), watch.takes(seconds), watch.read) == pytest.approx(1.0)
    assert watch.calls == pytest.approx(2 * (pairs + 1), abs=2)


def test_an_answer_is_its_label_and_whether_it_is_unsure() -> None:
    def answers(logits: list[list[float]], unsure: list[bool]) -> Answers:
        count = len(logits)
        names, truth = [""] * count, np.ones(count, int)
        every = np.ones(count, bool)
        return Answers(names, names, truth, np.array(logits), every, np.array(unsure), np.zeros(count))

    ours = answers([[0, 5], [0, 5], [0, 5], [0, 1]], [False, False, False, True])
    theirs = answers(
        [[0, 4], [0, 5], [5, 0], [0, 2]], [False, True, False, True]
    )  # alike, unsure now, another label, alike
    assert precision.changes(ours, theirs) == 2
    assert precision.changes(ours, ours) == 0


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Return a model in both precisions, beside the rows it was calibrated on."""
    planted.accept(tmp_path / "rows", {"train": 10, "test": 6})
    folder = planted.model(tmp_path / "model", calibrated=Calibration(2.0, 0.6))
    assert quantization.add(Classifier.load(folder), folder, tmp_path / "rows", 1, folder) is None
    return folder


def test_a_model_is_weighed_on_its_test_split(model: Path, tmp_path: Path) -> None:
    test = evaluate.answers(Classifier.load(model), tmp_path / "rows", "test")
    found = precision.choose_for([model], None, test, tmp_path / "rows", 0.0)
    assert (found.changed_answers, found.test_images, found.int8_error_rate) == (0, 12, 0.0)
    assert found.speed_ratio
    assert found.int8_ece
    assert found.chosen == precision.choose(found.speed_ratio, 0, 12, 0.0)[0]
    assert json.loads(found.as_json())["reason"] == found.reason


def test_an_int8_that_answers_otherwise_is_not_served(model: Path, tmp_path: Path) -> None:
    network = planted.linear(np.zeros((3, planted.SIZE, planted.SIZE, 2), np.float32), np.array([1, 0], np.float32))
    (model / "model.int8.onnx").write_bytes(network.SerializeToString())
    test = evaluate.answers(Classifier.load(model), tmp_path / "rows", "test")
    found = precision.choose_for([model], None, test, tmp_path / "rows", 0.4)
    assert (found.chosen, found.changed_answers, found.int8_error_rate) == ("float32", 6, 0.5)
    assert found.reason == "int8 changes 6 of 12 test answers, limit is 40.0% (gate.max_changed_answers)"


def test_a_network_that_has_no_int8_is_served_in_float32(model: Path, tmp_path: Path) -> None:
    test = evaluate.answers(Classifier.load(model), tmp_path / "rows", "test")
    found = precision.choose_for([model], "model.onnx: cannot be quantised: it is odd", test, tmp_path / "rows", 1.0)
    assert found == Choice("float32", "model.onnx: cannot be quantised: it is odd")
    assert json.loads(found.as_json())["speed_ratio"] is None


def test_the_golden_set_holds_the_answers_of_each_precision(model: Path, tmp_path: Path) -> None:
    test = evaluate.answers(Classifier.load(model), tmp_path / "rows", "test")
    both = evaluate.classifiers(model)
    assert [each.precision for each in both] == ["float32", "int8"]
    evaluate.keep_golden(both, test, tmp_path / "rows", 4, 1, model / "golden")
    float32, int8 = (json.loads((model / "golden" / f"answers{end}.json").read_text()) for end in ("", ".int8"))
    assert [said["file"] for said in float32] == [said["file"] for said in int8]
    assert [said["label"] for said in float32] == [said["label"] for said in int8]
    assert float32 != int8
    assert {said["label"] for said in int8} <= set(CLASSES)
    (model / "model.int8.onnx").unlink()
    assert [each.precision for each in evaluate.classifiers(model)] == ["float32"]
