"""One eye: the ball behind the lids, veins, corner, wet edges, lid folds, make-up, lashes, catch-lights.

Knows nothing of the face. The frame of an eye has its origin at the pupil looking straight ahead, x towards the
temple, y down, in iris radii.
"""

import numpy as np

from irisline.core.seeding import generator
from irisline.eyes.rendering import colour as palette
from irisline.eyes.rendering.colour import Plane, Rgb
from irisline.eyes.rendering.grid import Grid, Points, blades, blend, inside, noise, ramp, strokes
from irisline.eyes.rendering.iris import paint_iris
from irisline.eyes.rendering.scene import Eyes, Iris, Scene

BOX = (-3.6, -3.4, 3.8, 2.6)
"""What `paint_eye` may touch, in the frame of the eye."""

BALL_RADIUS = 2.05

_WET_TINT = np.array([0.98, 0.80, 0.78], dtype=np.float32)[:, None, None]


def lid_lines(x: Plane, eyes: Eyes) -> tuple[Plane, Plane, Plane]:
    """Height of the upper and lower lid edge at `x`, and the place between the corners (-1 nose, 1 temple)."""
    place: Plane = x / eyes.half_width
    t = np.clip(place, -1.0, 1.0)
    bell = 1.0 - t * t
    arch = 0.6 * bell + 0.4 * np.sqrt(bell)
    upper: Plane = -eyes.upper * arch * (1.0 + eyes.skew * t) - 0.04 * t
    lower: Plane = eyes.lower * (0.75 * bell + 0.25 * np.sqrt(bell)) * (1.0 + 0.18 * t) - 0.04 * t
    return upper, lower, place


def paint_eye(canvas: Plane, grid: Grid, scene: Scene, iris: Iris, side: str) -> None:
    """Paint an eye onto planar skin reflectance; `grid` is the eye's frame over the same pixels."""
    upper, lower, place = lid_lines(grid.x, scene.eyes)
    _paint_lid_skin(canvas, grid, scene, upper, lower, place)
    opening = inside(np.maximum(upper - grid.y, grid.y - lower), max(grid.pixel, 0.05))
    opening *= inside(np.abs(place) - 0.99, 0.04)
    ball = _paint_ball(grid, scene, iris, side)
    ball *= _lid_shade(grid, scene, upper, lower, place)
    ball += _reflections(grid, scene, side)
    _paint_corner(ball, grid, scene)
    blend(canvas, ball, opening)
    _paint_wet_edge(canvas, grid, lower, place)
    _paint_liner(canvas, grid, scene, upper, lower, place)
    _paint_lashes(canvas, grid, scene, side)


def iris_centre(eyes: Eyes, side: str) -> tuple[float, float]:
    """Where gaze moves the pupil, in the frame of the eye; both eyes look the same way."""
    return (eyes.gaze[0] if side == "right" else -eyes.gaze[0]), eyes.gaze[1]


def _paint_ball(grid: Grid, scene: Scene, iris: Iris, side: str) -> Plane:
    """White of the eye with veins, and the iris on it."""
    eyes, centre = scene.eyes, iris_centre(scene.eyes, side)
    shape = grid.x.shape
    random = generator(scene.key, f"sclera/{side}")
    white = (0.74 - 0.03 * eyes.yellowness, 0.69 - 0.05 * eyes.yellowness, 0.65 - 0.16 * eyes.yellowness)
    ball = np.empty((3, *shape), dtype=np.float32)
    mottle = 1.0 + 0.03 * noise(random, shape, (8, 10))
    for band in range(3):
        ball[band] = white[band] * mottle
    far = np.abs(grid.x - centre[0])
    flush = (0.22 + 0.5 * eyes.redness) * ramp(far, 0.8, 2.2)
    veins = strokes(grid, _veins(random, eyes), factor=2) * (0.25 + 0.6 * eyes.redness)
    blend(ball, (0.60, 0.28, 0.25), np.clip(flush * 0.55 + veins, 0.0, 0.9))
    dx, dy = _foreshorten(grid.x - centre[0], centre[0]), _foreshorten(grid.y - centre[1], centre[1])
    radius = np.sqrt(dx * dx + dy * dy)
    edge = inside(radius - 0.985, max(grid.pixel, 0.09))
    blend(ball, paint_iris(dx, dy, grid.pixel, iris, eyes, f"{scene.key}/{side}"), edge)
    return ball


