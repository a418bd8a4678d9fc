"""Where a pixel lies as seen from an eye, in iris radii, and soft edges. Knows nothing of what is changed there."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from irisline.eyes.finder import Eye

Plane = NDArray[np.floating]


@dataclass(frozen=True)
class EyeCoordinates:
    """A window of a picture around an eye, and where each of its pixels lies: in iris radii, level with the person's eyes."""

    rows: slice
    columns: slice
    across: Plane  # from the centre of the iris to the right
    down: Plane


def near(size: tuple[int, int], eye: Eye, tilt: float, reach: float) -> EyeCoordinates:
    """Return the window of a picture (width, height) that reaches so many iris radii around an eye; tilt in radians."""
    columns, rows = (
        slice(max(0, int(middle - reach * eye.radius)), max(0, min(side, int(middle + reach * eye.radius) + 2)))
        for middle, side in zip((eye.x, eye.y), size, strict=True)
    )
    x = (np.arange(columns.start, columns.stop, dtype=np.float32) - np.float32(eye.x)) / np.float32(eye.radius)
    y = (np.arange(rows.start, rows.stop, dtype=np.float32) - np.float32(eye.y))[:, None] / np.float32(eye.radius)
    cosine, sine = np.float32(math.cos(tilt)), np.float32(math.sin(tilt))
    return EyeCoordinates(rows, columns, x * cosine + y * sine, y * cosine - x * sine)


def inside(distance: Plane, softness: float) -> Plane:
    """Return 1 well inside an edge, 0 well outside of it, and half on it, for signed distances to it."""
    share = np.clip(np.float32(0.5) - distance / np.float32(softness), 0.0, 1.0)
    return np.asarray(share * share * (3.0 - 2.0 * share))
