"""Where faces are, by OpenCV's Haar cascade (Viola and Jones 2001; Lienhart's alt2), and where their eyes must then be.

Knows nothing of irises.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from irisline.eyes.finder.pyramid import Pixels

CASCADE = "haarcascade_frontalface_alt2.xml"

LONG_SIDE = 144
"""Pixels of the picture that faces are looked for in: the smallest is then 20 wide, the cascade's least."""

SIZES = ((0.2, 1.0), (0.14, 0.22))
"""Least and greatest width of a face in shares of the longer side, near ones first: they cost a third of the time.

At 640 pixels the irises of a smaller face are less than seven pixels wide.
"""

SCALE_STEP = 1.25
NEIGHBOURS = 3
LEAST_WINDOW = 20

WINDOW = (0.08, 0.14, 0.92, 0.58)
"""Left, top, right, bottom of where eyes are, in shares of a face's box, with room for a tilt of 20 degrees."""

IRIS_SHARES = (0.024, 0.056)
"""Least and greatest radius of an iris in shares of a face's box."""


@dataclass(frozen=True)
class Box:
    """A square in a picture, in pixels, around a face."""

    left: float
    top: float
    side: float


class _OfThread(threading.local):
    """A cascade for each thread: OpenCV's keeps the picture that it is at work on."""

    def __init__(self) -> None:
        self.cascade = cv2.CascadeClassifier(str(Path(cv2.__file__).parent / "data" / CASCADE))


_own = _OfThread()


def find_faces(pixels: Pixels, tilt: float = 0.0) -> Iterator[list[Box]]:
    """Yield the boxes of frontal faces: of near ones, then of those farther away; in each, the largest first.

    The boxes are upright, the faces in them tilted by some degrees, clockwise.
    """
    scale = min(1.0, LONG_SIDE / max(pixels.shape[:2]))
    grey = _small(pixels, scale)
    middle = (grey.shape[1] - 1) / 2, (grey.shape[0] - 1) / 2
    turn = np.asarray(cv2.getRotationMatrix2D(middle, tilt, 1.0), dtype=np.float64)
    if tilt:
        turned = cv2.warpAffine(grey, turn, grey.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
        grey = np.asarray(turned, dtype=np.uint8)
    for least, greatest in SIZES:
        sides = [max(LEAST_WINDOW, round(share * max(grey.shape))) for share in (least, greatest)]
        boxes = _own.cascade.detectMultiScale(
            grey, SCALE_STEP, NEIGHBOURS, minSize=(sides[0], sides[0]), maxSize=(sides[1], sides[1])
        )
        found = [_turned_back(Box(float(x), float(y), float(side)), turn, scale) for x, y, side, _ in boxes]
        yield sorted(found, key=lambda box: (-box.side, box.left, box.top))


def _turned_back(box: Box, turn: NDArray[np.floating], scale: float) -> Box:
    """The box of the whole, upright picture for one of the small, turned picture."""
    half = box.side / 2
    x, y = turn[:, :2].T @ (np.array([box.left + half, box.top + half]) - turn[:, 2])
    return Box(float(x - half) / scale, float(y - half) / scale, box.side / scale)


def _small(pixels: Pixels, scale: float) -> Pixels:
    """The picture in grey: halved, which is fast, as long as it may be."""
    height, width = pixels.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    while min(grey.shape) > 1 and max(grey.shape) >= 2 * LONG_SIDE:
        half = max(1, grey.shape[1] // 2), max(1, grey.shape[0] // 2)
        grey = cv2.resize(grey, half, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def eye_window(box: Box, pixels: Pixels) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom of the part of a picture where a face's eyes are."""
    height, width = pixels.shape[:2]
    left, top, right, bottom = (share * box.side for share in WINDOW)
    bounds = np.array([box.left + left, box.top + top, box.left + right, box.top + bottom]).round().astype(int)
    return max(0, int(bounds[0])), max(0, int(bounds[1])), min(width, int(bounds[2])), min(height, int(bounds[3]))
