"""A picture at many sizes, so that an iris of any radius is seen at the one radius the finder knows.

Knows nothing of eyes but that they are round.
"""

import math
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

RADIUS = 4.0
"""Pixels per iris radius at the level where an iris is looked for: 6 finds no more and takes three times as long."""

STEP = 1.26
"""From one level's radius to the next: an iris between two is off by 12 %, which votes and network forgive."""

SMALLEST_SIDE = 8


@dataclass
class Pyramid:
    """RGB pixels of shape (height, width, 3) and their resized copies, made when first asked for."""

    pixels: Pixels
    smallest: float
    """Radius in pixels that level 0 is made for; levels below are finer."""
    _levels: dict[int, Pixels] = field(default_factory=dict)
    _halves: list[Pixels] = field(default_factory=list)

    def radius(self, level: int) -> float:
        """Return the radius in pixels of the picture that is RADIUS at a level."""
        return self.smallest * STEP**level

    def levels_of(self, radii: NDArray[np.floating]) -> NDArray[np.intp]:
        """Return for each radius the level at which it is nearest to RADIUS."""
        return np.asarray(np.round(np.log(radii / self.smallest) / math.log(STEP)), dtype=np.intp)

    def levels_up_to(self, largest: float) -> range:
        """Return the levels for radii from the smallest to a largest one."""
        return range(int(self.levels_of(np.array(largest))) + 1)

    def at(self, level: int) -> Pixels:
        """Return the picture at a level."""
        if level not in self._levels:
            height, width = self.pixels.shape[:2]
            scale = RADIUS / self.radius(level)
            size = max(SMALLEST_SIDE, round(width * scale)), max(SMALLEST_SIDE, round(height * scale))
            self._levels[level] = np.asarray(cv2.resize(self._half(scale), size), dtype=np.uint8)
        return self._levels[level]

    def _half(self, scale: float) -> Pixels:
        """Return the smallest of the halved copies that is not smaller than the picture times scale."""
        octave = max(0, math.floor(-math.log2(scale)))
        self._halves = self._halves or [self.pixels]
        while len(self._halves) <= octave:
            last = self._halves[-1]
            size = max(1, last.shape[1] // 2), max(1, last.shape[0] // 2)
            self._halves.append(np.asarray(cv2.resize(last, size, interpolation=cv2.INTER_AREA), dtype=np.uint8))
        return self._halves[octave]

    def scales(self, level: int) -> tuple[float, float]:
        """Return how many pixels of a level one pixel of the picture is, across and down."""
        height, width = self.at(level).shape[:2]
        return width / self.pixels.shape[1], height / self.pixels.shape[0]
