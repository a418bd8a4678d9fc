"""Answers on a split, their numbers, the golden set and the report, with a model whose answers are known."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from irisline.core.errors import DataError
from irisline.dataset import shards
from irisline.evaluation import evaluate, report
from irisline.evaluation.evaluate import Answers
from irisline.inference import calibration
from irisline.inference.calibration import Calibration
from irisline.inference.classifier import Classifier
from tests import planted
from tests.planted import CLASSES, SIZE

LIMITS = planted.settings(evaluate__bootstrap_samples=50).evaluate


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    planted.accept(tmp_path / "rows", {"train": 1, "valid": 6, "test": 10})
    return tmp_path / "rows"


@pytest.fixture
def classifier(tmp_path: Path) -> Classifier:
    return Classifier.load(planted.model(tmp_path / "model", calibrated=Calibration(2.0, 0.6)))


@pytest.fixture
def stubborn(tmp_path: Path) -> Classifier:
    """Return a classifier that says blue to everything."""
    network = planted.linear(np.zeros((3, SIZE, SIZE, 2), np.float32), np.array([1.0, 0.0], np.float32))
    return Classifier.load(planted.model(tmp_path / "stubborn", network))


def test_answers_are_those_of_the_split_in_order(rows: Path, classifier: Classifier) -> None:
    found = evaluate.answers(classifier, rows, "test")
    assert found.ids == [f"{label}/test-{number}.jpg" for number in range(10) for label in CLASSES]
    assert found.truth.tolist() == [0, 1] * 10
    assert not found.wrong.any()
    assert found.probabilities(1e9) == pytest.approx(np.full((20, 2), 0.5))


def test_a_split_without_pictures_is_refused(tmp_path: Path, classifier: Classifier) -> None:
    planted.accept(tmp_path / "few", {"train": 1})
    with pytest.raises(DataError, match=r"few: no pictures in the test split; add pictures or raise split.test$"):
        evaluate.answers(classifier, tmp_path / "few", "test")


def blinded(answers: Answers, *indices: int) -> Answers:
    """Return answers to pictures some of which were not seen: of the first class, as zeros would have it."""
    seen, logits, unsure = answers.seen.copy(), answers.logits.copy(), answers.unsure.copy()
    for index in indices:
        seen[index], logits[index], unsure[index] = False, 0, True
    return replace(answers, seen=seen, logits=logits, unsure=unsure)


def test_a_picture_that_was_not_seen_is_credited_nowhere(rows: Path, classifier: Classifier) -> None:
    test = blinded(evaluate.answers(classifier, rows, "test"), 0, 3)  # a blue one and a brown one
    assert test.truth[[0, 3]].tolist() == [0, 1]
    assert np.flatnonzero(test.wrong).tolist() == [0, 3]
    found = evaluate.measure(test, classifier.calibration, 50, seed=1)
    assert (found["error_rate"], found["test_images"], found["nothing_found"], found["coverage"]) == (0, 18, 2, 0.9)
    told = list(csv.DictReader(io.StringIO(report.table(classifier, test))))
    assert [row["unsure"] for row in told[:4]] == ["true", "false", "false", "true"]


def test_a_class_of_which_nothing_is_seen_is_named(tmp_path: Path, rows: Path) -> None:
    blind = Classifier.load(planted.model(tmp_path / "blind", crop="eyes"))
    with pytest.raises(
        DataError, match=r"rows: no eye found in any blue picture of the test split; add some that show an eye$"
    ):
        evaluate.answers(blind, rows, "test")


def test_the_numbers_of_a_model_that_always_says_blue(rows: Path, stubborn: Classifier) -> None:
    test = evaluate.answers(stubborn, rows, "test")
    found = evaluate.measure(test, Calibration(1.0, 0.5), 50, seed=1)
    assert found["error_rate"] == found["selective_risk"] == 0.5
    assert found["coverage"] == 1.0
    assert found["ece"] == found["ece_uncalibrated"] == pytest.approx(1 / (1 + np.exp(-1)) - 0.5)
    assert found["test_images"] == 20
    unsure = replace(test, unsure=np.ones(20, bool))
    nothing = evaluate.measure(unsure, Calibration(1.0, 0.99), 50, seed=1)
    assert (nothing["coverage"], nothing["selective_risk"]) == (0.0, 0.0)
    assert json.loads(json.dumps(found)) == found


def test_calibration_is_fitted_on_the_valid_split(rows: Path, classifier: Classifier, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    training = planted.accept(tmp_path / "training", {"train": 8})
    evaluate.calibrate(tmp_path / "model", rows, training, set(), LIMITS, 1, tmp_path / "out")
    compared = Classifier.load(tmp_path / "out", tmp_path / "model")
    valid = evaluate.answers(compared, rows, "valid")
    expected = calibration.fit(valid.logits, valid.truth, LIMITS.target_risk)
    farthest, next_to_it = sorted(valid.distances)[:-3:-1]  # of twelve: 5 % lie between the two
    assert next_to_it < compared.calibration.max_distance < farthest
    assert replace(compared.calibration, max_distance=None) == expected
    assert compared.reader.gallery.ids == sorted(row["id"] for row in training)
    test = evaluate.answers(compared, rows, "test")
    found = evaluate.measure(test, replace(compared.calibration, max_distance=test.distances[3]), 50, 1)
    assert found["out_of_distribution"] == (test.distances > test.distances[3]).mean()
    assert found["out_of_distribution_distance"] == test.distances[3]


def test_doubted_labels_have_no_say_in_confidence_unless_there_are_no_others(
    rows: Path, classifier: Classifier, tmp_path: Path
) -> None:
    training = planted.accept(tmp_path / "training", {"train": 8})
    valid = evaluate.answers(classifier, rows, "valid")
    known = valid.where(np.arange(len(valid.ids)) > 2)
    for name, left_out, kept in (("some", set(valid.ids[:3]), known), ("all", set(valid.ids), valid)):
        (tmp_path / name).mkdir()
        evaluate.calibrate(tmp_path / "model", rows, training, left_out, LIMITS, 1, tmp_path / name)
        found = calibration.read(tmp_path / name / "calibration.json")
        expected = calibration.fit(kept.logits, kept.truth, LIMITS.target_risk)
        assert replace(found, max_distance=None) == expected
    assert calibration.fit(known.logits, known.truth, 0.1) != calibration.fit(valid.logits, valid.truth, 0.1)


def test_the_credit_of_a_picture_is_kept(classifier: Classifier, tmp_path: Path) -> None:
    (row,) = planted.accept(tmp_path / "training", {"train": 1}, ("blue",))
    known = row | {"author": "Ann", "licence": "CC-BY-4.0", "page_url": "https://pictures.example/1"}
    found = evaluate.gather(classifier, [known, row | {"id": "z", "licence": None}], 1)
    assert found.credit_lines == ("Ann, CC-BY-4.0, https://pictures.example/1", "")


def test_the_neighbours_are_a_bounded_keyed_draw_and_the_same_bytes(
    classifier: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = planted.accept(tmp_path / "training", {"train": 8})
    every = evaluate.gather(classifier, training, 1)
    assert list(every.ids) == sorted(row["id"] for row in training)
    monkeypatch.setattr(evaluate, "MOST", 5)
    some = evaluate.gather(classifier, training, 1)
    assert (len(some.ids), list(some.ids)) == (5, sorted(some.ids))
    assert evaluate.gather(classifier, training[::-1], 1).as_bytes() == some.as_bytes()
    assert evaluate.gather(classifier, training, 2).ids != some.ids


def test_a_bystander_is_no_neighbour(classifier: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    look = classifier.look
    monkeypatch.setattr(
        classifier, "look", lambda data: [replace(look(data)[0], subject=subject) for subject in (0, 1, 0)]
    )
    (row,) = planted.accept(tmp_path / "training", {"train": 1}, ("blue",))
    assert list(evaluate.gather(classifier, [row], 1).ids) == [row["id"]] * 2


def test_the_golden_set_replays_to_its_answers(rows: Path, classifier: Classifier, tmp_path: Path) -> None:
    test = evaluate.answers(classifier, rows, "test")
    for name in ("one", "two"):
        evaluate.keep_golden([classifier], test, rows, 6, 1, tmp_path / name)
    assert sorted(file.name for file in (tmp_path / "one").iterdir()) == [f"000{n}.jpg" for n in range(1, 7)] + [
        "answers.json"
    ]
    assert all(
        (tmp_path / "two" / file.name).read_bytes() == file.read_bytes() for file in (tmp_path / "one").iterdir()
    )
    kept = json.loads((tmp_path / "one" / "answers.json").read_text())
    pictures = {said["file"]: (tmp_path / "one" / said["file"]).read_bytes() for said in kept}
    shown = {row["image"]: row["sha256"] for row in shards.of_split(rows, "test")}
    answered = evaluate.golden_answers(classifier, pictures)
    assert [{**answer, "sha256": shown[pictures[answer["file"]]]} for answer in answered] == kept
    told = {"label", "probabilities", "confidence", "unsure", "reason", "reason_code", "value", "limit", "distance"}
    assert {"file", "sha256", *told} == set(kept[0])


def test_a_golden_set_is_no_larger_than_its_split(rows: Path, classifier: Classifier, tmp_path: Path) -> None:
    test = evaluate.answers(classifier, rows, "test")
    evaluate.keep_golden([classifier], test, rows, 500, 1, tmp_path / "golden")
    assert len(list((tmp_path / "golden").glob("*.jpg"))) == 20


def test_the_weight_of_a_model(tmp_path: Path) -> None:
    folder = planted.model(tmp_path)
    assert evaluate.weight(folder) == ((folder / "model.onnx").stat().st_size / 1e6, 0.0)


def test_the_table_has_a_line_for_each_test_picture(rows: Path, classifier: Classifier) -> None:
    test = evaluate.answers(classifier, rows, "test")
    lines = list(csv.DictReader(io.StringIO(report.table(classifier, test))))
    assert [line["id"] for line in lines] == test.ids
    for index, line in enumerate(lines):
        assert line["actual"] == line["predicted"] == CLASSES[test.truth[index]]
        assert float(line["probability_blue"]) + float(line["probability_brown"]) == pytest.approx(1, abs=2e-6)
        assert line["confidence"] == max(line["probability_blue"], line["probability_brown"])
        assert (line["unsure"] == "true") == (float(line["confidence"]) < 0.6)
        assert float(line["loss"]) == pytest.approx(-np.log(float(line["confidence"])), abs=1e-5)


def test_the_biggest_errors_come_worst_first(rows: Path, tmp_path: Path) -> None:
    weights = np.zeros((3, SIZE, SIZE, 2), np.float32)
    weights[0], weights[2] = (0.05, -0.05), (-0.05, 0.05)
    network = planted.linear(weights, np.zeros(2, np.float32))
    classifier = Classifier.load(planted.model(tmp_path / "inverted", network))
    test = evaluate.answers(classifier, rows, "test")
    found = report.biggest_errors(classifier, test, rows, 5)
    assert len(found) == 5
    assert [each.loss for each in found] == sorted((each.loss for each in found), reverse=True)
    assert found[0].loss == pytest.approx(calibration.losses(test.probabilities(), test.truth).max())
    for each in found:
        assert each.name.startswith(each.actual)
        assert each.predicted != each.actual
        assert each.loss == pytest.approx(-np.log(1 - each.probability), rel=1e-3)


@pytest.mark.parametrize("name", ["classifier", "stubborn"])
def test_the_report_is_whole_with_and_without_errors(rows: Path, name: str, request: pytest.FixtureRequest) -> None:
    model: Classifier = request.getfixturevalue(name)
    test = evaluate.answers(model, rows, "test")
    numbers = evaluate.measure(test, model.calibration, 50, 1)
    made = report.files(model, test, rows, LIMITS, numbers, {"passed": True, "checks": []})
    assert set(made) >= {
        "metrics.json", "gate.json", "predictions.csv", "confusion_matrix.png", "reliability.png", "risk_coverage.png",
        "biggest_errors.png", "saliency.png",
    }  # fmt: skip
    assert json.loads(made["metrics.json"]) == numbers
    assert all(data.startswith(b"\x89PNG") for file, data in made.items() if file.endswith(".png"))
