"""Labels and probabilities to numbers, with bootstrap intervals. No files, no figures, no networks."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from irisline.inference import calibration
from irisline.inference.calibration import Floats, Labels

ECE_BINS = 15
AT_ONCE = 64  # draws of the bootstrap: quick, and a few megabytes
INTERVAL = (2.5, 97.5)  # percentiles of the bootstrap: a 95 % interval


def measure(probabilities: Floats, truth: Labels) -> dict[str, float]:
    """Return the metrics of probabilities (n, classes) against true classes (n,), by name.

    error_rate, log_loss (nats), brier (Brier 1950, summed over classes, 0..2), ece and roc_auc (one against the rest, classes
    weighed alike). Those of each class are in per_class.
    """
    predicted, classes = probabilities.argmax(axis=1), probabilities.shape[1]
    found = {
        "error_rate": float((predicted != truth).mean()),
        "log_loss": calibration.log_loss(probabilities, truth),
        "brier": float(((probabilities - np.eye(classes)[truth]) ** 2).sum(axis=1).mean()),
        "ece": expected_calibration_error(probabilities, truth),
        "roc_auc": float(np.mean([_area(probabilities[:, index], truth == index) for index in range(classes)])),
    }
    return {name: float(value) for name, value in found.items()}


def with_intervals(probabilities: Floats, truth: Labels, samples: int, seed: int) -> dict[str, float]:
    """Return measure()'s metrics, each with _low and _high, its 95 % interval.

    error_rate is a share of pictures and has that of share_interval: no error among twenty may yet be one in six. The others
    have percentiles of a bootstrap (Efron and Tibshirani 1993, chapter 13) that keeps class sizes, so that every metric is
    defined.
    """
    found = measure(probabilities, truth)
    drawn = np.concatenate([_of_draws(times, probabilities, truth) for times in _draws(truth, samples, seed)], axis=1)
    low, high = np.percentile(drawn, INTERVAL, axis=1)
    for index, name in enumerate(list(found)):
        found |= {f"{name}_low": float(low[index]), f"{name}_high": float(high[index])}
    wrong = probabilities.argmax(axis=1) != truth
    found["error_rate_low"], found["error_rate_high"] = share_interval(int(wrong.sum()), len(wrong))
    return found


def _draws(truth: Labels, samples: int, seed: int) -> Iterator[Floats]:
    """Yield how often each picture is in each draw, (n, draws), as many draws at once as are quick."""
    rng = np.random.default_rng(seed)
    members = [np.flatnonzero(truth == index) for index in np.unique(truth)]
    for start in range(0, samples, AT_ONCE):
        times = np.zeros((len(truth), min(AT_ONCE, samples - start)))
        for draw in times.T:
            for group in members:
                draw[group] = np.bincount(rng.integers(0, len(group), len(group)), minlength=len(group))
        yield times


def _of_draws(times: Floats, probabilities: Floats, truth: Labels) -> Floats:
    """Return measure()'s metrics in its order, (metrics, draws), of draws in which each picture is so many times (n, draws)."""
    classes = probabilities.shape[1]
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    losses = calibration.losses(probabilities, truth)
    squares = ((probabilities - np.eye(classes)[truth]) ** 2).sum(axis=1)
    apart = np.eye(ECE_BINS)[_bins(confidence, ECE_BINS)] * (confidence - right)[:, None]
    areas = [_areas(times, probabilities[:, index], truth == index) for index in range(classes)]
    sums = [~right @ times, losses @ times, squares @ times, np.abs(apart.T @ times).sum(axis=0)]
    return np.stack([*(each / len(truth) for each in sums), np.mean(areas, axis=0)])


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
    index = _bins(confidence, bins)
    count = np.bincount(index, minlength=bins)
    share = np.maximum(count, 1)
    sums = (np.bincount(index, weights, minlength=bins) / share for weights in (confidence, correct))
    mean_confidence, accuracy = sums
    return np.arange(bins) / bins, mean_confidence, accuracy, count


def confusion(predicted: Labels, truth: Labels, classes: int) -> NDArray[np.int64]:
    """Return counts (classes, classes): rows are true classes, columns predicted ones."""
    return np.bincount(truth * classes + predicted, minlength=classes**2).reshape(classes, classes)


def _bins(confidence: Floats, bins: int) -> NDArray[np.int64]:
    """Return the bin of each confidence, of so many that are as wide as each other."""
    return np.minimum((confidence * bins).astype(np.int64), bins - 1, dtype=np.int64)


def _area(scores: Floats, positive: NDArray[np.bool_]) -> float:
    """Return the area under the ROC curve; nan for one class."""
    return float(_areas(np.ones((len(scores), 1)), scores, positive)[0])


def _areas(times: Floats, scores: Floats, positive: NDArray[np.bool_]) -> Floats:
    """Return the area under the ROC curve of each draw in which a score is so many times, times (n, draws); nan for one class.

    It is the share of pairs that are ranked right, ties for a half (Hanley and McNeil 1982).
    """
    order = np.argsort(scores, kind="stable")
    below = np.zeros((len(scores) + 1, times.shape[1]))  # how many others have a lower score
    np.multiply(times[order], ~positive[order, None], out=below[1:])
    np.cumsum(below, axis=0, out=below)
    first, last = (np.searchsorted(scores[order], scores[positive], side) for side in ("left", "right"))
    ranked = (times[positive] * (below[first] + below[last]) / 2).sum(axis=0)
    pairs = times[positive].sum(axis=0) * below[-1]
    return np.where(pairs > 0, ranked / np.maximum(pairs, 1), np.nan)
