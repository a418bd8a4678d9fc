"""The head: its relief in the light, skin and its blemishes, nose, mouth, brows, beard.

Knows nothing of eyes beyond where they sit, nor of hair and things. Frame: the face's, in iris radii.
"""

import cv2
import numpy as np

from irisline.core.seeding import generator
from irisline.eyes.rendering import colour as palette
from irisline.eyes.rendering.colour import Plane, Rgb
from irisline.eyes.rendering.grid import Grid, Points, blades, blend, bump, ellipse, inside, noise, ramp, strokes
from irisline.eyes.rendering.scene import Light, Makeup, Person, Scene

FACE_MIDDLE = 1.3
"""Height of the middle of the face below the pupils."""


def head_distance(grid: Grid, person: Person) -> Plane:
    """Approximate signed distance to the outline of the face."""
    narrowing = 1.0 + person.jaw * np.clip((grid.y - 3.0) / 14.0, 0.0, 1.2) ** 2
    dx, dy = grid.x * narrowing / person.face_width, (grid.y - FACE_MIDDLE) / person.face_height
    distance: Plane = (np.sqrt(dx * dx + dy * dy) - 1.0) * person.face_width
    return distance


def paint_head(canvas: Plane, grid: Grid, scene: Scene) -> None:
    """Neck, ears and face, without eyes and hair, lit from the light's direction."""
    person = scene.person
    skin_tone = palette.skin(person.melanin, person.blood)
    distance = head_distance(grid, person)
    if float(distance.max()) > -1.0:
        _paint_neck_and_ears(canvas, grid, person, skin_tone)
    blend(canvas, _lit_skin(grid, scene, skin_tone), inside(distance, max(grid.pixel * 1.5, 0.1)))


def _paint_neck_and_ears(canvas: Plane, grid: Grid, person: Person, tone: Rgb) -> None:
    wide = person.face_width * 0.62
    shade = 0.42 + 0.35 * ramp(grid.y, 15.0, 27.0)
    lateral = 1.0 - 0.5 * np.clip(np.abs(grid.x) / (wide + 1.0), 0, 1) ** 2
    neck = inside(np.abs(grid.x) - wide - 0.02 * np.maximum(grid.y - 14.0, 0.0) ** 2, 0.3) * inside(6.0 - grid.y, 0.3)
    blend(canvas, np.stack([np.float32(band) * shade * lateral for band in tone]), neck)
    for side in (-1.0, 1.0):
        lobe = inside(ellipse(grid, (side * person.face_width * 0.99, 2.4), (1.4, 3.0)), 0.3)
        hollow = 0.8 - 0.4 * bump(grid, (side * person.face_width * 1.0, 2.2), (0.6, 1.5))
        blend(canvas, np.stack([np.float32(band) * hollow for band in tone]), lobe)


def _lit_skin(grid: Grid, scene: Scene, tone: Rgb) -> Plane:
    """Reflectance of the face times the light that falls on it."""
    person, random = scene.person, generator(scene.key, "skin")
    melanin, blood = _blemishes(grid, person, scene.makeup, random)
    lit, gloss = _relief_light(grid, scene)
    lit = lit * _texture(grid, scene, random)
    out = np.empty((3, *grid.x.shape), dtype=np.float32)
    pigment, haemoglobin = (0.62, 0.72, 0.83), (0.05, 0.34, 0.34)
    for band in range(3):
        tint = 1.0 - pigment[band] * melanin - haemoglobin[band] * blood
        out[band] = tone[band] * np.maximum(tint, 0.1) * lit + gloss
    _paint_mouth(out, grid, scene)
    return out


def _texture(grid: Grid, scene: Scene, random: np.random.Generator) -> Plane:
    """Pores and fine lines, rougher with age, as a factor on the light."""
    rough, shape = 0.02 + 0.03 * scene.person.age, grid.x.shape
    span = (grid.height * grid.pixel, grid.width * grid.pixel)
    pores = noise(random, shape, (min(span[0] * 14, shape[0] / 1.5), min(span[1] * 14, shape[1] / 1.5)))
    lines = noise(random, shape, (min(span[0] * 7, shape[0] / 1.5), min(span[1] * 5, shape[1] / 1.5)))
    folds = noise(random, shape, (span[0] * 1.3, span[1] * 0.8))
    texture: Plane = 1.0 + rough * pores + 0.6 * rough * lines + 0.03 * folds
    return texture


