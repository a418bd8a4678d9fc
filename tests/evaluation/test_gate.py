"""The gate: each limit is held, and a sentence says why."""

import json
from collections.abc import Mapping

import numpy as np
import pytest

from irisline.core.params import Gate
from irisline.evaluation import gate
from irisline.evaluation.metrics import share_interval
from tests.planted import settings

LIMITS = settings().gate
AUTO = settings(gate__max_error_rate="auto", gate__max_flip_rate="auto").gate
GOOD = {"error_rate": 0.1, "baseline_constant": 0.5, "ece": 0.05, "test_images": 80}


def failed(metrics: dict[str, float], megabytes: float = 45.0, parity: float = 1e-6) -> list[str]:
    checks = gate.judge(metrics, megabytes, parity, LIMITS)
    assert [check.name for check in checks] == ["error_rate", "baseline", "ece", "model_megabytes", "onnx_parity"]
    return [check.line for check in checks if not check.passed]


def test_a_good_model_passes_and_limits_themselves_are_within() -> None:
    assert failed(GOOD) == []
    assert failed(GOOD | {"error_rate": 0.3, "ece": LIMITS.max_ece}, 100.0, 0.0001) == []


def behaved(limits: Gate = LIMITS, **metrics: float) -> list[str]:
    checks = gate.judge(GOOD | metrics, 45.0, 0.0, limits, {"mirror": "augment.mirror", "warm_light": "augment.light"})
    return [check.line for check in checks[5:]]


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
        (
            {"flips_mirror": 0.01, "flips_warm_light": 0.04, "flip_rate": 0.025},
            "flip_rate: 0.025 is above 0.02 (gate.max_flip_rate): most by warm_light, 0.04, teach it with augment.light",
        ),
        (
            {"flips_mirror": 0.05, "flip_rate": 0.05},
            "flip_rate: 0.05 is above 0.02 (gate.max_flip_rate): most by mirror, 0.05, teach it with augment.mirror: true, "
            "or leave it out where a class is not its own mirror image: false",
        ),
        (
            {"flips_wall": 0.04, "flip_rate": 0.021},
            "flip_rate: 0.021 is above 0.02 (gate.max_flip_rate): most by wall, 0.04, teach it with pictures in which only "
            "that differs",
        ),
        (
            {"background_flip_rate": 0.03},
            "background_flip_rate: 0.03 is above 0.02 (gate.max_flip_rate): more pictures in which only what must not matter "
            "differs",
        ),
        (
            {"expected_flip_rate": 0.9},
            "expected_flip_rate: 0.9 is below 0.95 (gate.min_expected_flip_rate): the answer rests on something else: add "
            "pictures in which only that differs",
        ),
    ],
    ids=["flips", "flips mirrored", "flips by what no param teaches", "flips by the background", "does not flip"],
)
def test_bad_behaviour_is_refused_with_what_to_do(metrics: dict[str, float], line: str) -> None:
    assert behaved(LIMITS, **metrics) == [line]


