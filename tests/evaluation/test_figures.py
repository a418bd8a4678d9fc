"""Figures are pictures of a sensible size, the same bytes for the same numbers."""

import io
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from irisline.evaluation import figures, per_class
from irisline.evaluation.figures import Mistake
from irisline.inference import calibration
from irisline.training import history
from tests.hostile_names import CLASSES

RNG = np.random.default_rng(3)
TRUTH = np.arange(60) % 2
PROBABILITIES = calibration.softmax(RNG.normal(0, 1, (60, 2)) + 2 * np.eye(2)[TRUTH])
CONFIDENCE, CORRECT = PROBABILITIES.max(axis=1), PROBABILITIES.argmax(axis=1) == TRUTH
EPOCHS = [dict.fromkeys(history.COLUMNS, 0.5) | {"epoch": float(number)} for number in (1, 2, 3)]


def mistake(heat: bool) -> Mistake:
    square = RNG.integers(0, 256, (3, 32, 32), dtype=np.uint8)
    return Mistake(square, "blue/1.jpg", "blue", "brown", 0.9, 2.3, np.eye(12) if heat else None)


NAMES = [f"class number {number}" for number in range(102)]


def confused(classes: int) -> NDArray[np.int64]:
    """Return counts in which each even class is often taken for the odd one half of all classes further."""
    counts = 12 * np.eye(classes, dtype=np.int64)
    for one in range(0, classes, 2):
        counts[one, (one + classes // 2 | 1) % classes] += 6
    return counts


MISTAKES = {heat: [mistake(heat) for _ in range(5)] for heat in (False, True)}
DRAWINGS: dict[str, Callable[[], bytes]] = {
    "confusion": lambda: figures.confusion_matrix(np.array([[30, 2], [0, 28]]), ["blue", "brown"]),
    "confusion without rows": lambda: figures.confusion_matrix(np.array([[0, 0], [3, 1]]), ["blue", "brown"]),
    "confusion of many": lambda: figures.confusion_matrix(np.eye(8, dtype=np.int64), list("abcdefgh")),
    "confusion of names": lambda: figures.confusion_matrix(3 * np.eye(len(CLASSES), dtype=np.int64), CLASSES),
    "confusion of ten": lambda: figures.confusion_matrix(confused(10), NAMES[:10]),
    "confusion of a hundred": lambda: figures.confusion_matrix(confused(102), NAMES),
    "no confusion of a hundred": lambda: figures.confusion_matrix(np.eye(102, dtype=np.int64), NAMES),
    "classes": lambda: per_class.files(confused(len(CLASSES)), CLASSES)[per_class.FIGURE],
    "reliability": lambda: figures.reliability(PROBABILITIES, TRUTH, PROBABILITIES),
    "risk and coverage": lambda: figures.risk_coverage(CONFIDENCE, CORRECT, 0.8, 0.05),
    "nothing answered": lambda: figures.risk_coverage(CONFIDENCE, CORRECT, 1.1, 0.05),
    "mistakes": lambda: figures.mistakes(MISTAKES[False], "The biggest errors"),
    "saliency": lambda: figures.mistakes(MISTAKES[True], "What was looked at", columns=3),
    "no mistakes": lambda: figures.mistakes([], "The 0 biggest errors"),
    "curves": lambda: history.curves(EPOCHS),
    "curves of one epoch": lambda: history.curves(EPOCHS[:1]),
}


@pytest.mark.parametrize("draw", DRAWINGS.values(), ids=DRAWINGS.keys())
def test_a_figure_is_drawn_the_same_twice(draw: Callable[[], bytes]) -> None:
    data = draw()
    assert data == draw()
    figure = Image.open(io.BytesIO(data))
    assert figure.format == "PNG"
    assert "Software" not in figure.info
    assert all(150 < side < 2400 for side in figure.size)
    assert len(np.unique(np.asarray(figure.convert("L")))) > 5


def test_classes_that_are_taken_for_one_another_stand_side_by_side() -> None:
    order = figures._neighbours(confused(40)).tolist()
    assert sorted(order) == list(range(40))
    assert all(abs(order.index(one) - order.index((one + 20 | 1) % 40)) == 1 for one in range(0, 40, 2))


@pytest.mark.parametrize("classes", [2, 6, 10, 30, 102])
def test_no_two_labels_of_a_matrix_overlap(classes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Figure] = []
    monkeypatch.setattr(figures, "png", drawn.append)
    figures.confusion_matrix(confused(classes), NAMES[:classes])
    axes, renderer = drawn[0].axes[0], FigureCanvasAgg(drawn[0]).get_renderer()  # type: ignore[no-untyped-call]
    for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
        boxes = [label.get_window_extent(renderer) for label in labels]
        assert len(boxes) == classes
        assert not any(one.overlaps(other) for one, other in pairwise(boxes))


def test_heat_lights_what_mattered_and_darkens_the_rest() -> None:
    heat = np.zeros((12, 12))
    heat[0, 0] = 1.0
    grey = Mistake(np.full((3, 48, 48), 128, np.uint8), "a", "b", "c", 0.9, 1.0, heat)
    shown = figures._heated(grey)
    assert shown.shape == (48, 48 + 2 + 48, 3)
    assert np.allclose(shown[:, :48], 128 / 255)
    lit, dark = shown[2, 52], shown[40, 90]
    assert lit.sum() > 2 * dark.sum()
    assert lit[0] > lit[2]  # towards yellow


def test_history_is_tab_separated() -> None:
    lines = history.as_tsv(EPOCHS).splitlines()
    assert lines[0].split("\t") == list(history.COLUMNS)
    assert lines[1].split("\t") == ["1", "0.5", "0.5", "0.5", "0.5", "0.5"]
    assert len(lines) == 4
