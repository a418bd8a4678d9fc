"""Where irises may be: dark discs of any size, by the votes of their edges.

Each edge votes for the centre that it would be the rim of; votes are counted by convolution, one ring per level of a pyramid.
A radial symmetry transform (Loy and Zelinsky 2003) of one sign; like Daugman's operator (1993) it trusts the left and right of
the rim more than what lids cover. Knows nothing of lids, faces or colours.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from irisline.eyes.finder.pyramid import RADIUS, Pixels, Pyramid

Map = NDArray[np.float32]

RED = 0
"""The band that votes are counted in: skin and white are brightest there, and blue irises as dark as they get."""

WEAK_EDGE = 6.0
"""Levels of 255 a pixel at which an edge has half its vote: strong edges of hair and frames must not drown an iris."""

RING_WIDTH = 0.8
BLUR = 0.67
TOP_AND_BOTTOM = 0.35
"""Share of a vote that is left where lids cover the rim."""

LEAST_VOTE = 0.1
APART = 3
"""Pixels of a level between two candidates."""


@dataclass(frozen=True)
class Place:
    """A disc in a picture: centre and radius in pixels."""

    x: float
    y: float
    radius: float


def _ring() -> tuple[Map, Map]:
    # 11 pixels across: OpenCV filters what is larger by Fourier transform, 6 times as long
    reach = int(RADIUS + 2 * RING_WIDTH)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
    distance = np.hypot(x, y) + np.float32(1e-6)
    weight = np.exp(-0.5 * ((distance - RADIUS) / RING_WIDTH) ** 2)
    weight *= TOP_AND_BOTTOM + (1.0 - TOP_AND_BOTTOM) * (x / distance) ** 2
    weight /= weight.sum()
    return (weight * x / distance).astype(np.float32), (weight * y / distance).astype(np.float32)


_ACROSS, _DOWN = _ring()


def votes(level: Pixels) -> Map:
    """Return for each pixel the share of a dark disc's rim of RADIUS that is around it, 1 for a perfect one."""
    band = cv2.GaussianBlur(level[..., RED].astype(np.float32), (0, 0), BLUR)
    across = cv2.Scharr(band, cv2.CV_32F, 1, 0, scale=1 / 32)
    down = cv2.Scharr(band, cv2.CV_32F, 0, 1, scale=1 / 32)
    strength = cv2.magnitude(across, down) + np.float32(WEAK_EDGE)
    rims = cv2.filter2D(across / strength, -1, _ACROSS, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(
        rims + cv2.filter2D(down / strength, -1, _DOWN, borderType=cv2.BORDER_REPLICATE), dtype=np.float32
    )


def candidates(pyramid: Pyramid, largest: float, per_level: int) -> list[Place]:
    """Return the places with the most votes of each level, for radii up to a largest one."""
    return [place for level in pyramid.levels_up_to(largest) for place in _peaks(pyramid, level, per_level)]


def _peaks(pyramid: Pyramid, level: int, count: int) -> list[Place]:
    total = votes(pyramid.at(level))
    highest = cv2.dilate(total, np.ones((2 * APART + 1, 2 * APART + 1), dtype=np.uint8))
    rows, columns = np.divmod(np.flatnonzero((total >= highest) & (total > LEAST_VOTE)), total.shape[1])
    order = np.argsort(-total[rows, columns], kind="stable")[:count]
    across, down = pyramid.scales(level)
    return [
        Place(
            (float(columns[i]) + 0.5) / across - 0.5,
            (float(rows[i]) + 0.5) / down - 0.5,
            pyramid.radius(level),
        )
        for i in order
    ]
