"""Spectacles: on a face, or lying on a table with no eye in the picture.

Knows nothing of eyes or labels.
"""

import numpy as np

from irisline.core.seeding import generator
from irisline.eyes.rendering import colour as palette
from irisline.eyes.rendering.colour import Plane
from irisline.eyes.rendering.grid import Grid, blend, bump, inside, noise, ramp
from irisline.eyes.rendering.scene import Scene, Things


def paint_spectacles(canvas: Plane, grid: Grid, scene: Scene) -> None:
    """Spectacles in front of the eyes, with a tint, streaks of reflected light and a shadow on the skin."""
    if scene.things.glasses == "none":
        return
    _paint(canvas, grid, scene, scene.person.face_width)


def _paint(canvas: Plane, grid: Grid, scene: Scene, reach: float) -> None:
    things, distance = scene.things, scene.person.pupil_distance
    random, wide = generator(scene.key, "spectacles"), things.glasses_size[0]
    rim = _lens_distance(grid, things, distance)
    lens = inside(rim, 0.2)
    canvas *= 1.0 - 0.10 * lens
    slant, at = float(random.uniform(-0.8, 0.8)), float(random.uniform(-6.0, 6.0))
    streak = np.exp(-(((grid.x + slant * grid.y - at) / float(random.uniform(0.5, 1.6))) ** 2))
    canvas += things.reflection * lens * streak * ramp(grid.y, 1.5, -2.0)
    canvas *= 1.0 - 0.3 * inside(np.abs(rim) - things.glasses_width, 0.9)
    frame = np.abs(rim - things.glasses_width / 2) - things.glasses_width / 2
    bridge = np.maximum(np.abs(grid.x) - distance / 2 + wide - 0.1, np.abs(grid.y + 0.9 - 0.15 * grid.x**2) - 0.25)
    arms = np.maximum(distance / 2 + wide - np.abs(grid.x), np.abs(grid.x) - reach)
    arms = np.maximum(arms, np.abs(grid.y + 1.0) - 0.4)
    cover = inside(np.minimum(np.minimum(frame, bridge), arms), max(grid.pixel, 0.06))
    gleam = 1.0 + 2.0 * ramp(rim, 0.0, things.glasses_width) * ramp(grid.y, 0.0, -2.0)
    blend(canvas, np.stack([np.float32(band) * gleam for band in things.glasses_colour]), cover)


def _lens_distance(grid: Grid, things: Things, distance: float) -> Plane:
    """Signed distance to the nearer lens: round or a rounded square."""
    wide, tall = min(things.glasses_size[0], distance / 2 - 0.6), things.glasses_size[1]
    dx, dy = (np.abs(grid.x) - distance / 2) / wide, (grid.y - 0.25) / tall
    power = 2 if things.glasses == "round" else 4
    lens: Plane = ((np.abs(dx) ** power + np.abs(dy) ** power) ** np.float32(1 / power) - 1.0) * tall
    return lens


def draw_still_life(grid: Grid, scene: Scene) -> Plane:
    """Linear reflectance of spectacles on a table: a picture without an eye."""
    random = generator(scene.key, "table")
    top = palette.dye(float(random.uniform(0.04, 0.12)), 0.5, float(random.uniform(0.4, 0.9)))
    grain = 1.0 + 0.12 * noise(random, grid.x.shape, (50, 3)) + 0.05 * noise(random, grid.x.shape, (90, 60))
    canvas = np.stack([np.float32(band) * grain for band in top])
    canvas *= 1.0 - 0.4 * bump(grid, (0.8, 2.6), (7.0, 2.2))
    _paint(canvas, grid, scene, scene.person.face_width)
    return canvas
