"""What is around a face: background, clothing, hair, scarf, a shadow across it all; any colour.

Knows nothing of eyes or labels. Frame: the face's, in iris radii.
"""

import cv2
import numpy as np

from irisline.core.seeding import generator
from irisline.eyes.rendering.colour import Plane, Rgb
from irisline.eyes.rendering.face import head_distance
from irisline.eyes.rendering.grid import Grid, blades, blend, ellipse, inside, noise, ramp, strokes
from irisline.eyes.rendering.scene import Scene


def paint_background(canvas: Plane, grid: Grid, scene: Scene) -> None:
    """Fill the canvas with a room, a studio wall, lights at night, shelves or leaves, out of focus."""
    things, random = scene.things, generator(scene.key, "background")
    first, second, third = things.background_colours
    shape = grid.x.shape
    slope = ramp(grid.x * float(random.uniform(-1, 1)) + grid.y * float(random.uniform(-1, 1)), -25.0, 25.0)
    for band in range(3):
        canvas[band] = first[band]
    blend(canvas, second, slope * (0.35 if things.background == "studio" else 0.8))
    if things.background == "blurred":
        blend(canvas, third, ramp(noise(random, shape, (4, 4)), -0.2, 0.6))
    elif things.background == "foliage":
        blend(canvas, third, ramp(noise(random, shape, (9, 9)) + 0.5 * noise(random, shape, (22, 22)), -0.4, 0.9))
    elif things.background == "lights":
        _paint_lights(canvas, grid, third, random)
    elif things.background == "shelves":
        _paint_shelves(canvas, grid, (first, second, third), random)


def _paint_lights(canvas: Plane, grid: Grid, colour: Rgb, random: np.random.Generator) -> None:
    canvas *= 0.35
    for _ in range(14):
        centre = (float(random.uniform(-24, 24)), float(random.uniform(-22, 26)))
        size = float(random.uniform(1.0, 3.5))
        disc = inside(ellipse(grid, centre, (size, size)), 0.5)
        mixed = tuple(0.3 * float(random.uniform(0.2, 1.0)) + 0.7 * band for band in colour)
        blend(canvas, (mixed[0], mixed[1], mixed[2]), disc * float(random.uniform(0.3, 0.9)))


def _paint_shelves(canvas: Plane, grid: Grid, colours: tuple[Rgb, Rgb, Rgb], random: np.random.Generator) -> None:
    for _ in range(12):
        left, top = float(random.uniform(-26, 24)), float(random.uniform(-24, 24))
        wide, tall = float(random.uniform(1.5, 9.0)), float(random.uniform(3.0, 12.0))
        box = inside(np.maximum(np.abs(grid.x - left) - wide / 2, np.abs(grid.y - top) - tall / 2), 0.9)
        base, level = colours[int(random.integers(3))], float(random.uniform(0.2, 1.4))
        blend(canvas, (base[0] * level, base[1] * level, base[2] * level), box)


def paint_clothing(canvas: Plane, grid: Grid, scene: Scene) -> None:
    """Shoulders in a plain, striped or checked cloth."""
    things, random = scene.things, generator(scene.key, "clothing")
    neck = 18.5 + 5.0 * things.neckline * np.maximum(1.0 - np.abs(grid.x) / 7.5, 0.0)
    top = neck + 0.055 * np.maximum(np.abs(grid.x) - 6.0, 0.0) ** 2
    body = inside(top - grid.y, 0.3)
    if not body.any():
        return
    folds = 0.75 + 0.22 * noise(random, grid.x.shape, (6, 14))
    pattern = np.zeros_like(grid.x)
    if things.cloth_pattern != "plain":
        pattern = ramp(np.sin(grid.y * 2.2), -0.1, 0.1)
    if things.cloth_pattern == "check":
        pattern = 0.5 * pattern + 0.5 * ramp(np.sin(grid.x * 2.2), -0.1, 0.1)
    threads = zip(things.cloth, things.cloth_second, strict=True)
    blend(canvas, np.stack([folds * (one + (two - one) * pattern) for one, two in threads]), body)