def _foreshorten(offset: Plane, turn: float) -> Plane:
    return offset / np.float32(np.sqrt(1.0 - (turn / BALL_RADIUS) ** 2))


def _veins(random: np.random.Generator, eyes: Eyes) -> Points:
    """Thin random walks from the corners towards the iris."""
    count = int(6 + 22 * eyes.redness)
    side = random.choice((-1.0, 1.0), count)
    starts = np.column_stack([side * eyes.half_width, random.uniform(-0.5, 0.5, count)])
    tips = np.column_stack([side * random.uniform(1.0, 1.7, count), random.uniform(-0.8, 0.8, count)])
    bends = (starts + tips) / 2 + random.normal(0, 0.18, (count, 2))
    return blades(starts, bends, tips, random.uniform(0.015, 0.045, count))


def _lid_shade(grid: Grid, scene: Scene, upper: Plane, lower: Plane, place: Plane) -> Plane:
    """Light that reaches the ball: turned away at its sides, shadowed by lids and lashes."""
    across, up, towards = scene.light.direction
    x, y = grid.x / BALL_RADIUS * 0.8, grid.y / BALL_RADIUS * 0.8
    facing = np.sqrt(np.maximum(1.0 - x * x - y * y, 0.05)) * towards + (x * across * _sign(grid) + y * up)
    ambient = scene.light.ambient
    shade = (0.55 * ambient + (1.0 - 0.55 * ambient) * np.clip(0.35 + 0.65 * facing, 0.05, 1.0)) * _socket_light(scene)
    lashes = 1.0 + 0.25 * noise(generator(scene.key, "lash shadow"), grid.x.shape, (2, 30))
    reach = 0.26 + 0.16 * max(-up, 0.0)
    shade *= 1.0 - 0.70 * np.exp(np.minimum(upper - grid.y, 0.0) / reach) * lashes
    shade *= 1.0 - 0.34 * np.exp(np.minimum(grid.y - lower, 0.0) / 0.16)
    shade *= 1.0 - 0.60 * ramp(np.abs(place), 0.35, 1.0)
    tints = _bounce(scene, grid.y - upper, lower - grid.y, place)
    return np.stack([np.maximum(shade * tint, 0.02) for tint in tints])


def _bounce(scene: Scene, below: Plane, above: Plane, place: Plane) -> list[Plane]:
    """Tint per band of light that lids and nose throw onto the ball, strongest near them."""
    tone = palette.skin(scene.person.melanin, scene.person.blood)
    near = 0.06 + 0.32 * np.exp(-np.maximum(np.minimum(below, above), 0.0) / 0.25)
    near += 0.40 * ramp(np.abs(place), 0.4, 0.9)
    grey = palette.luminance(tone)
    return [1.0 + near * np.float32(band / grey - 1.0) for band in tone]


def _socket_light(scene: Scene) -> float:
    """Share of the light that comes into the eye socket: skin around it throws some back, dark skin less."""
    around = palette.luminance(palette.skin(scene.person.melanin, scene.person.blood))
    return (0.20 + 0.32 * float(np.sqrt(around / 0.4))) * (1.15 - 0.45 * scene.eyes.socket)


def _sign(grid: Grid) -> float:
    """1 where the frame's x runs to the right of the picture, -1 in a mirrored frame."""
    return 1.0 if float(grid.affine[0, 0]) > 0 else -1.0


