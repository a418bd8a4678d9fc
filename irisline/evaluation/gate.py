"""What a version must reach to be promoted, as checks with their evidence. Pure arithmetic: no files, no registry."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irisline.core.params import Gate
from irisline.evaluation import baselines
from irisline.evaluation.metrics import share_interval

FLIPS = "flips_"  # before the name of a perturbation, in metrics.json
HALF = 0.5
TWICE = 2.0
"""An answer that flips is wrong before or after: if a change does not matter, both as often, and no more flip than this."""
ALWAYS_ALLOWED = 0.02  # of flips: nobody sees them
DOUBT = 0.25  # of flips, at most, that are allowed because errors were counted on few pictures
COMPARED = tuple(name for name in baselines.WHAT if name != "baseline_constant")


@dataclass(frozen=True)
class Check:
    """One condition: what was measured, the limit, and the sentence a person reads."""

    name: str
    value: float
    limit: float
    passed: bool
    line: str


def judge(
    metrics: Mapping[str, float],
    megabytes: float,
    parity: float,
    limits: Gate,
    taught_by: Mapping[str, str] | None = None,
) -> list[Check]:
    """Return the checks of a version by itself: errors, baselines, ECE, size in MB, ONNX parity, flips.

    What failed says what to do; taught_by names the param of augmentation that teaches a perturbation.
    """
    return [
        *_errors(metrics, limits),
        _at_most("ece", metrics["ece"], limits.max_ece, "gate.max_ece", "calibrate on more pictures (split.valid)"),
        _at_most(
            "model_megabytes",
            megabytes,
            limits.max_model_megabytes,
            "gate.max_model_megabytes",
            "take another train.arch",
        ),
        _at_most("onnx_parity", parity, limits.max_parity, "gate.max_parity", "take another train.arch"),
        *_flips(metrics, limits, taught_by or {}),
        *_expected(metrics, limits),
    ]


def _errors(metrics: Mapping[str, float], limits: Gate) -> Iterator[Check]:
    """Yield the checks of the error rate: against the limit and the commonest class; without a limit, against what is known."""
    rate, constant = metrics["error_rate"], metrics["baseline_constant"]
    longer = "train longer (train.epochs), or add pictures"
    stuck = "look at reports/train/curves.png: a loss that never fell asks for another train.learning_rate or train.schedule"
    if limits.max_error_rate != "auto":
        yield _at_most("error_rate", rate, limits.max_error_rate, "gate.max_error_rate", longer)
        yield _at_most("baseline", rate, constant, "the commonest class for all", stuck)
        return
    auto, high = "gate.max_error_rate: auto", "error_rate_high"
    yield _at_most("error_rate", rate, HALF, f"{auto}, right more often than wrong", longer)
    yield _at_most(
        high, metrics[high], constant, f"{auto}, the commonest class for all", f"{stuck}; or test on more pictures"
    )
    if known := [name for name in COMPARED if name in metrics]:
        best = min(known, key=metrics.__getitem__)
        most = TWICE * metrics[f"{best}_high"]
        # Not that no baseline is better: it may go by the very light that the network was taught not to go by.
        yield _at_most(
            "simpler",
            rate,
            most,
            f"{auto}, twice {baselines.WHAT[best]}, {metrics[best]:.4g}, at its interval's end",
            longer,
        )


def max_flips(metrics: Mapping[str, float], limits: Gate) -> float | None:
    """Return the share of answers that may flip by a change that must not matter; None where any may."""
    if limits.max_flip_rate != "auto":
        return limits.max_flip_rate
    rate, high = metrics["error_rate"], metrics["error_rate_high"]
    return max(ALWAYS_ALLOWED, min(TWICE * high, max(DOUBT, TWICE * rate)))


def _flips(metrics: Mapping[str, float], limits: Gate, taught_by: Mapping[str, str]) -> Iterator[Check]:
    """Yield the checks of answers that flip: of all together against a number, else of each by how often answers are wrong."""
    most, each = max_flips(metrics, limits), flips_of(metrics)
    if most is None:
        return
    if limits.max_flip_rate == "auto":
        source = f"gate.max_flip_rate: auto, twice the error rate, {metrics['error_rate']:.4g}, within its interval"
        for name, rate in each.items():
            yield _at_most(f"{FLIPS}{name}", rate, most, source, _teach(name, taught_by))
        return
    for name in ("flip_rate", "background_flip_rate"):  # the background must not drown among what flips nothing
        if name in metrics:
            advice = "more pictures in which only what must not matter differs"
            if name == "flip_rate" and each:
                worst = max(each, key=each.__getitem__)
                advice = f"most by {worst}, {each[worst]:.4g}, {_teach(worst, taught_by)}"
            yield _at_most(name, metrics[name], most, "gate.max_flip_rate", advice)


def flips_of(metrics: Mapping[str, float]) -> dict[str, float]:
    """Return the share of answers that flip by each perturbation that must not matter."""
    return {name.removeprefix(FLIPS): rate for name, rate in metrics.items() if name.startswith(FLIPS)}


def _teach(perturbation: str, taught_by: Mapping[str, str]) -> str:
    param = taught_by.get(perturbation)
    if param == "augment.mirror":
        return "teach it with augment.mirror: true, or leave it out where a class is not its own mirror image: false"
    return f"teach it with {param}" if param else "teach it with pictures in which only that differs"


def _expected(metrics: Mapping[str, float], limits: Gate) -> Iterator[Check]:
    """Yield the check of answers that must follow, where there is a limit and it was measured."""
    name, least = "expected_flip_rate", limits.min_expected_flip_rate
    if least is not None and name in metrics:
        advice = "the answer rests on something else: add pictures in which only that differs"
        yield _at_least(name, metrics[name], least, "gate.min_expected_flip_rate", advice)


def compare(
    candidate_wrong: NDArray[np.bool_], champion_wrong: NDArray[np.bool_], samples: int, confidence: float, seed: int
) -> Check:
    """Return the check that the candidate is not worse than the champion on the same pictures.

    A paired bootstrap (Efron and Tibshirani 1993, chapter 16): pictures are resampled together, and the check fails when
    the candidate makes more errors than the champion in a share of resamples of at least the confidence.
    """
    count = len(candidate_wrong)
    only_candidate = float((candidate_wrong & ~champion_wrong).mean())
    only_champion = float((champion_wrong & ~candidate_wrong).mean())
    shares = [only_candidate, only_champion, 1 - only_candidate - only_champion]
    # Resampling pictures is drawing how many fall in each of these three cases.
    drawn = np.random.default_rng(seed).multinomial(count, shares, samples)
    worse = float((drawn[:, 0] > drawn[:, 1]).mean())
    passed = worse < confidence
    line = (
        f"champion: {candidate_wrong.mean():.1%} wrong against the champion's {champion_wrong.mean():.1%} on the same "
        f"{count} pictures; worse in {worse:.0%} of resamples, limit is {confidence:.0%} (gate.champion_confidence)"
    )
    return Check("champion", worse, confidence, passed, line)


def verdict(checks: Sequence[Check]) -> dict[str, Any]:
    """Return the checks as gate.json holds them."""
    return {"passed": all(check.passed for check in checks), "checks": [asdict(check) for check in checks]}


def compare_flips(candidate: Mapping[str, float], champion: Mapping[str, float]) -> list[Check]:
    """Return the checks that no perturbation surely flips more answers than of the champion, by the metrics of both.

    Surely: the 95 % intervals do not meet. Each may have been measured on test pictures of its own.
    """
    ours, theirs = flips_of(candidate), flips_of(champion)
    return [
        _more_flips(name, (ours[name], candidate["test_images"]), (theirs[name], champion["test_images"]))
        for name in ours
        if name in theirs
    ]


def _more_flips(name: str, ours: tuple[float, float], theirs: tuple[float, float]) -> Check:
    (low, _), (_, high) = (share_interval(round(rate * count), round(count)) for rate, count in (ours, theirs))
    source = f"gate.max_flip_rate: auto, the champion has {theirs[0]:.4g}, the intervals end there"
    advice = f"{ours[0]:.4g} flip; look at reports/evaluate/perturbations.png"
    return _at_most(f"champion_{FLIPS}{name}_low", low, high, source, advice)


def _at_most(name: str, value: float, limit: float, source: str, advice: str) -> Check:
    passed = bool(value <= limit)
    relation = "within" if passed else "above"
    return _told(name, value, limit, passed, f"{relation} {limit:.4g} ({source})", advice)


def _at_least(name: str, value: float, limit: float, source: str, advice: str) -> Check:
    passed = bool(value >= limit)
    relation = "at least" if passed else "below"
    return _told(name, value, limit, passed, f"{relation} {limit:.4g} ({source})", advice)


def _told(name: str, value: float, limit: float, passed: bool, found: str, advice: str) -> Check:
    line = f"{name}: {value:.4g} is {found}"
    return Check(name, float(value), float(limit), passed, line if passed else f"{line}: {advice}")
