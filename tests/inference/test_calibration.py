"""Temperature, unsure threshold and losses against hand-worked and recovered values."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import log_loss

from irisline.inference import calibration

RNG = np.random.default_rng(5)


def drawn_logits(count: int) -> tuple[calibration.Floats, calibration.Labels]:
    """Return logits that mean what they say: classes are drawn with their softmax."""
    logits = RNG.normal(0, 2, (count, 3))
    chances = calibration.softmax(logits)
    return logits, np.array([RNG.choice(3, p=chance) for chance in chances])


def test_softmax_is_stable_and_sums_to_one() -> None:
    found = calibration.softmax(np.array([[1000.0, 1000.0], [0.0, np.log(3)], [-1e4, 1e4]], np.float32))
    assert found == pytest.approx(np.array([[0.5, 0.5], [0.25, 0.75], [0, 1]]), abs=1e-7)
    assert found.dtype == np.float64


def test_log_loss_agrees_with_scikit_learn_and_stays_finite() -> None:
    logits, truth = drawn_logits(200)
    probabilities = calibration.softmax(logits)
    assert calibration.log_loss(probabilities, truth) == pytest.approx(log_loss(truth, probabilities))
    assert calibration.log_loss(np.array([[1.0, 0.0]]), np.array([1])) == pytest.approx(-np.log(1e-12))


@pytest.mark.parametrize("scale", [0.25, 1.0, 4.0])
def test_the_temperature_of_scaled_logits_is_recovered(scale: float) -> None:
    logits, truth = drawn_logits(4000)
    assert calibration.fit_temperature(logits * scale, truth) == pytest.approx(scale, rel=0.1)


def test_calibration_never_raises_the_log_loss_and_keeps_the_answers() -> None:
    logits, truth = drawn_logits(300)
    temperature = calibration.fit_temperature(logits * 5, truth)
    before, after = calibration.softmax(logits * 5), calibration.softmax(logits * 5 / temperature)
    assert calibration.log_loss(after, truth) < calibration.log_loss(before, truth)
    assert np.array_equal(before.argmax(1), after.argmax(1))


@pytest.mark.parametrize(
    ("confidence", "correct", "target", "expected"),
    [
        ([0.9, 0.8, 0.7, 0.6], [1, 1, 0, 1], 0.0, 0.8),
        ([0.9, 0.8, 0.7, 0.6], [1, 1, 0, 1], 0.25, 0.6),
        ([0.6, 0.9, 0.7, 0.8], [1, 1, 0, 1], 0.0, 0.8),
        ([0.9, 0.8, 0.7, 0.6], [0, 0, 0, 0], 0.05, 0.9),
        ([0.9, 0.8, 0.7, 0.6], [1, 1, 1, 1], 0.0, 0.6),
        ([0.9, 0.8, 0.8, 0.6], [1, 1, 0, 1], 0.1, 0.9),
        ([0.9, 0.8, 0.8, 0.6], [1, 0, 1, 1], 0.1, 0.9),
        ([0.5, 0.5], [1, 0], 0.1, 0.5),
        ([0.7], [1], 0.0, 0.7),
    ],
    ids=["strict", "loose", "any order", "out of reach", "all right", "ties", "ties reversed", "only ties", "one"],
)
def test_the_threshold_is_the_lowest_that_reaches_the_target(
    confidence: list[float], correct: list[int], target: float, expected: float
) -> None:
    assert calibration.threshold_at(np.array(confidence), np.array(correct, bool), target) == expected


def test_risk_coverage_by_hand() -> None:
    coverage, risk = calibration.risk_coverage(np.array([0.6, 0.9, 0.8, 0.7]), np.array([True, True, False, True]))
    assert coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert risk == pytest.approx([0, 1 / 2, 1 / 3, 1 / 4])


def test_fit_keeps_the_risk_below_the_target() -> None:
    logits, truth = drawn_logits(1000)
    found = calibration.fit(logits * 3, truth, 0.1)
    probabilities = calibration.softmax(logits * 3 / found.temperature)
    given = probabilities.max(axis=1) >= found.unsure_threshold
    assert 0.2 < given.mean() < 1
    assert (probabilities.argmax(axis=1) != truth)[given].mean() <= 0.1


def test_a_calibration_comes_back_from_its_file(tmp_path: Path) -> None:
    one = calibration.Calibration(1.25, 0.75, 0.5)
    file = tmp_path / "calibration.json"
    file.write_text(calibration.as_json(one))
    assert calibration.read(file) == one
    file.write_text(file.read_text().replace("max_distance", "unlike_distance"))  # as versions of before call it
    assert calibration.read(file) == one