def _reflections(grid: Grid, scene: Scene, side: str) -> Plane:
    """Mirror image of the surroundings and the lamp in the cornea."""
    centre, light, sign = iris_centre(scene.eyes, side), scene.light, _sign(grid)
    x, y = (grid.x - centre[0]) * sign, grid.y - centre[1]
    cornea = inside(np.sqrt(x * x + y * y) - 1.05, 0.3)
    veil = scene.eyes.veil * cornea * (0.55 + ramp(y, 0.5, -0.7))
    at = (0.45 * light.direction[0], 0.42 * light.direction[1] + 0.02)
    size, soft = light.catchlight_size, max(grid.pixel / light.catchlight_size, 0.25)
    lamp = _lamp_shape((x - at[0]) / size, (y - at[1]) / size, light.catchlight, soft)
    second = np.exp(-(((x + at[0] * 0.8) / 0.10) ** 2 + ((y - at[1] - 0.75) / 0.07) ** 2)) * 0.12
    total: Plane = veil + light.catchlight_gain * (lamp + second * cornea)
    return total


def _lamp_shape(x: Plane, y: Plane, kind: str, softness: float) -> Plane:
    """Coverage of a lamp of unit radius."""
    if kind == "disc":
        return inside(np.sqrt(x * x + y * y) - 1.0, softness)
    if kind == "ring":
        return inside(np.abs(np.sqrt(x * x + y * y) - 1.6) - 0.35, softness)
    tall = 1.3 if kind == "window" else 0.9
    square = inside(np.maximum(np.abs(x + 0.12 * y) - 1.0, np.abs(y) - tall), softness)
    bars = inside(0.12 - np.minimum(np.abs(x), np.abs(y)), softness) if kind == "window" else np.float32(1.0)
    shape: Plane = square * bars
    return shape


def _paint_corner(ball: Plane, grid: Grid, scene: Scene) -> None:
    """The pink caruncle at the nose."""
    random = generator(scene.key, "corner")
    dx, dy = (grid.x + scene.eyes.half_width - 0.16) / 0.34, (grid.y - 0.05) / 0.26
    near = inside(np.sqrt(dx * dx + dy * dy) - 1.0, 0.6)
    shade = 0.75 + float(random.uniform(-0.2, 0.15))
    blend(ball, (0.30 * shade, 0.15 * shade, 0.13 * shade), near * 0.7)
    gleam = np.exp(-(((grid.x + scene.eyes.half_width - 0.33) / 0.06) ** 2 + ((grid.y - 0.1) / 0.05) ** 2))
    ball += gleam * float(random.uniform(0.0, 0.4))


def _paint_lid_skin(canvas: Plane, grid: Grid, scene: Scene, upper: Plane, lower: Plane, place: Plane) -> None:
    """Folds, shading and colour of the skin around the opening."""
    eyes, makeup, age = scene.eyes, scene.makeup, scene.person.age
    above, below = upper - grid.y, grid.y - lower
    near = ramp(np.abs(place), 1.30, 0.85)
    fold = eyes.crease * (1.0 - 0.45 * place * place)
    crease = np.exp(-(((above - fold) / np.where(above > fold, 0.06, 0.17)) ** 2)) * eyes.crease_depth
    crease = crease + 0.30 * eyes.socket * ramp(above, 0.0, fold) * ramp(above, fold + 1.6, fold)
    bag = np.exp(-(((below - 0.62 - 0.2 * place) / np.where(below > 0.62, 0.10, 0.30)) ** 2)) * (0.04 + 0.22 * age)
    under = 0.28 * eyes.lash_tone * np.exp(-np.maximum(below - 0.14, 0.0) / 0.10) * (below > 0.12)
    edge = 0.55 * np.exp(-np.maximum(above, 0.0) / 0.09) * (above > -0.05)
    canvas *= 1.0 - near * (crease * (above > 0) + bag * (below > 0) + edge + under)
    red = near * ramp(np.minimum(np.abs(above), np.abs(below)), 0.9, 0.0) * (0.15 + 0.3 * scene.person.blood)
    canvas[1] *= 1.0 - 0.55 * red
    canvas[2] *= 1.0 - 0.45 * red
    if makeup.shadow_strength:
        spread = ramp(above, fold.max() + 0.9, 0.1) * (above > -0.1) * ramp(np.abs(place - 0.1), 1.4, 0.7)
        blend(canvas, _tinted(canvas, makeup.shadow), makeup.shadow_strength * spread)


