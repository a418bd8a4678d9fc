"""The gate: each limit is held, and a sentence says why."""

import json

import numpy as np
import pytest

from irisline.core.params import Gate
from irisline.evaluation import gate
from tests.planted import settings

LIMITS = settings().gate
GOOD = {"error_rate": 0.1, "baseline_error_rate": 0.5, "ece": 0.05}


def failed(metrics: dict[str, float], megabytes: float = 45.0, parity: float = 1e-6) -> list[str]:
    checks = gate.judge(metrics, megabytes, parity, LIMITS)
    assert [check.name for check in checks] == ["error_rate", "baseline", "ece", "model_megabytes", "onnx_parity"]
    return [check.line for check in checks if not check.passed]


def test_a_good_model_passes_and_limits_themselves_are_within() -> None:
    assert failed(GOOD) == []
    assert failed(GOOD | {"error_rate": LIMITS.max_error_rate, "ece": LIMITS.max_ece}, 100.0, 0.0001) == []


def behaved(limits: Gate = LIMITS, **metrics: float) -> list[str]:
    return [check.line for check in gate.judge(GOOD | metrics, 45.0, 0.0, limits)[5:]]


def test_behaviour_is_judged_where_it_was_measured_and_has_a_limit() -> None:
    assert behaved(flip_rate=0.02, background_flip_rate=0.02, expected_flip_rate=0.95) == [
        "flip_rate: 0.02 is within 0.02 (gate.max_flip_rate)",
        "background_flip_rate: 0.02 is within 0.02 (gate.max_flip_rate)",
        "expected_flip_rate: 0.95 is at least 0.95 (gate.min_expected_flip_rate)",
    ]
    assert behaved() == []
    free = LIMITS.model_copy(update={"max_flip_rate": None, "min_expected_flip_rate": None})
    assert behaved(free, flip_rate=1.0, background_flip_rate=1.0, expected_flip_rate=0.0) == []


@pytest.mark.parametrize(
    ("metrics", "line"),
    [
        ({"flip_rate": 0.021}, "flip_rate: 0.021 is above 0.02 (gate.max_flip_rate)"),
        (
            {"background_flip_rate": 0.03},
            "background_flip_rate: 0.03 is above 0.02 (gate.max_flip_rate)",
        ),
        ({"expected_flip_rate": 0.9}, "expected_flip_rate: 0.9 is below 0.95 (gate.min_expected_flip_rate)"),
    ],
    ids=["flips", "flips by the shirt", "does not flip"],
)
def test_bad_behaviour_is_refused(metrics: dict[str, float], line: str) -> None:
    (check,) = gate.judge(GOOD | metrics, 45.0, 0.0, LIMITS)[5:]
    assert (check.passed, check.line) == (False, line)


@pytest.mark.parametrize(
    ("metrics", "others", "line"),
    [
        ({"error_rate": 0.35}, {}, "error_rate: 0.35 is above 0.3 (gate.max_error_rate)"),
        (
            {"error_rate": 0.2, "baseline_error_rate": 0.1},
            {},
            "baseline: 0.2 is above 0.1 (error rate of the commonest class)",
        ),
        ({"ece": 0.2}, {}, "ece: 0.2 is above 0.15 (gate.max_ece)"),
        ({}, {"megabytes": 100.5}, "model_megabytes: 100.5 is above 100 (gate.max_model_megabytes)"),
        ({}, {"parity": 0.01}, "onnx_parity: 0.01 is above 0.0001 (gate.max_parity)"),
        ({"ece": float("nan")}, {}, "ece: nan is above 0.15 (gate.max_ece)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_limit_is_held(metrics: dict[str, float], others: dict[str, float], line: str) -> None:
    assert failed(GOOD | metrics, **others) == [line]


def test_the_verdict_passes_when_every_check_does_and_is_plain_json() -> None:
    checks = gate.judge(GOOD, 45.0, 0.0, LIMITS)
    assert gate.verdict(checks)["passed"] is True
    worse = gate.verdict([*checks, *gate.judge(GOOD | {"ece": 0.9}, 45.0, 0.0, LIMITS)])
    assert worse["passed"] is False
    assert json.loads(json.dumps(worse)) == worse
    assert set(worse["checks"][0]) == {"name", "value", "limit", "passed", "line"}


def wrong(share: float, count: int = 100) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    return np.arange(count) < share * count


def compared(candidate: float, champion: float) -> gate.Check:
    return gate.compare(wrong(candidate), wrong(champion), 1000, 0.95, seed=2)


def test_an_identical_candidate_is_never_worse() -> None:
    check = compared(0.2, 0.2)
    assert (check.passed, check.value, check.limit) == (True, 0.0, 0.95)


def test_a_better_candidate_passes_and_a_clearly_worse_one_fails() -> None:
    assert compared(0.1, 0.3).value == 0.0
    check = compared(0.3, 0.1)
    assert not check.passed
    assert check.line == (
        "champion: 30.0% wrong against the champion's 10.0% on the same 100 pictures; "
        "worse in 100% of resamples, limit is 95% (gate.champion_confidence)"
    )


def test_one_more_error_is_no_proof() -> None:
    check = compared(0.21, 0.20)
    assert check.passed
    assert check.value == pytest.approx(1 - np.exp(-1), abs=0.05)  # the chance that a resample holds the one picture
    assert check == compared(0.21, 0.20)
