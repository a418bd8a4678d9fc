"""The colour of an iris against its surroundings, as numbers: enough to tell labels that are wrong, for a linear model.

The white of the eye and the skin beside it show the light, so differences to them say what the iris would look like in
another. Chosen by measurement: with plain colours a model errs on 4 % of the drawn pool, with these on 3 %. Knows nothing of
how eyes are found.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from irisline.eyes.finder.iris_crop import SPAN
from irisline.eyes.finder.pyramid import Pixels

Numbers = NDArray[np.float32]
Mask = NDArray[np.bool_]

INNER, OUTER = (0.5, 0.7), (0.7, 0.92)
"""Rings of the iris, in its radii: beside a wide pupil, and inside the soft rim."""

WHITE, SKIN = (1.15, 1.9), 2.0
BESIDE, BELOW_LIDS, ABOVE_OR_BELOW = 0.6, 1.2, 1.0
"""Slopes of the line from the centre: the white lies left and right, the lids cover what is steep, skin is above and below."""

DARKEST = 0.01
"""Added to brightness from 0 to 1, so that black has a logarithm."""


def contrasts(square: Pixels) -> Numbers:
    """Return 23 numbers for the square of an eye, uint8 (3, size, size), as `finder.crop` cuts it."""
    rgb = np.ascontiguousarray(square.transpose(1, 2, 0), dtype=np.float32) / 255
    zones = _zones(square.shape[1])
    inner, outer, white, skin = zones
    lab = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB), dtype=np.float32)
    light, rim = _bright(lab[white]), _middle(lab[outer])
    shades = [rim - light, _middle(lab[inner]) - light, rim - _middle(lab[skin]), light]
    return np.concatenate([*shades, *_ratios(np.log(rgb + np.float32(DARKEST)), *zones)])


def _ratios(logarithms: Numbers, inner: Mask, outer: Mask, white: Mask, skin: Mask) -> list[Numbers]:
    light, brightest = _bright(logarithms[white]), _bright(logarithms[inner | outer])
    parts = [_middle(logarithms[outer]), _middle(logarithms[inner]), brightest]
    against_skin = _tint(brightest - _middle(logarithms[skin]))
    return [*(_tint(part - light) for part in parts), against_skin[[0, 2]]]


def _middle(pixels: Numbers) -> Numbers:
    return np.asarray(np.median(pixels, axis=0), dtype=np.float32)


def _bright(pixels: Numbers) -> Numbers:
    """Return what a quarter of the pixels is above: lashes and shade do not pull it down."""
    return np.asarray(np.percentile(pixels, 75, axis=0), dtype=np.float32)


def _tint(ratio: Numbers) -> Numbers:
    """Return how much bluer than red, greener than red, and brighter."""
    return np.array([ratio[2] - ratio[0], ratio[1] - ratio[0], ratio.mean()], dtype=np.float32)


def _zones(size: int) -> tuple[Mask, Mask, Mask, Mask]:
    offsets = (np.arange(size) - (size - 1) / 2) * (SPAN / size)
    x, y = np.meshgrid(offsets, offsets)
    radius, slope = np.hypot(x, y), np.abs(y / np.where(np.abs(x) < 1e-6, 1e-6, x))
    inner, outer, white = ((radius > low) & (radius < high) for low, high in (INNER, OUTER, WHITE))
    open_lids = slope < BELOW_LIDS
    return inner & open_lids, outer & open_lids, white & (slope < BESIDE), (radius > SKIN) & (slope > ABOVE_OR_BELOW)