def _tinted(canvas: Plane, colour: Rgb) -> Plane:
    """A make-up colour that keeps the shading of the skin below."""
    level = canvas.mean(axis=0)
    shade = level / np.float32(level.mean() + 1e-4)
    return np.stack([np.float32(band) * shade for band in colour])


def _paint_wet_edge(canvas: Plane, grid: Grid, lower: Plane, place: Plane) -> None:
    """Pink rim of the lower lid with its line of tears."""
    below = grid.y - lower
    band = inside(np.abs(below - 0.07) - 0.06, max(grid.pixel, 0.08)) * inside(np.abs(place) - 0.97, 0.1)
    blend(canvas, canvas * _WET_TINT, band * 0.6)
    gleam = np.exp(-((below / 0.035) ** 2)) * inside(np.abs(place) - 0.8, 0.3)
    canvas += gleam * 0.03


def _paint_liner(canvas: Plane, grid: Grid, scene: Scene, upper: Plane, lower: Plane, place: Plane) -> None:
    makeup = scene.makeup
    if not makeup.liner_strength:
        return
    width = makeup.liner_width * (0.6 + 0.5 * np.clip(place, -1.0, 1.2))
    soft = max(grid.pixel, 0.05)
    line = inside(np.abs(upper - grid.y - width / 2) - width / 2, soft) * inside(np.abs(place) - 1.05, 0.05)
    under = inside(np.abs(grid.y - lower - 0.10) - width / 3, soft) * inside(np.abs(place) - 0.95, 0.1) * 0.5
    blend(canvas, makeup.liner, makeup.liner_strength * np.maximum(line, under))


def _paint_lashes(canvas: Plane, grid: Grid, scene: Scene, side: str) -> None:
    random = generator(scene.key, f"lashes/{side}")
    tone = (1.0 - scene.eyes.lash_tone) * 0.25
    dark = tuple(0.010 + tone * band for band in scene.person.hair)
    rows = np.concatenate([_lash_row(random, scene.eyes, up) for up in (True, False)])
    mask = strokes(grid, rows, factor=2)
    blend(canvas, (dark[0], dark[1], dark[2]), mask * (0.45 + 0.5 * scene.eyes.lash_tone))


def _lash_row(random: np.random.Generator, eyes: Eyes, up: bool) -> Points:
    """Lashes fan out from the middle of a lid, curl away from it and cluster at their tips."""
    count = eyes.lash_count if up else eyes.lash_count // 2
    places = np.sort(random.uniform(-0.82, 0.97, count))
    roots_x = (places * eyes.half_width).astype(np.float32)
    upper, lower, _ = lid_lines(roots_x, eyes)
    longest, sign = (eyes.lash_length, -1.0) if up else (eyes.lower_lash_length, 1.0)
    length = longest * (0.75 + 0.35 * places) * random.uniform(0.5, 1.1, count)
    lean = places * 0.9 + 0.35 * np.sin(places * random.uniform(12, 30) + 1.0) * 0.5 + random.normal(0.0, 0.14, count)
    roots = np.column_stack([roots_x, upper if up else lower + 0.09])
    tips = roots + length[:, None] * np.column_stack([np.sin(lean), sign * np.cos(lean) * 0.85])
    bends = roots + length[:, None] * np.column_stack([0.62 * np.sin(lean * 0.6), sign * (0.20 * np.cos(lean) - 0.02)])
    return blades(roots, bends, tips, random.uniform(0.025, 0.06, count))
