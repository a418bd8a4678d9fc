"""The figures of an evaluation, made to be looked at: titles and units. Numbers in, PNG bytes out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from irisline.core.plotting import BLUE, GREY, ORANGE, YELLOW, png, words
from irisline.dataset.images import Pixels
from irisline.evaluation import metrics
from irisline.inference import calibration
from irisline.inference.calibration import Floats, Labels

NAME, CLASS = 28, 24  # signs above a picture


@dataclass(frozen=True)
class Mistake:
    """A picture with what was said of it; heat (rows, columns) is the fall of confidence where it was covered."""

    square: Pixels
    name: str
    actual: str
    predicted: str
    probability: float
    loss: float
    heat: NDArray[np.float64] | None = None


def confusion_matrix(counts: NDArray[np.int64], classes: Sequence[str]) -> bytes:
    """Draw counts (classes, classes), rows true, columns predicted, with each row's share."""
    side = 2.6 + 0.9 * len(classes)
    figure = Figure(figsize=(side + 0.8, side))
    axes = figure.subplots()
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    drawn = axes.imshow(share, cmap="cividis", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        ink = "black" if share[row, column] > 0.6 else "white"
        axes.text(column, row, f"{count}\n{share[row, column]:.0%}", ha="center", va="center", color=ink)
    axes.set(xlabel="predicted", ylabel="actual", title=f"Confusion matrix, test split, {counts.sum()} pictures")
    labels = [words(name, NAME) for name in classes]
    axes.set_xticks(range(len(classes)), labels)
    axes.set_yticks(range(len(classes)), labels)
    axes.spines[:].set_visible(False)
    figure.colorbar(drawn, label="share of the actual class", format=lambda value, _: f"{value:.0%}")
    return png(figure)


def reliability(probabilities: Floats, truth: Labels, uncalibrated: Floats) -> bytes:
    """Draw accuracy against confidence after calibration, and the ECE before and after."""
    figure = Figure(figsize=(5.2, 5))
    axes = figure.subplots()
    edges, confidence, accuracy, count = metrics.reliability(probabilities, truth)
    filled = count > 0
    axes.bar(
        edges[filled], accuracy[filled], width=1 / len(edges), align="edge", color=BLUE, alpha=0.35, edgecolor=BLUE
    )
    axes.plot(confidence[filled], accuracy[filled], "o", color=BLUE, label="pictures in this bin")
    for x, y, size in zip(confidence[filled], accuracy[filled], count[filled], strict=True):
        axes.annotate(str(size), (x, y), xytext=(0, 6), textcoords="offset points", ha="center", fontsize=8)
    axes.plot([0, 1], [0, 1], "--", color=GREY, label="perfectly calibrated")
    before, after = (metrics.expected_calibration_error(each, truth) for each in (uncalibrated, probabilities))
    axes.set(
        xlabel="confidence", ylabel="accuracy", xlim=(1 / probabilities.shape[1], 1.01), ylim=(0, 1.08),
        title=f"Reliability: ECE {before:.3f} before, {after:.3f} after temperature scaling",
    )  # fmt: skip
    axes.legend(loc="lower right", frameon=False)
    return png(figure)


def risk_coverage(confidence: Floats, correct: NDArray[np.bool_], threshold: float, target: float) -> bytes:
    """Draw the error rate among answered pictures against the share answered, and where the unsure threshold lies."""
    figure = Figure(figsize=(5.6, 4.2))
    axes = figure.subplots()
    coverage, risk = calibration.risk_coverage(confidence, correct)
    given = confidence >= threshold
    axes.step(coverage, risk, where="post", color=BLUE, label="test split")
    axes.axhline(target, color=GREY, linestyle="--", label=f"target risk {target:.0%}")
    if given.any():
        axes.plot(given.mean(), 1 - correct[given].mean(), "o", color=ORANGE, label=f"threshold {threshold:.2f}")
    axes.set(
        xlabel="coverage: share of pictures answered", ylabel="risk: error rate among them", xlim=(0, 1.02),
        ylim=(0, max(0.2, float(risk.max()) * 1.1)), title="Risk and coverage: what saying “unsure” buys",
    )  # fmt: skip
    axes.legend(frameon=False)
    return png(figure)


def mistakes(found: Sequence[Mistake], title: str, columns: int = 4) -> bytes:
    """Draw pictures with truth, prediction, probability and loss; those with heat beside the same picture heated."""
    wide = any(mistake.heat is not None for mistake in found)
    rows = max(1, -(-len(found) // columns))
    figure = Figure(figsize=(columns * (4.2 if wide else 2.3), rows * 2.75 + 0.6), layout="constrained")
    figure.suptitle(title)
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for axes, mistake in zip(grid.flat, found, strict=False):
        axes.imshow(_heated(mistake) if wide else _upright(mistake))
        axes.set_title(
            f"{words(mistake.name, 2 * CLASS if wide else NAME)}\n"
            f"is {words(mistake.actual, CLASS)}, said {words(mistake.predicted, CLASS)} ({mistake.probability:.0%})\n"
            f"loss {mistake.loss:.2f} nats",
            fontsize=8,
        )
    if not found:
        grid[0, 0].text(0.5, 0.5, "no wrong answers", ha="center")
    return png(figure)


def _upright(mistake: Mistake) -> Pixels:
    return mistake.square.transpose(1, 2, 0)


def _heated(mistake: Mistake) -> NDArray[np.float64]:
    """Return the picture beside itself with the parts that mattered lit and the rest darkened."""
    picture = _upright(mistake) / 255
    assert mistake.heat is not None
    size = picture.shape[0]
    coarse = Image.fromarray(np.clip(mistake.heat, 0, None).astype(np.float32))
    heat = np.asarray(coarse.resize((size, size), Image.Resampling.BILINEAR))
    strength = (heat / max(float(heat.max()), 1e-9))[..., None]
    warm = np.array(to_rgb(YELLOW))
    lit = picture * 0.45 * (1 - strength) + (0.6 * picture + 0.4 * warm) * strength
    return np.concatenate([picture, np.ones((size, size // 24, 3)), lit], axis=1)
