"""What a model looks at is what lights up."""

from pathlib import Path

import numpy as np

from irisline.dataset import images
from irisline.inference import saliency
from irisline.inference.classifier import Classifier
from tests import planted
from tests.planted import SIZE


def test_a_model_that_looks_at_one_corner_lights_that_corner(tmp_path: Path) -> None:
    weights = np.zeros((3, SIZE, SIZE, 2), np.float32)
    weights[:, : SIZE // 4, SIZE - SIZE // 4 :] = (0.1, -0.1)
    network = planted.linear(weights, np.array([-1.0, 1.0], np.float32))
    classifier = Classifier.load(planted.model(tmp_path, network))
    rng = np.random.default_rng(0)
    square = rng.integers(0, 60, (3, SIZE, SIZE), dtype=np.uint8)
    square[:, : SIZE // 4, SIZE - SIZE // 4 :] = 250
    heat = saliency.occlusion(classifier, square)
    assert heat.shape == (saliency.GRID, saliency.GRID)
    row, column = np.unravel_index(heat.argmax(), heat.shape)
    half = saliency.GRID // 2
    assert row < half <= column
    assert heat.max() > 0.05
    assert np.abs(heat[half:]).max() < 1e-6
    assert np.abs(heat[:, : half - 1]).max() < 1e-6


def test_a_model_that_looks_at_nothing_lights_nothing(tmp_path: Path) -> None:
    network = planted.linear(np.zeros((3, SIZE, SIZE, 2), np.float32), np.array([1.0, 0.0], np.float32))
    classifier = Classifier.load(planted.model(tmp_path, network))
    square = images.square(planted.picture(), SIZE, "squash")
    before = square.copy()
    assert not saliency.occlusion(classifier, square).any()
    assert np.array_equal(square, before)