def _blemishes(grid: Grid, person: Person, makeup: Makeup, random: np.random.Generator) -> tuple[Plane, Plane]:
    """Extra melanin and blood over the face: mottling, freckles, dark rings, cheeks, nose."""
    shape = grid.x.shape
    per_unit = grid.pixel
    blotches = noise(random, shape, (shape[0] * per_unit / 2.0, shape[1] * per_unit / 2.0))
    melanin = 0.05 * blotches
    if person.freckles:
        spots = noise(random, shape, (shape[0] * per_unit * 4.0, shape[1] * per_unit * 4.0))
        melanin = melanin + person.freckles * 0.22 * ramp(spots, 1.1, 1.9)
    flush = 0.05 * noise(random, shape, (shape[0] * per_unit / 1.5, shape[1] * per_unit / 1.5))
    flush = flush + 0.30 * person.blood * bump(grid, (0.0, person.nose_length), (1.8, 1.5))
    for side in (-1.0, 1.0):
        eye = side * person.pupil_distance / 2
        melanin = melanin + (0.06 + 0.22 * person.age) * bump(grid, (eye - side * 0.5, 1.5), (1.7, 0.7))
        flush = flush + (0.3 * person.blood + 0.5 * makeup.blush) * bump(grid, (side * 6.0, 7.0), (2.4, 2.2))
    return melanin, flush


def _relief_light(grid: Grid, scene: Scene) -> tuple[Plane, Plane]:
    """Diffuse light (1 facing the lamp) and gloss over the relief of the face, computed at half size."""
    small = grid.half()
    relief = _relief(small, scene.person)
    slope_x, slope_y = np.gradient(relief, axis=1), np.gradient(relief, axis=0)
    to_x, to_y = (small.affine[:, axis] / np.linalg.norm(small.affine[:, axis]) for axis in (0, 1))
    along_x = (slope_x * to_x[0] + slope_y * to_x[1]) / small.pixel
    along_y = (slope_x * to_y[0] + slope_y * to_y[1]) / small.pixel
    lit, gloss = _shade(along_x.astype(np.float32), along_y.astype(np.float32), scene.light)
    size = (grid.width, grid.height)
    return np.asarray(cv2.resize(lit, size), dtype=np.float32), np.asarray(cv2.resize(gloss, size), dtype=np.float32)


def _shade(slope_x: Plane, slope_y: Plane, light: Light) -> tuple[Plane, Plane]:
    across, up, towards = light.direction
    length = np.sqrt(1.0 + slope_x**2 + slope_y**2)
    facing = (towards - slope_x * across - slope_y * up) / length
    wrapped = np.clip((facing + 0.25) / 1.25, 0.0, 1.0)
    hollow = 0.75 + 0.25 / length
    lit = (light.ambient * hollow + (1.0 - light.ambient) * wrapped).astype(np.float32)
    half = np.array([across, up, towards + 1.0]) / np.sqrt(across**2 + up**2 + (towards + 1.0) ** 2)
    mirror = np.clip((half[2] - slope_x * half[0] - slope_y * half[1]) / length, 0.0, 1.0)
    return lit, (0.05 * (1.0 - light.ambient * 0.6) * mirror**24).astype(np.float32)


def _relief(grid: Grid, person: Person) -> Plane:
    """Height of the face towards the viewer, in iris radii."""
    dx, dy = grid.x / (person.face_width * 1.04), (grid.y - FACE_MIDDLE) / (person.face_height * 1.04)
    height = 9.0 * np.sqrt(np.maximum(1.0 - dx * dx - dy * dy, 0.0))
    tip = person.nose_length
    ridge = ramp(grid.y, -2.5, tip) * inside(grid.y - tip - 0.5, 1.2)
    across = grid.x / (0.75 + 0.35 * ridge * person.nose_width)
    height += (
        (0.6 * ramp(grid.y, -6.5, -2.0) + 2.2 * ridge) * np.exp(-0.5 * across**2) * inside(grid.y - tip - 0.6, 1.6)
    )
    height += 0.8 * bump(grid, (0.0, 11.2), (2.6, 1.2)) + 0.9 * bump(grid, (0.0, 15.2), (2.4, 1.6))
    for side in (-1.0, 1.0):
        eye = side * person.pupil_distance / 2
        height += 0.7 * bump(grid, (side * person.nose_width * 0.75, tip + 0.2), (0.7, 0.7))
        height += 0.75 * bump(grid, (eye, -person.brow_height), (2.6, 0.9))
        height -= 1.25 * bump(grid, (eye - side * 0.3, -0.3), (2.3, 1.5))
        height += 0.95 * bump(grid, (eye, 0.0), (1.7, 1.15))
        height -= 0.35 * bump(grid, (eye - side * 2.6, 0.2), (0.7, 1.0))
        height += 0.9 * bump(grid, (side * 6.3, 6.0), (2.8, 2.6))
        height -= 0.25 * person.age * bump(grid, (side * 4.0, 9.5), (0.5, 2.4))
    return height.astype(np.float32)


