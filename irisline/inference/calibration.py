"""From logits to probabilities that mean what they say, and the confidence below which the answer is unsure.

Fitted on the validation split, never on the test split. Arithmetic and one small file; knows nothing of networks.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import AliasChoices, Field, TypeAdapter, ValidationError

from irisline.core.errors import ModelError
from irisline.networks import version_limits

Floats = NDArray[np.floating]
Labels = NDArray[np.integer]


@dataclass(frozen=True)
class Calibration:
    """The temperature that divides logits, and the limits of what is answered without a warning."""

    temperature: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    unsure_threshold: Annotated[float, Field(allow_inf_nan=False)]  # the lowest confidence
    max_distance: Annotated[float | None, Field(validation_alias=AliasChoices("max_distance", "unlike_distance"))] = (
        None
    )
    """The largest to training pictures, which older files call by the second name; None before there were any."""


NONE = Calibration(1.0, 0.0)


def fit(logits: Floats, truth: Labels, target_risk: float) -> Calibration:
    """Return the calibration of logits (n, classes) with their true classes (n,)."""
    temperature = fit_temperature(logits, truth)
    probabilities = softmax(logits / temperature)
    correct = probabilities.argmax(axis=1) == truth
    return Calibration(temperature, threshold_at(probabilities.max(axis=1), correct, target_risk))


def fit_temperature(logits: Floats, truth: Labels) -> float:
    """Return the temperature that minimises the log loss (Guo et al. 2017, On Calibration of Modern Neural Networks).

    Against targets that fall short of certainty, (n + 1) / (n + 2) for n pictures (after Platt 1999, Probabilistic Outputs for
    Support Vector Machines, who counts each class): a few pictures without an error are no proof that there is none.
    """
    from scipy.optimize import minimize_scalar

    targets = _targets(truth, logits.shape[1])

    def loss(log_temperature: float) -> float:
        return float(
            -(targets * np.log(np.clip(softmax(logits / np.exp(log_temperature)), 1e-12, 1))).sum(axis=1).mean()
        )

    return float(np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x))


def _targets(truth: Labels, classes: int) -> Floats:
    sure = (len(truth) + 1) / (len(truth) + 2)
    targets = np.full((len(truth), classes), (1 - sure) / (classes - 1))
    targets[np.arange(len(truth)), truth] = sure
    return targets


def threshold_at(confidence: Floats, correct: NDArray[np.bool_], target_risk: float) -> float:
    """Return the lowest confidence at or above which at most target_risk of the answers are wrong.

    A point on the risk-coverage curve (El-Yaniv and Wiener 2010). When no threshold reaches the target it is the highest
    confidence seen, so that all but the surest answers are unsure.
    """
    order, risk = _risk_by_coverage(confidence, correct)
    last_of_equals = np.append(np.diff(confidence[order]) != 0, True)  # equal confidences stand or fall together
    reached = np.flatnonzero((risk <= target_risk) & last_of_equals)
    return float(confidence[order][reached[-1] if len(reached) else 0])


def risk_coverage(confidence: Floats, correct: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Return coverage and risk, each (n,), as answers are given in order of falling confidence."""
    _, risk = _risk_by_coverage(confidence, correct)
    return np.arange(1, len(risk) + 1) / len(risk), risk


def _risk_by_coverage(confidence: Floats, correct: NDArray[np.bool_]) -> tuple[NDArray[np.intp], Floats]:
    order = np.argsort(-confidence, kind="stable")
    return order, np.cumsum(~correct[order]) / np.arange(1, len(order) + 1)


def softmax(logits: Floats) -> Floats:
    """Return probabilities (n, classes) of logits (n, classes), in float64."""
    shifted = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    result: Floats = shifted / shifted.sum(axis=1, keepdims=True)
    return result


def log_loss(probabilities: Floats, truth: Labels) -> float:
    """Return the mean negative log of the probability of the true class, in nats."""
    return float(losses(probabilities, truth).mean())


def losses(probabilities: Floats, truth: Labels) -> Floats:
    """Return the negative log of the probability of the true class, (n,), in nats."""
    result: Floats = -np.log(np.clip(probabilities[np.arange(len(truth)), truth], 1e-12, 1))
    return result


def as_json(calibrated: Calibration) -> str:
    """Return the calibration as calibration.json holds it."""
    return json.dumps(asdict(calibrated), indent=2) + "\n"


def read(path: Path) -> Calibration:
    """Return the calibration of a file; raise ModelError when it holds none."""
    try:
        return TypeAdapter(Calibration).validate_json(
            json.dumps(version_limits.document(path)), strict=True, extra="forbid"
        )
    except ValidationError as error:
        first = error.errors()[0]
        why = f"{'.'.join(map(str, first['loc']))}: {first['msg']}".lstrip(": ")[:200]
        raise ModelError(f"{path}: not a model of this program: {why}; publish it anew") from error
