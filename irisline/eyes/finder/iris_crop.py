"""The square a network sees of an eye: the iris in the middle, always of the same size, the person's eyes level.

Also how well the iris can be seen in it. Knows nothing of where eyes are nor of what a network makes of the square.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from irisline.eyes.finder.finder import Eye

Plane = NDArray[np.floating]

SPAN = 4.8
"""Side of the square in iris radii: the white on both sides and some skin are in it, to tell the light from the colour."""

IRIS_RING = (0.55, 0.9)
"""Inner and outer edge in iris radii of what is iris in most eyes: outside a wide pupil, inside the soft rim."""

WHITE_RING = (1.15, 1.9)
SIDEWAYS = 0.5
"""Greatest slope of the line from the centre to what is looked at: left and right of the iris, clear of the lids."""


def crop(picture: Image.Image, eye: Eye, tilt: float, size: int) -> Image.Image:
    """Return the square of SPAN radii around an eye, turned level by tilt (radians, clockwise), size pixels wide.

    What lies outside the picture repeats its edge.
    """
    scale = SPAN * eye.radius / size
    shrink = max(1, int(scale))  # a bilinear tap sees one pixel: what is shrunk more is averaged before
    box = _around(eye, shrink, picture.size)
    near = np.asarray(picture.reduce(shrink, box) if shrink > 1 else picture.crop(box), dtype=np.uint8)
    cosine, sine = math.cos(tilt) * scale / shrink, math.sin(tilt) * scale / shrink
    x, y = ((middle - corner + 0.5) / shrink - 0.5 for middle, corner in zip((eye.x, eye.y), box[:2], strict=True))
    half = (size - 1) / 2
    to_picture = np.array([[cosine, -sine, x - half * (cosine - sine)], [sine, cosine, y - half * (sine + cosine)]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    square = cv2.warpAffine(near, to_picture, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return Image.fromarray(np.asarray(square, dtype=np.uint8))


def _around(eye: Eye, step: int, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom of the part of a picture that holds the square, however it is turned.

    All are whole steps from the picture's corner, but where the picture ends.
    """
    middle, most = np.array([eye.x, eye.y]), np.array(size)
    reach = SPAN * eye.radius / math.sqrt(2) + 2 * step
    start = np.clip((middle - reach) // step, 0, (most - 1) // step) * step
    end = np.clip(np.ceil((middle + reach) / step) * step, start + step, None)
    return int(start[0]), int(start[1]), min(int(end[0]), size[0]), min(int(end[1]), size[1])


@dataclass(frozen=True)
class Visibility:
    """How well an iris can be told in its square: brightness of its parts from 0 to 1."""

    iris: float
    white: float
    pupil: float

    @property
    def contrast(self) -> float:
        """Return by how much the white is brighter than the iris, as a share of the white."""
        return (self.white - self.iris) / max(self.white, 1 / 255)


def visibility(square: Image.Image) -> Visibility:
    """Measure a square that `crop` gave."""
    grey = np.asarray(square.convert("L"), dtype=np.float32) / 255.0
    radius, slope = polar(square.width)
    beside = np.abs(slope) < SIDEWAYS
    iris = grey[(radius > IRIS_RING[0]) & (radius < IRIS_RING[1]) & beside]
    white = grey[(radius > WHITE_RING[0]) & (radius < WHITE_RING[1]) & beside]
    pupil = grey[radius < IRIS_RING[0]]
    return Visibility(float(np.median(iris)), float(np.percentile(white, 75)), float(np.percentile(pupil, 10)))


def polar(size: int) -> tuple[Plane, Plane]:
    """Return the distance of a square's pixels from its centre in iris radii, and the slope of the line to them."""
    offsets = (np.arange(size) - (size - 1) / 2) * (SPAN / size)
    x, y = np.meshgrid(offsets, offsets)
    return np.hypot(x, y), y / np.where(np.abs(x) < 1e-6, 1e-6, x)
