"""A picture in 16 × 16 colours: what is kept to tell whether two pictures look the same, without their files."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 16  # pixels; what is smaller than one of them is not seen
BYTES = SIDE * SIDE * 3

Thumbnails = NDArray[np.uint8]


def of(image: Image.Image) -> bytes:
    """Return the thumbnail of an RGB picture, squashed to a square: 768 bytes, the rows one after the other."""
    return image.resize((SIDE, SIDE), Image.Resampling.BILINEAR).tobytes()


def stacked(thumbnails: Sequence[bytes]) -> Thumbnails:
    """Return thumbnails as one array, uint8 (n, SIDE, SIDE, 3)."""
    return np.frombuffer(b"".join(thumbnails), np.uint8).reshape(-1, SIDE, SIDE, 3)
