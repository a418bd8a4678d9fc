"""Figures are pictures of a sensible size, the same bytes for the same numbers."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from irisline.evaluation import figures
from irisline.evaluation.figures import Mistake
from irisline.inference import calibration
from irisline.training import history

RNG = np.random.default_rng(3)
TRUTH = np.arange(60) % 2
PROBABILITIES = calibration.softmax(RNG.normal(0, 1, (60, 2)) + 2 * np.eye(2)[TRUTH])
CONFIDENCE, CORRECT = PROBABILITIES.max(axis=1), PROBABILITIES.argmax(axis=1) == TRUTH
EPOCHS = [dict.fromkeys(history.COLUMNS, 0.5) | {"epoch": float(number)} for number in (1, 2, 3)]


def mistake(heat: bool) -> Mistake:
    square = RNG.integers(0, 256, (3, 32, 32), dtype=np.uint8)
    return Mistake(square, "blue/1.jpg", "blue", "brown", 0.9, 2.3, np.eye(12) if heat else None)


MISTAKES = {heat: [mistake(heat) for _ in range(5)] for heat in (False, True)}
DRAWINGS: dict[str, Callable[[], bytes]] = {
    "confusion": lambda: figures.confusion_matrix(np.array([[30, 2], [0, 28]]), ["blue", "brown"]),
    "confusion without rows": lambda: figures.confusion_matrix(np.array([[0, 0], [3, 1]]), ["blue", "brown"]),
    "confusion of many": lambda: figures.confusion_matrix(np.eye(8, dtype=np.int64), list("abcdefgh")),
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
    assert all(150 < side < 2000 for side in figure.size)
    assert len(np.unique(np.asarray(figure.convert("L")))) > 5


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
