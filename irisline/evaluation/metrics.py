"""Labels and probabilities to numbers, with bootstrap intervals. No files, no figures, no networks."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, rankdata

from irisline.inference import calibration
from irisline.inference.calibration import Floats, Labels

ECE_BINS = 15
INTERVAL = (2.5, 97.5)  # percentiles of the bootstrap: a 95 % interval


def measure(probabilities: Floats, truth: Labels, classes: Sequence[str]) -> dict[str, float]:
    """Return the metrics of probabilities (n, classes) against true classes (n,), by name.

    error_rate, log_loss (nats), brier (Brier 1950, summed over classes, 0..2), ece, roc_auc (one against the rest, classes
    weighed alike), and precision, recall and f1 of each class.
    """
    predicted = probabilities.argmax(axis=1)
    counts = confusion(predicted, truth, len(classes))
    found = {
        "error_rate": float((predicted != truth).mean()),
        "log_loss": calibration.log_loss(probabilities, truth),
        "brier": float(((probabilities - np.eye(len(classes))[truth]) ** 2).sum(axis=1).mean()),
        "ece": expected_calibration_error(probabilities, truth),
        "roc_auc": float(np.mean([_area(probabilities[:, index], truth == index) for index in range(len(classes))])),
    }
    right, said, are = np.diag(counts), counts.sum(axis=0), counts.sum(axis=1)
    for index, name in enumerate(classes):
        found[f"precision_{name}"] = right[index] / max(said[index], 1)
        found[f"recall_{name}"] = right[index] / max(are[index], 1)
        found[f"f1_{name}"] = 2 * right[index] / max(said[index] + are[index], 1)
    return {name: float(value) for name, value in found.items()}


def with_intervals(
    probabilities: Floats, truth: Labels, classes: Sequence[str], samples: int, seed: int
) -> dict[str, float]:
    """Return measure()'s metrics, each with _low and _high, its 95 % interval.

    error_rate and recall are shares of pictures and have that of share_interval: no error among twenty may yet be one in six.
    The others have percentiles of a bootstrap (Efron and Tibshirani 1993, chapter 13) that keeps class sizes, so that every
    metric is defined.
    """
    found = measure(probabilities, truth, classes)
    rng = np.random.default_rng(seed)
    members = [np.flatnonzero(truth == index) for index in np.unique(truth)]
    draws = []
    for _ in range(samples):
        drawn = np.concatenate([rng.choice(group, len(group)) for group in members])
        draws.append(list(measure(probabilities[drawn], truth[drawn], classes).values()))
    low, high = np.percentile(np.array(draws), INTERVAL, axis=0)
    for index, name in enumerate(list(found)):
        found |= {f"{name}_low": float(low[index]), f"{name}_high": float(high[index])}
    right = probabilities.argmax(axis=1) == truth
    shares = {"error_rate": ~right} | {f"recall_{name}": right[truth == index] for index, name in enumerate(classes)}
    for name, counted in shares.items():
        found |= dict(
            zip((f"{name}_low", f"{name}_high"), share_interval(int(counted.sum()), len(counted)), strict=True)
        )
    return found


def share_interval(count: int, of: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927, Probable inference); the whole of 0..1 when nothing was counted."""
    if not of:
        return 0.0, 1.0
    low, high = binomtest(count, of).proportion_ci(0.95, method="wilson")
    return float(low), float(high)


def expected_calibration_error(probabilities: Floats, truth: Labels, bins: int = ECE_BINS) -> float:
    """Return the ECE: the mean distance of confidence and accuracy over bins of equal width, weighed by size.

    Naeini et al. 2015, Obtaining Well Calibrated Probabilities Using Bayesian Binning; 15 bins as in Guo et al. 2017.
    """
    _, confidence, accuracy, count = reliability(probabilities, truth, bins)
    return float((np.abs(confidence - accuracy) * count).sum() / count.sum())


def reliability(
    probabilities: Floats, truth: Labels, bins: int = ECE_BINS
) -> tuple[Floats, Floats, Floats, NDArray[np.int64]]:
    """Return each bin's lower edge, mean confidence, accuracy and number of pictures; empty bins hold zeros."""
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == truth
    index = np.minimum((confidence * bins).astype(int), bins - 1)
    count = np.bincount(index, minlength=bins)
    share = np.maximum(count, 1)
    sums = (np.bincount(index, weights, minlength=bins) / share for weights in (confidence, correct))
    mean_confidence, accuracy = sums
    return np.arange(bins) / bins, mean_confidence, accuracy, count


def confusion(predicted: Labels, truth: Labels, classes: int) -> NDArray[np.int64]:
    """Return counts (classes, classes): rows are true classes, columns predicted ones."""
    return np.bincount(truth * classes + predicted, minlength=classes**2).reshape(classes, classes)


def _area(scores: Floats, positive: NDArray[np.bool_]) -> float:
    """Return the area under the ROC curve: the share of pairs ranked right (Hanley and McNeil 1982); nan for one class."""
    positives, negatives = int(positive.sum()), int((~positive).sum())
    if not positives or not negatives:
        return float("nan")
    ranks = float(rankdata(scores)[positive].sum())
    return (ranks - positives * (positives + 1) / 2) / (positives * negatives)
