"""What a version must reach to be promoted, as checks with their evidence. Pure arithmetic: no files, no registry."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irisline.core.params import Gate


@dataclass(frozen=True)
class Check:
    """One condition: what was measured, the limit, and the sentence a person reads."""

    name: str
    value: float
    limit: float
    passed: bool
    line: str


def judge(metrics: Mapping[str, float], megabytes: float, parity: float, limits: Gate) -> list[Check]:
    """Return the absolute checks: error rate, no worse than guessing, ECE, size in MB, ONNX parity, flips."""
    return [
        _at_most("error_rate", metrics["error_rate"], limits.max_error_rate, "gate.max_error_rate"),
        _at_most(
            "baseline", metrics["error_rate"], metrics["baseline_error_rate"], "error rate of the commonest class"
        ),
        _at_most("ece", metrics["ece"], limits.max_ece, "gate.max_ece"),
        _at_most("model_megabytes", megabytes, limits.max_model_megabytes, "gate.max_model_megabytes"),
        _at_most("onnx_parity", parity, limits.max_parity, "gate.max_parity"),
        *_perturbed(metrics, limits),
    ]


def _perturbed(metrics: Mapping[str, float], limits: Gate) -> Iterator[Check]:
    """Yield the checks of answers on perturbed pictures that have a limit and were measured: some need what was not found."""
    for name in ("flip_rate", "background_flip_rate"):  # the background must not drown among what flips nothing
        if limits.max_flip_rate is not None and name in metrics:
            yield _at_most(name, metrics[name], limits.max_flip_rate, "gate.max_flip_rate")
    name, least = "expected_flip_rate", limits.min_expected_flip_rate
    if least is not None and name in metrics:
        yield _at_least(name, metrics[name], least, "gate.min_expected_flip_rate")


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


def _at_most(name: str, value: float, limit: float, source: str) -> Check:
    passed = bool(value <= limit)
    relation = "within" if passed else "above"
    return Check(name, float(value), float(limit), passed, f"{name}: {value:.4g} is {relation} {limit:.4g} ({source})")


def _at_least(name: str, value: float, limit: float, source: str) -> Check:
    passed = bool(value >= limit)
    relation = "at least" if passed else "below"
    return Check(name, float(value), float(limit), passed, f"{name}: {value:.4g} is {relation} {limit:.4g} ({source})")