def paint_back_hair(canvas: Plane, grid: Grid, scene: Scene) -> None:
    """Hair, or a scarf, behind the face."""
    style, person = scene.person.hair_style, scene.person
    if style == "bald":
        return
    bulk = {"short": 1.0, "fringe": 1.8, "long": 2.4, "scarf": 1.9}[style]
    cap = ellipse(grid, (0.0, -2.5), (person.face_width + bulk, person.face_height - 1.5 + bulk * 0.8))
    if style in ("long", "scarf"):
        fall = np.maximum(np.abs(grid.x) - person.face_width - bulk - 0.08 * np.maximum(grid.y, 0.0), -2.0 - grid.y)
        cap = np.minimum(cap, np.maximum(fall, grid.y - (26.0 if style == "long" else 21.0)))
    else:
        cap = np.maximum(cap, grid.y - 4.0)
    random = generator(scene.key, "hair edge")
    if style != "scarf":
        cap += 0.5 * noise(random, grid.x.shape, (9, 9)) + 0.3 * noise(random, grid.x.shape, (45, 60))
    cover = inside(cap, 0.6)
    blend(canvas, _strands(grid, scene) * 0.7, cover)


def paint_front_hair(canvas: Plane, grid: Grid, scene: Scene) -> None:
    """Hair over the forehead and temples, and loose strands that may cross an eye."""
    person, style = scene.person, scene.person.hair_style
    if style == "bald":
        return
    random = generator(scene.key, "front hair")
    line = person.hairline + 0.035 * (grid.x - person.parting) ** 2 * (0.5 if style == "short" else 1.0)
    if style == "fringe":
        line = np.minimum(line, 0.0) * 0.0 - 4.3 + 0.01 * grid.x**2
    if style == "scarf":
        line = person.hairline + 1.5 + 0.05 * grid.x**2
    ragged = 0.0 if style == "scarf" else noise(random, grid.x.shape, (3, grid.width * grid.pixel * 2.5)) * 0.5
    cover = inside(grid.y - line + ragged, 0.5) * inside(head_distance(grid, person) - 1.0, 1.0)
    blend(canvas, _strands(grid, scene), cover)
    if style in ("long", "fringe"):
        _paint_loose_strands(canvas, grid, scene)


def _strands(grid: Grid, scene: Scene) -> Plane:
    """Hair with strands that run down and outwards from the parting, or the folds of a scarf."""
    random = generator(scene.key, "strands")
    scarf = scene.person.hair_style == "scarf"
    colour = scene.things.cloth_second if scarf else scene.person.hair
    nodes = noise(random, (256, 512), (6, 24 if scarf else 40))
    if not scarf:
        nodes += noise(random, (256, 512), (5, 300))
    across, down = grid.x - scene.person.parting, grid.y + 18.0
    angle = np.arctan2(across, np.maximum(down, 0.5)) * 150.0 + 256.0
    reach = np.sqrt(across**2 + down**2) * 5.0
    at = angle.astype(np.float32), reach.astype(np.float32)
    pattern = cv2.remap(nodes, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    side = 0.9 + 0.25 * scene.light.direction[0] * np.clip(grid.x / 12.0, -1, 1)
    level = np.maximum((0.85 + 0.28 * pattern) * side * (0.7 + 0.5 * np.exp(-(((grid.y + 11.0) / 4.0) ** 2))), 0.08)
    return np.stack([np.float32(band) * level for band in colour]).astype(np.float32)


def _paint_loose_strands(canvas: Plane, grid: Grid, scene: Scene) -> None:
    random = generator(scene.key, "loose strands")
    side, count = float(random.choice((-1.0, 1.0))), int(random.integers(1, 30))
    roots = np.column_stack([side * random.uniform(2.0, 10.0, count), np.full(count, -12.0)])
    sweep = side * random.uniform(0.5, 4.0, count) + float(random.normal(0.0, 1.2))
    tips = roots + np.column_stack([sweep, random.uniform(7.0, 22.0, count)])
    bends = (roots + tips) / 2 + random.normal(0, 1.6, (count, 2))
    hairs = blades(roots, bends, tips, random.uniform(0.03, 0.10, count), 0.4)
    blend(canvas, scene.person.hair, strokes(grid, hairs) * 0.85)


def shadow_across(grid: Grid, scene: Scene) -> Plane | None:
    """Share of light left by something out of the picture that throws a shadow; None without one."""
    depth = scene.light.shadow
    if not depth:
        return None
    random = generator(scene.key, "shadow")
    angle, reach = float(random.uniform(0, 2 * np.pi)), grid.width * grid.pixel
    across = grid.x * np.cos(angle) + grid.y * np.sin(angle)
    wobble = noise(random, grid.x.shape, (4, 4)) * 0.12 * reach
    edge = float(random.uniform(-0.25, 0.35)) * reach
    return 1.0 - depth * ramp(across + wobble - edge, 0.0, float(random.uniform(0.02, 0.2)) * reach)