def _paint_mouth(skin: Plane, grid: Grid, scene: Scene) -> None:
    """Lips with or without lipstick, the line between them, nostrils."""
    person, makeup = scene.person, scene.makeup
    at = person.nose_length + 3.9 - person.smile * np.minimum((grid.x / person.mouth) ** 2, 1.0)
    if float(grid.y.max()) < person.nose_length - 1.0:
        return
    for side in (-1.0, 1.0):
        nostril = inside(ellipse(grid, (side * person.nose_width * 0.5, person.nose_length + 0.75), (0.5, 0.22)), 0.3)
        skin *= 1.0 - 0.72 * nostril
    taper = np.sqrt(np.maximum(1.0 - (grid.x / person.mouth) ** 2, 0.0))
    bow = 1.0 - 0.3 * np.exp(-((grid.x / 0.5) ** 2))
    lips = inside(np.maximum(at - 0.75 * taper * bow - grid.y, grid.y - at - 1.05 * taper), 0.25) * (taper > 0)
    skin[1:] *= 1.0 - 0.38 * lips
    skin[0] *= 1.0 - 0.14 * lips
    if makeup.lips_strength:
        bare = palette.luminance(palette.skin(person.melanin, person.blood))
        level = skin.mean(axis=0) / np.float32(max(bare, 0.03))
        blend(skin, np.stack([np.float32(band) * level for band in makeup.lips]), lips * makeup.lips_strength)
    skin *= 1.0 - 0.7 * inside(np.abs(grid.y - at - 0.06 * np.cos(grid.x * 2.0)) - 0.09, 0.2) * (taper > 0.1)


def paint_brow(canvas: Plane, grid: Grid, scene: Scene, side: str) -> None:
    """Hairs of a brow; `grid` is the frame of the eye (x towards the temple)."""
    person, random = scene.person, generator(scene.key, f"brow/{side}")
    mask = strokes(grid, _brow_hairs(random, person))
    soft = np.asarray(cv2.GaussianBlur(mask, (0, 0), max(0.15 / grid.pixel, 0.5)), dtype=np.float32)
    tone = tuple(0.6 * band + 0.004 for band in person.brow)
    cover = np.clip(0.75 * mask + 0.45 * soft, 0.0, 0.92) * (0.55 + 0.45 * person.brow_density)
    blend(canvas, (tone[0], tone[1], tone[2]), cover)


def _brow_hairs(random: np.random.Generator, person: Person) -> Points:
    """Hairs that stand up at the nose and lie flat towards the temple, along an arch."""
    count = int(60 + 260 * person.brow_density)
    place = random.uniform(0.0, 1.0, count)
    thick = person.brow_width * (0.55 + 0.6 * np.sin(np.pi * (0.15 + 0.6 * place)))
    thick *= np.clip(1.9 - 1.5 * place, 0.0, 1.0) * np.clip(0.35 + 4.0 * place, 0.0, 1.0)
    height = -person.brow_height - 0.9 * person.brow_arch * np.sin(np.pi * place * 0.9) + 0.55 * place**3
    roots = np.column_stack([-2.5 + 5.4 * place, height + random.uniform(-0.5, 0.6, count) * thick])
    roots += random.normal(0.0, 1.0, roots.shape) * (0.2, 0.07)
    lean = -1.1 + 1.3 * place + random.normal(0.0, 0.2, count)
    length = random.uniform(0.45, 0.85, (count, 1)) * (0.6 + 0.5 * person.brow_width)
    tips = roots + length * np.column_stack([np.cos(lean), np.sin(lean)])
    return blades(roots, (roots + tips) / 2 - length * (0.0, 0.08), tips, random.uniform(0.045, 0.09, count))


def paint_beard(canvas: Plane, grid: Grid, scene: Scene) -> None:
    """Stubble to full beard below the cheeks, around the mouth."""
    person = scene.person
    if not person.beard or float(grid.y.max()) < 7.0:
        return
    random = generator(scene.key, "beard")
    grain = noise(random, grid.x.shape, (grid.height, grid.width / 2))
    sides = ramp(np.abs(grid.x), person.face_width * 0.6, person.face_width * 0.85) * ramp(grid.y, 0.0, 7.0)
    jaw = np.clip(ramp(grid.y, 8.5, 12.0) + sides, 0, 1) * inside(head_distance(grid, person), 0.3)
    mouth = inside(ellipse(grid, (0.0, person.nose_length + 3.8), (person.mouth, 1.3)), 0.6)
    blend(canvas, person.brow, jaw * (1 - mouth) * np.clip(person.beard + 0.25 * grain, 0, 0.95))
