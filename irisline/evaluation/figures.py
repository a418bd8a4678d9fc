"""The figures of an evaluation, made to be looked at: titles and units. Numbers in, PNG bytes out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image
from scipy.cluster.hierarchy import leaves_list, linkage

from irisline.core.plotting import BLUE, GREY, ORANGE, YELLOW, png, words
from irisline.dataset.images import Pixels
from irisline.evaluation import metrics, per_class
from irisline.inference import calibration
from irisline.inference.calibration import Floats, Labels

NAME, CLASS = 28, 24  # signs above a picture
FEW, ORDERED, NUMBERED = 5, 12, 30  # classes up to which a matrix has every number; the given order; numbers at all
MATRIX, SMALLEST, LARGEST, LONGEST = 8.0, 0.13, 1.6, 20.0  # inches: a matrix as a rule, its cells, and the largest one
LINES = 3  # of text that a cell has room for
WIDTH = 0.62  # of a sign, as a share of its height
ILLEGIBLE = 3.5  # points
TOP = 30  # confusions that are told


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
    """Draw counts (classes, classes), rows true, columns predicted, with each row's share.

    Many classes stand in an order that brings those together that are taken for one another; of very many, no cell has its
    number, and the most frequent confusions stand beside the matrix.
    """
    many, most = len(classes) > ORDERED, len(classes) > NUMBERED
    order = _neighbours(counts) if many else np.arange(len(classes))
    shown, names = counts[np.ix_(order, order)], [words(classes[index], NAME) for index in order]
    side = min(len(classes) * min(max(MATRIX / len(classes), SMALLEST), LARGEST), LONGEST)  # inches
    figure = Figure(figsize=(side, side))
    axes, scale = figure.add_axes((0, 0, 1, 1)), figure.add_axes((1 + 0.2 / side, 0, 0.2 / side, min(1, MATRIX / side)))
    share = shown / np.maximum(shown.sum(axis=1, keepdims=True), 1)
    drawn = axes.imshow(share, cmap="cividis", vmin=0, vmax=1)
    if not most:
        _number(axes, shown, share, min(10, side * 72 / len(classes) / LINES))
    axes.set(xlabel="predicted", ylabel="actual", title=f"Confusion matrix, test split, {counts.sum()} pictures")
    _name(axes, names, side * 72 / len(classes))
    axes.spines[:].set_visible(False)
    figure.colorbar(drawn, scale, label="share of the actual class", format=lambda value, _: f"{value:.0%}")
    if most:
        figure.text(1 + 1.3 / side, 1, _most_frequent(counts, classes), va="top", linespacing=1.5)
    return png(figure)


def _number(axes: Axes, counts: NDArray[np.int64], share: Floats, size: float) -> None:
    """Write each cell's count and share into it; of more than a few classes, into those with pictures."""
    for (row, column), count in np.ndenumerate(counts):
        if count or len(counts) <= FEW:
            ink, text = "black" if share[row, column] > 0.6 else "white", f"{count}\n{share[row, column]:.0%}"
            axes.text(column, row, text, ha="center", va="center", color=ink, fontsize=size)


def _name(axes: Axes, names: Sequence[str], room: float) -> None:
    """Name rows and columns that have so much room, in points: turned where they would overlap, not at all where none fits."""
    size = min(10, room / 1.2)
    if size < ILLEGIBLE:
        axes.set(xticks=[], yticks=[])
        return
    flat = max(map(len, names)) * size * WIDTH < room
    axes.set_yticks(range(len(names)), names, fontsize=size)
    axes.set_xticks(range(len(names)), names, fontsize=size, rotation=0 if flat else 90)


def _neighbours(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the classes in an order in which those that are taken for one another are neighbours.

    They are clustered by the shares of either that are called the other, the mean of two clusters counting; the leaves of the
    tree stand so that neighbours are as close as can be (Bar-Joseph et al. 2001, Fast optimal leaf ordering).
    """
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    apart = 2 - share - share.T
    tree = linkage(apart[np.triu_indices(len(counts), 1)], "average", optimal_ordering=True)
    return np.asarray(leaves_list(tree), np.int64)


def _most_frequent(counts: NDArray[np.int64], classes: Sequence[str]) -> str:
    found = per_class.confusions(counts, classes)
    lines = [
        f"{_short(each.actual)} is called {_short(each.predicted)}: {each.pictures} of {each.of}" for each in found
    ]
    head = f"The {TOP} most frequent of {len(lines)} confusions" if len(lines) > TOP else "Confusions"
    return "\n".join([f"{head}; confusions.csv has all", "", *lines[:TOP]])


def _short(name: str) -> str:
    return words(name, CLASS)


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
