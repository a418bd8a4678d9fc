"""A picture in warmer or colder light than it was taken in, as cameras show it. Knows nothing of what such pictures are for."""

import numpy as np
from PIL import Image

from irisline.core.linear_light import to_display, to_linear

WARM, COLD = (1.329, 0.920, 0.522), (0.934, 0.997, 1.196)
"""Gains in linear sRGB of the light of a lamp, 3000 K, and of open shade, 10000 K, when a camera makes up for half of it.

Square roots of black bodies of luminance 1, by Kim et al. (US patent 7024034, 2002).
"""

LEAST_COLOUR = 6  # of 255 between bands; grey pictures stored as JPEG have 0 to 2


def lit(picture: Image.Image, warmth: float) -> Image.Image:
    """Return an RGB picture in other light: 1 is a lamp's, -1 open shade, between them are powers of their gains.

    Each band of linear light is scaled (von Kries 1902).
    """
    gains = np.array(WARM if warmth > 0 else COLD, dtype=np.float32) ** np.float32(abs(warmth))
    return Image.fromarray(to_display(to_linear(np.asarray(picture, dtype=np.uint8)) * gains))


def is_grey(picture: Image.Image) -> bool:
    """Return whether an RGB picture has no colour but what JPEG adds to grey."""
    return float(np.percentile(np.ptp(np.asarray(picture), axis=2), 95)) < LEAST_COLOUR
