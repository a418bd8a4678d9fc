"""sRGB pixels as linear light and back: light is added and scaled in it, also towards a lamp or open shade.

Knows nothing of pictures.
"""

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.floating]
Pixels = NDArray[np.uint8]

WARM, COLD = (1.329, 0.920, 0.522), (0.934, 0.997, 1.196)
"""Gains in linear sRGB of the light of a lamp, 3000 K, and of open shade, 10000 K, when a camera makes up for half of it.

Square roots of black bodies of luminance 1, by Kim et al. (US patent 7024034, 2002).
"""


def to_linear(pixels: Pixels) -> Plane:
    """Return linear light from 0 to 1 of sRGB pixels (IEC 61966-2-1)."""
    return _LINEAR[pixels]


def to_display(linear: Plane) -> Pixels:
    """Return sRGB pixels of linear light; what is brighter than 1 is white."""
    held = np.clip(linear, 0.0, 1.0)
    curved = np.where(held <= 0.0031308, 12.92 * held, 1.055 * held ** np.float32(1 / 2.4) - 0.055)
    return np.asarray(np.round(255.0 * curved), dtype=np.uint8)


def in_light(pixels: Pixels, warmth: float) -> Pixels:
    """Return sRGB pixels (..., 3) in other light: 1 is a lamp's, -1 that of open shade, between are powers of their gains.

    Each band of linear light is scaled (von Kries 1902).
    """
    gains = np.array(WARM if warmth > 0 else COLD, dtype=np.float32) ** np.float32(abs(warmth))
    return to_display(to_linear(pixels) * gains)


_LEVELS = np.arange(256) / 255.0
_LINEAR = np.where(_LEVELS <= 0.04045, _LEVELS / 12.92, ((_LEVELS + 0.055) / 1.055) ** 2.4).astype(np.float32)
