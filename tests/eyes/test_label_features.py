"""The colour of an iris against its surroundings: the same in warm and cold light, other for another iris."""

import numpy as np

from irisline.dataset.images import Pixels
from irisline.eyes import label_features

SKIN, WHITE = (190, 140, 110), (225, 220, 215)
BLUE, BROWN = (90, 120, 160), (110, 70, 45)


def eye(iris: tuple[int, int, int], light: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> Pixels:
    """Draw the square of an eye in flat colours: 4.8 iris radii wide, the white beside the iris, skin around."""
    offsets = (np.arange(96) - 47.5) / 20
    x, y = np.meshgrid(offsets, offsets)
    square = np.empty((96, 96, 3))
    square[:] = SKIN
    square[np.abs(y) < 1.1] = WHITE
    square[np.hypot(x, y) < 1] = iris
    square[np.hypot(x, y) < 0.4] = 15
    return (square * light).clip(0, 255).astype(np.uint8).transpose(2, 0, 1)


def test_a_blue_iris_is_bluer_against_the_white_than_a_brown_one() -> None:
    blue, brown = label_features.contrasts(eye(BLUE)), label_features.contrasts(eye(BROWN))
    assert blue.shape == (23,)
    assert (blue.dtype, bool(np.isfinite(blue).all())) == (np.dtype(np.float32), True)
    assert blue[12] > 0.5 > 0 > brown[12]  # blue against red, rim against white


def test_light_changes_the_colour_of_an_iris_more_than_its_ratio_to_the_white() -> None:
    plain, warm = label_features.contrasts(eye(BLUE)), label_features.contrasts(eye(BLUE, (1.0, 0.85, 0.6)))
    assert np.abs(plain[12:] - warm[12:]).max() < 0.06
    assert np.abs(plain[9:12] - warm[9:12]).max() > 10  # the white itself shows the light


def test_black_has_contrasts_too() -> None:
    assert np.isfinite(label_features.contrasts(np.zeros((3, 32, 32), np.uint8))).all()
