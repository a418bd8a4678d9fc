"""A scene as pixels, and what is true of it: where its irises are and what light they are in.

Knows nothing of files or labels.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from irisline.core.seeding import generator
from irisline.eyes.rendering.camera import develop, illuminate, meter
from irisline.eyes.rendering.colour import Plane
from irisline.eyes.rendering.eye import BOX, iris_centre, paint_eye
from irisline.eyes.rendering.face import paint_beard, paint_brow, paint_head
from irisline.eyes.rendering.grid import Grid, Points
from irisline.eyes.rendering.scene import Scene
from irisline.eyes.rendering.spectacles import draw_still_life, paint_spectacles
from irisline.eyes.rendering.surroundings import (
    paint_back_hair,
    paint_background,
    paint_clothing,
    paint_front_hair,
    shadow_across,
)

SIDES = ("left", "right")
"""Sides of the picture, not of the person."""

BROW_BOX = (-3.6, -6.4, 4.4, -1.0)
"""What `paint_brow` may touch, in the frame of an eye."""

FINE_SCALE = 24.0
"""Below this many pixels per iris radius an eye is drawn at twice the size and averaged."""


@dataclass(frozen=True)
class TrueIris:
    """An iris as drawn: centre and radius in pixels, its colour name, whether its centre is in the picture."""

    side: str
    colour: str
    x: float
    y: float
    radius: float
    visible: bool


def render(scene: Scene) -> NDArray[np.uint8]:
    """The picture of a scene: RGB of shape (height, width, 3)."""
    grid = _face_grid(scene)
    canvas = np.empty((3, grid.height, grid.width), dtype=np.float32)
    paint_background(canvas, grid, scene)
    paint_back_hair(canvas, grid, scene)
    paint_head(canvas, grid, scene)
    paint_clothing(canvas, grid, scene)
    exposure = meter(canvas, scene.camera)
    for side in SIDES:
        _paint_side(canvas, grid, scene, side)
    paint_beard(canvas, grid, scene)
    paint_spectacles(canvas, grid, scene)
    paint_front_hair(canvas, grid, scene)
    shadow = shadow_across(grid, scene)
    if shadow is not None:
        canvas *= shadow
    return _photograph(canvas, scene, exposure)


def render_spectacles(scene: Scene) -> NDArray[np.uint8]:
    """A picture with the scene's spectacles on a table and no eye: RGB of shape (height, width, 3)."""
    canvas = draw_still_life(_face_grid(scene), scene)
    return _photograph(canvas, scene, meter(canvas, scene.camera))


def true_irises(scene: Scene) -> tuple[TrueIris, TrueIris]:
    """Where the irises are in the picture that `render` draws."""
    left, right = (_true_iris(scene, side) for side in SIDES)
    return left, right


def _photograph(canvas: Plane, scene: Scene, exposure: float) -> NDArray[np.uint8]:
    illuminate(canvas, scene.light, scene.camera)
    return develop(canvas, scene.camera, exposure, scene.key)


def _face_grid(scene: Scene) -> Grid:
    framing = scene.framing
    cosine, sine = np.cos(framing.tilt) * framing.scale, np.sin(framing.tilt) * framing.scale
    turn = np.array([[cosine, -sine], [sine, cosine]])
    middle = np.array([(framing.width - 1) / 2, (framing.height - 1) / 2])
    offset = middle - turn @ np.array(framing.centre)
    return Grid(np.column_stack([turn, offset]), framing.width, framing.height)


def _eye_grid(grid: Grid, scene: Scene, side: str) -> Grid:
    """The frame of an eye: x towards the temple, slanted with the lids."""
    left = side == "left"
    half = scene.person.pupil_distance / 2
    lift = float(generator(scene.key, f"lift/{side}").normal(0.0, 0.12))
    slant = scene.eyes.slant
    return grid.local((-half if left else half, lift), -slant if left else slant, flip=left)


def _paint_side(canvas: Plane, grid: Grid, scene: Scene, side: str) -> None:
    """Brow and eye at one side, each in a window of its own, finer than the picture where it is small."""
    eye, iris = _eye_grid(grid, scene, side), scene.irises[SIDES.index(side)]
    factor = 2 if scene.framing.scale < FINE_SCALE else 1
    for box in (BROW_BOX, BOX):
        bounds = eye.window(box)
        if bounds is None:
            continue
        top, bottom, left, right = bounds
        fine = canvas[:, top:bottom, left:right].repeat(factor, axis=1).repeat(factor, axis=2)
        if box is BOX:
            paint_eye(fine, eye.zoom(bounds, factor), scene, iris, side)
        else:
            paint_brow(fine, eye.zoom(bounds, factor), scene, side)
        blocks = fine.reshape(3, bottom - top, factor, right - left, factor)
        canvas[:, top:bottom, left:right] = blocks.mean(axis=(2, 4))


def _true_iris(scene: Scene, side: str) -> TrueIris:
    eye = _eye_grid(_face_grid(scene), scene, side)
    at: Points = np.array([iris_centre(scene.eyes, side)])
    x, y = (float(value) for value in eye.project(at)[0])
    visible = 0 <= x < eye.width and 0 <= y < eye.height
    colour = scene.irises[SIDES.index(side)].colour
    return TrueIris(side, colour, x, y, scene.framing.scale, visible)
