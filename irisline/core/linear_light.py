"""sRGB pixels as linear light and back: light is added and scaled in it. Knows nothing of pictures."""

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.floating]
Pixels = NDArray[np.uint8]


def to_linear(pixels: Pixels) -> Plane:
    """Return linear light from 0 to 1 of sRGB pixels (IEC 61966-2-1)."""
    return _LINEAR[pixels]


def to_display(linear: Plane) -> Pixels:
    """Return sRGB pixels of linear light; what is brighter than 1 is white."""
    held = np.clip(linear, 0.0, 1.0)
    curved = np.where(held <= 0.0031308, 12.92 * held, 1.055 * held ** np.float32(1 / 2.4) - 0.055)
    return np.asarray(np.round(255.0 * curved), dtype=np.uint8)


_LEVELS = np.arange(256) / 255.0
_LINEAR = np.where(_LEVELS <= 0.04045, _LEVELS / 12.92, ((_LEVELS + 0.055) / 1.055) ** 2.4).astype(np.float32)
