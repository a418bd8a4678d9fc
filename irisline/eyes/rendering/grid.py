"""The drawing surface: pixel grids in the units of what is drawn, soft masks, blending, noise and strokes.

Knows nothing of eyes. Pictures are planar: float32 of shape (3, height, width), linear reflectance.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from irisline.eyes.rendering.colour import Plane, Rgb

Points: TypeAlias = NDArray[np.float64]

SUBPIXEL_BITS = 4


@dataclass(frozen=True, eq=False)
class Grid:
    """Pixels seen from a local frame: `affine` (2 x 3) takes local coordinates (x right, y down) to pixels."""

    affine: Points
    width: int
    height: int

    @cached_property
    def _inverse(self) -> Points:
        return np.asarray(cv2.invertAffineTransform(self.affine), dtype=np.float64)

    def _coordinate(self, row: int) -> Plane:
        to_x, to_y, offset = self._inverse[row]
        columns = (to_x * np.arange(self.width) + offset).astype(np.float32)
        rows = (to_y * np.arange(self.height)).astype(np.float32)
        coordinate: Plane = columns[None, :] + rows[:, None]
        return coordinate

    @cached_property
    def x(self) -> Plane:
        """Local x of every pixel centre."""
        return self._coordinate(0)

    @cached_property
    def y(self) -> Plane:
        """Local y of every pixel centre."""
        return self._coordinate(1)

    @cached_property
    def pixel(self) -> float:
        """Side of a pixel in local units."""
        return float(np.sqrt(abs(np.linalg.det(self._inverse[:, :2]))))

    def project(self, points: Points) -> Points:
        """Pixel positions of local points, both of shape (..., 2)."""
        return points @ self.affine[:, :2].T + self.affine[:, 2]

    def local(self, origin: tuple[float, float], angle: float = 0.0, flip: bool = False) -> "Grid":
        """The same pixels seen from a frame at `origin`, turned by `angle` radians, mirrored in x if `flip`."""
        cosine, sine, side = np.cos(angle), np.sin(angle), -1.0 if flip else 1.0
        frame = np.array([[side * cosine, -side * sine, origin[0]], [sine, cosine, origin[1]], [0.0, 0.0, 1.0]])
        return Grid(self.affine @ frame, self.width, self.height)

    def half(self) -> "Grid":
        """The same view with half as many pixels each way."""
        return Grid(_scaled(self.affine, 0.5), (self.width + 1) // 2, (self.height + 1) // 2)

    def window(self, box: tuple[float, float, float, float]) -> tuple[int, int, int, int] | None:
        """Pixel bounds (top, bottom, left, right) of a local box (x0, y0, x1, y1); None when out of the picture."""
        x0, y0, x1, y1 = box
        corners = self.project(np.array([[x0, y0], [x1, y0], [x0, y1], [x1, y1]]))
        left, top = np.maximum(np.floor(corners.min(axis=0)), 0).astype(int)
        right, bottom = np.minimum(np.ceil(corners.max(axis=0)) + 1, (self.width, self.height)).astype(int)
        return None if right - left < 2 or bottom - top < 2 else (int(top), int(bottom), int(left), int(right))

    def zoom(self, bounds: tuple[int, int, int, int], factor: int) -> "Grid":
        """A grid over pixel bounds (top, bottom, left, right) with `factor` times as many pixels each way."""
        top, bottom, left, right = bounds
        moved = self.affine.copy()
        moved[:, 2] -= (left, top)
        return Grid(_scaled(moved, float(factor)), (right - left) * factor, (bottom - top) * factor)


def _scaled(affine: Points, factor: float) -> Points:
    """Rescale pixels, keeping the outer edges of the picture in place."""
    scaled = affine * factor
    scaled[:, 2] += (factor - 1.0) / 2.0
    return scaled


def inside(distance: Plane, softness: float) -> Plane:
    """Coverage 0..1 from a signed distance (negative inside), with an edge `softness` wide."""
    coverage: Plane = np.clip(0.5 - distance / softness, 0.0, 1.0)
    return coverage


def ramp(value: Plane, start: float | Plane, stop: float | Plane) -> Plane:
    """Smooth step from 0 at `start` to 1 at `stop`, which may be the smaller one."""
    t: Plane = np.clip((value - start) / (stop - start), 0.0, 1.0)
    smooth: Plane = t * t * (3.0 - 2.0 * t)
    return smooth


def bump(grid: Grid, centre: tuple[float, float], size: tuple[float, float]) -> Plane:
    """A Gaussian hill of height 1."""
    dx, dy = (grid.x - centre[0]) / size[0], (grid.y - centre[1]) / size[1]
    hill: Plane = np.exp(-0.5 * (dx * dx + dy * dy))
    return hill


def ellipse(grid: Grid, centre: tuple[float, float], size: tuple[float, float]) -> Plane:
    """Approximate signed distance to an ellipse of half-axes `size`."""
    dx, dy = (grid.x - centre[0]) / size[0], (grid.y - centre[1]) / size[1]
    distance: Plane = (np.sqrt(dx * dx + dy * dy) - 1.0) * min(size)
    return distance


def blend(canvas: Plane, colour: Rgb | Plane, alpha: Plane) -> None:
    """Lay a colour, or a picture of the canvas's shape, over the canvas where alpha is above 0."""
    for band in range(3):
        canvas[band] += alpha * (colour[band] - canvas[band])


def noise(random: np.random.Generator, shape: tuple[int, int], cells: tuple[float, float]) -> Plane:
    """Smooth noise of unit variance at its nodes, with about `cells` (down, across) nodes over the picture."""
    nodes = (max(2, round(cells[0])), max(2, round(cells[1])))
    values = random.standard_normal(nodes, dtype=np.float32)
    return np.asarray(cv2.resize(values, shape[::-1], interpolation=cv2.INTER_CUBIC), dtype=np.float32)


def strokes(grid: Grid, outlines: Points, factor: int = 2) -> Plane:
    """Coverage 0..1 of thin polygons of shape (n, corners, 2) in local coordinates, supersampled `factor` times."""
    mask = np.zeros((grid.height * factor, grid.width * factor), dtype=np.uint8)
    pixels = (grid.project(outlines) + 0.5) * factor - 0.5
    for corners in np.round(pixels * (1 << SUBPIXEL_BITS)).astype(np.int32):
        cv2.fillPoly(mask, [corners], 255, cv2.LINE_AA, SUBPIXEL_BITS)
    small = cv2.resize(mask, (grid.width, grid.height), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32) / np.float32(255.0)


def blades(starts: Points, bends: Points, tips: Points, widths: Points, taper: float = 0.1) -> Points:
    """Outlines of hairs: quadratic Bezier curves from points of shape (n, 2), `widths` (n) at the root, `taper` of it
    at the tip."""
    t = np.linspace(0.0, 1.0, 6)[None, :, None]
    a, b, c = starts[:, None], bends[:, None], tips[:, None]
    spine = (1 - t) ** 2 * a + 2 * t * (1 - t) * b + t**2 * c
    along = (1 - t) * (b - a) + t * (c - b)
    across = np.stack([-along[..., 1], along[..., 0]], axis=-1)
    across /= np.linalg.norm(across, axis=-1, keepdims=True) + 1e-9
    half = 0.5 * widths[:, None, None] * (1.0 - (1.0 - taper) * t)
    return np.concatenate([spine + across * half, (spine - across * half)[:, ::-1]], axis=1)
