"""The square of an eye as if in white light: the white of the eye tells what light fell on it.

Von Kries's rule (1902) on linear sRGB: each band is scaled until the white beside the iris is a neutral grey of a fixed level.
Knows nothing of where eyes are.
"""

import numpy as np
from PIL import Image

from irisline.core.linear_light import Plane, to_display, to_linear
from irisline.eyes.finder.iris_crop import WHITE_RING, polar

BESIDE = 0.35
"""Greatest slope from the centre of what is taken for white: lids are above and below."""

WHITER = (0.70, 0.96)
"""Ranks by the darkest band of what is taken for white within its ring: skin is bright in red only, gleams are few."""

LEVEL = 0.5
"""Linear level that the white is brought to; skin may be brighter."""

GREATEST_GAIN = 16.0
"""What is darker stays dark, but neutral."""

DARKEST = 0.004


def balanced(square: Image.Image) -> Image.Image:
    """Return a square that `crop` gave with the white of the eye made neutral and of one level."""
    linear = to_linear(np.asarray(square, dtype=np.uint8))
    gains = LEVEL / np.maximum(white(linear), DARKEST)
    gains *= min(1.0, GREATEST_GAIN / float(gains.max()))
    return Image.fromarray(to_display(linear * gains.astype(np.float32)))


def white(linear: Plane) -> Plane:
    """Return the colour of the white of the eye in a square of linear light: the median of the whiter part beside the iris."""
    radius, slope = polar(linear.shape[0])
    beside = linear[(radius > WHITE_RING[0]) & (radius < WHITE_RING[1]) & (np.abs(slope) < BESIDE)]
    darkest = beside.min(axis=1)
    least, greatest = np.quantile(darkest, WHITER)
    return np.asarray(np.median(beside[(darkest >= least) & (darkest <= greatest)], axis=0))
