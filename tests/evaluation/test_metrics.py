"""Numbers against scikit-learn, small cases worked by hand, and the promises of an interval."""

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, confusion_matrix, roc_auc_score

from irisline.evaluation import metrics
from irisline.inference import calibration

RNG = np.random.default_rng(11)


def guesses(count: int, classes: int) -> tuple[calibration.Floats, calibration.Labels]:
    truth = np.arange(count) % classes
    logits = RNG.normal(0, 1, (count, classes)) + 1.5 * np.eye(classes)[truth]
    return calibration.softmax(logits), truth


def test_two_classes_agree_with_scikit_learn() -> None:
    probabilities, truth = guesses(120, 2)
    predicted = probabilities.argmax(axis=1)
    found = metrics.measure(probabilities, truth)
    assert found["error_rate"] == (predicted != truth).mean()
    assert found["brier"] == pytest.approx(2 * brier_score_loss(truth, probabilities[:, 1]))
    assert found["roc_auc"] == pytest.approx(roc_auc_score(truth, probabilities[:, 1]))


def test_three_classes_agree_with_scikit_learn() -> None:
    probabilities, truth = guesses(150, 3)
    predicted = probabilities.argmax(axis=1)
    found = metrics.measure(probabilities, truth)
    assert found["roc_auc"] == pytest.approx(roc_auc_score(truth, probabilities, multi_class="ovr"))
    assert np.array_equal(metrics.confusion(predicted, truth, 3), confusion_matrix(truth, predicted))


def test_by_hand() -> None:
    probabilities = np.array([[0.8, 0.2], [0.6, 0.4], [0.4, 0.6], [0.9, 0.1]])
    found = metrics.measure(probabilities, np.array([0, 0, 1, 1]))
    assert found["error_rate"] == 0.25
    assert found["log_loss"] == pytest.approx(-np.log([0.8, 0.6, 0.6, 0.1]).mean())
    assert found["brier"] == pytest.approx(2 * np.mean([0.2**2, 0.4**2, 0.4**2, 0.9**2]))


def test_ece_by_hand() -> None:
    # Two bins matter: [0.5, 0.75) holds 0.6 and 0.7, one right; [0.75, 1] holds 0.9, 0.9 and 1.0, two right.
    confidence = np.array([0.6, 0.7, 0.9, 0.9, 1.0])
    probabilities = np.stack([confidence, 1 - confidence], axis=1)
    truth = np.array([0, 1, 0, 0, 1])
    expected = (2 * abs(0.65 - 0.5) + 3 * abs(2.8 / 3 - 2 / 3)) / 5
    assert metrics.expected_calibration_error(probabilities, truth, bins=4) == pytest.approx(expected)
    edges, means, accuracy, count = metrics.reliability(probabilities, truth, bins=4)
    assert edges.tolist() == [0, 0.25, 0.5, 0.75]
    assert count.tolist() == [0, 0, 2, 3]
    assert means == pytest.approx([0, 0, 0.65, 2.8 / 3])
    assert accuracy == pytest.approx([0, 0, 0.5, 2 / 3])


def test_perfect_and_hopeless_answers() -> None:
    sure = np.array([[1.0, 0.0], [0.0, 1.0]])
    right, wrong = (metrics.measure(sure, np.array(truth)) for truth in ([0, 1], [1, 0]))
    assert (right["error_rate"], right["ece"], right["roc_auc"]) == (0, 0, 1)
    assert (wrong["error_rate"], wrong["ece"], wrong["roc_auc"]) == (1, 1, 0)


def test_intervals_hold_the_value_and_are_drawn_by_key() -> None:
    probabilities, truth = guesses(90, 3)
    found = metrics.with_intervals(probabilities, truth, 200, seed=4)
    plain = metrics.measure(probabilities, truth)
    assert set(found) == {name + end for name in plain for end in ("", "_low", "_high")}
    for name, value in plain.items():
        assert found[name] == value
        if name != "ece":  # resampling adds spread, which can only raise an ECE
            assert found[f"{name}_low"] <= value <= found[f"{name}_high"], name
    assert found["error_rate_low"] < found["error_rate_high"]
    assert found == metrics.with_intervals(probabilities, truth, 200, seed=4)
    assert found != metrics.with_intervals(probabilities, truth, 200, seed=5)


def test_the_intervals_are_those_of_pictures_drawn_again_within_their_class() -> None:
    probabilities, truth = guesses(61, 3)
    probabilities = np.round(probabilities, 1)  # ties
    rng, members = np.random.default_rng(9), [np.flatnonzero(truth == index) for index in range(3)]
    draws = []
    for _ in range(metrics.AT_ONCE + 10):
        drawn = np.concatenate([rng.choice(group, len(group)) for group in members])
        draws.append(list(metrics.measure(probabilities[drawn], truth[drawn]).values()))
    found = metrics.with_intervals(probabilities, truth, len(draws), seed=9)
    low, high = np.percentile(draws, metrics.INTERVAL, axis=0)
    for index, name in enumerate(metrics.measure(probabilities, truth)):
        if name != "error_rate":  # whose interval is Wilson's
            assert (found[f"{name}_low"], found[f"{name}_high"]) == pytest.approx((low[index], high[index])), name


def test_an_interval_of_the_error_rate_is_as_wide_as_theory_says() -> None:
    probabilities, truth = guesses(400, 2)
    found = metrics.with_intervals(probabilities, truth, 1000, seed=1)
    rate = found["error_rate"]
    width = 2 * 1.96 * np.sqrt(rate * (1 - rate) / 400)
    assert found["error_rate_high"] - found["error_rate_low"] == pytest.approx(width, rel=0.2)


def test_the_interval_of_a_share_is_wilsons() -> None:
    z, share, count = 1.959964, 0.1, 20
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    assert metrics.share_interval(2, 20) == pytest.approx((middle - half, middle + half), abs=1e-6)
    assert metrics.share_interval(0, 0) == (0.0, 1.0)