@pytest.mark.parametrize(
    ("metrics", "others", "line"),
    [
        (
            {"error_rate": 0.35},
            {},
            "error_rate: 0.35 is above 0.3 (gate.max_error_rate): train longer (train.epochs), or add pictures",
        ),
        (
            {"error_rate": 0.2, "baseline_constant": 0.1},
            {},
            "baseline: 0.2 is above 0.1 (the commonest class for all): look at reports/train/curves.png: a loss that never "
            "fell asks for another train.learning_rate or train.schedule",
        ),
        ({"ece": 0.2}, {}, "ece: 0.2 is above 0.15 (gate.max_ece): calibrate on more pictures (split.valid)"),
        (
            {},
            {"megabytes": 100.5},
            "model_megabytes: 100.5 is above 100 (gate.max_model_megabytes): take another train.arch",
        ),
        ({}, {"parity": 0.01}, "onnx_parity: 0.01 is above 0.0001 (gate.max_parity): take another train.arch"),
        (
            {"ece": float("nan")},
            {},
            "ece: nan is above 0.15 (gate.max_ece): calibrate on more pictures (split.valid)",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_limit_is_held(metrics: dict[str, float], others: dict[str, float], line: str) -> None:
    assert failed(GOOD | metrics, **others) == [line]


def ten_classes(wrong: int, of: int = 80, metrics: Mapping[str, float] | None = None) -> dict[str, float]:
    """Return the numbers of a model of ten classes as often."""
    low, high = share_interval(wrong, of)
    numbers = {"error_rate": wrong / of, "error_rate_low": low, "error_rate_high": high, "test_images": of}
    return {**GOOD, "baseline_constant": 0.9, **numbers, **(metrics or {})}


def refused(numbers: dict[str, float]) -> list[str]:
    return [check.name for check in gate.judge(numbers, 45.0, 0.0, AUTO) if not check.passed]


def simple(wrong: int, of: int = 80) -> dict[str, float]:
    """Return the numbers of baselines of which the one that sees colours is the best."""
    rate, high = wrong / of, share_interval(wrong, of)[1]
    others = dict.fromkeys(["baseline_linear", "baseline_nearest_neighbour"], 0.8)
    return {"baseline_simple": rate, "baseline_simple_high": high} | others


def test_without_a_limit_of_errors_a_model_is_held_against_what_is_simple() -> None:
    assert refused(ten_classes(8)) == []
    assert refused(ten_classes(36, metrics=simple(28))) == []
    assert refused(ten_classes(44, metrics=simple(28))) == ["error_rate"]
    assert refused(ten_classes(70)) == ["error_rate", "error_rate_high"]
    assert refused(ten_classes(13, metrics=simple(4))) == []
    assert refused(ten_classes(24, metrics=simple(4))) == ["simpler"]


def test_better_than_always_the_same_must_be_sure() -> None:
    two = {"baseline_constant": 0.5}
    assert refused(ten_classes(34, metrics=two)) == ["error_rate_high"]
    assert refused(ten_classes(30, metrics=two)) == []
    assert refused(ten_classes(0, of=3, metrics=two)) == ["error_rate_high"]
    assert refused(ten_classes(0, of=5, metrics=two)) == []


@pytest.mark.parametrize(
    ("wrong", "of", "allowed"), [(0, 8, 2), (0, 41, 7), (3, 81, 16), (12, 81, 24), (36, 80, 72), (0, 1000, 20)]
)
def test_flips_are_allowed_as_far_as_errors_explain_them(wrong: int, of: int, allowed: int) -> None:
    numbers = ten_classes(wrong, of)
    assert refused(numbers | {"flips_mirror": 0.0, "flips_warm_light": allowed / of}) == []
    assert refused(numbers | {"flips_mirror": 0.0, "flips_warm_light": (allowed + 1) / of}) == ["flips_warm_light"]


def test_who_goes_by_one_thing_that_must_not_matter_is_refused_by_it_alone() -> None:
    flips = {"flips_mirror": 0.0, "flips_jpeg": 0.0, "flips_wall": 20 / 41, "flip_rate": 0.16}
    shortcut = ten_classes(0, 41, flips)
    assert [check.line for check in gate.judge(shortcut, 1.0, 0.0, AUTO) if not check.passed] == [
        "flips_wall: 0.4878 is above 0.1713 (gate.max_flip_rate: auto, twice the error rate, 0, within its interval): "
        "teach it with pictures in which only that differs"
    ]


def test_a_candidate_may_not_flip_surely_more_than_the_champion() -> None:
    champion = {"test_images": 80, "flips_mirror": 0.05, "flips_jpeg": 0.0}
    worse = gate.compare_flips({"test_images": 80, "flips_mirror": 0.3, "flips_warm_light": 1.0}, champion)
    assert [(check.name, check.passed) for check in worse] == [("champion_flips_mirror_low", False)]
    alike = gate.compare_flips({"test_images": 40, "flips_mirror": 0.1, "flips_jpeg": 0.05}, champion)
    assert [check.passed for check in alike] == [True, True]


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
