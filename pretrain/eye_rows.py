"""Drawn pictures, spoilt as photographs are, as rows for the network that judges irises: samples and the truth.

Rows are places: at irises and near them, beside them, of the wrong size, and what the votes or an earlier network took for
one. Knows nothing of how the network is fitted.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from irisline.core.seeding import generator, pick
from irisline.eyes.finder.iris_candidates import candidates
from irisline.eyes.finder.iris_network import Numbers, as_array, judge, moved, samples
from irisline.eyes.finder.pyramid import Pixels, Pyramid
from irisline.eyes.rendering import encode, render, sample, true_irises
from irisline.eyes.rendering.eye import iris_centre, lid_lines
from irisline.eyes.rendering.scene import Eyes, Scene
from irisline.eyes.rendering.without_eyes import draw_without_eye

COLOURS = ("blue", "brown", "brown", "blue", "green", "hazel", "grey", "brown")
"""Drawn in turn."""

BLANKS = ("closed", "spectacles", "beside", "texture", "discs", "discs", "discs")
PER_LEVEL = 6
SMALLEST, LARGEST = 2.2, 0.3
NEAR = (0.5, 0.3)
"""Distance in radii and logarithm of the radius within which a place is an iris and can be moved to it."""

FAR = 1.4
"""Times NEAR: from here on a place is none. What lies between teaches nothing."""

LEAST_OPEN = 0.3
HARD = 0.03
"""Probability from which a wrong place is worth learning from."""


class Iris(NamedTuple):
    """A drawn iris, in pixels; `openness` is 0 when its centre is outside the picture."""

    x: float
    y: float
    radius: float
    openness: float


@dataclass(frozen=True)
class Drawn:
    """A picture and its irises."""

    pixels: Pixels
    irises: tuple[Iris, ...]


class Rows(NamedTuple):
    """Samples of places (n, samples, 3) and their truth (n, 5): iris or not, shift across, down, of radius, openness."""

    samples: NDArray[np.uint8]
    truth: Numbers


def openness(eyes: Eyes, side: str) -> float:
    """Return the share of the iris that the lids leave open."""
    y, x = np.mgrid[-1:1:31j, -1:1:31j]
    centre = iris_centre(eyes, side)
    upper, lower, _ = lid_lines(x + centre[0], eyes)
    seen = (y + centre[1] > upper) & (y + centre[1] < lower)
    return float(seen[np.hypot(x, y) < 1].mean())


def draw(key: str, index: int) -> Drawn:
    """Return a picture with eyes."""
    scene = _varied(sample(f"{key}/{index}", COLOURS[index % len(COLOURS)]))
    irises = (
        Iris(iris.x, iris.y, iris.radius, openness(scene.eyes, iris.side) * iris.visible) for iris in true_irises(scene)
    )
    return Drawn(_jpeg(render(scene), scene.camera.quality), tuple(irises))


def _varied(scene: Scene) -> Scene:
    """The scene as `sample` seldom has it: dark skin, lids that cover the iris, a look aside, low brows, dark liner."""
    random = generator(scene.key, "varied")
    if random.random() < 0.4:
        return scene
    eyes = replace(
        scene.eyes,
        upper=float(random.uniform(0.35, 1.1)),
        lower=float(random.uniform(0.5, 1.0)),
        gaze=(float(np.clip(random.normal(0, 0.45), -0.95, 0.95)), float(np.clip(random.normal(0, 0.15), -0.3, 0.3))),
        lash_length=float(random.uniform(0.3, 1.2)),
        lash_count=int(random.integers(30, 150)),
        lower_lash_length=float(random.uniform(0.1, 0.7)),
        lash_tone=float(random.uniform(0.5, 1.0)),
        socket=float(random.uniform(0.0, 1.0)),
        crease=float(random.uniform(0.05, 0.5)),
        crease_depth=float(random.uniform(0.2, 0.9)),
    )
    makeup = replace(
        scene.makeup,
        liner=pick(random, ((0.01, 0.01, 0.01), (0.03, 0.015, 0.01))),
        liner_strength=pick(random, (0.0, float(random.uniform(0.5, 0.95)))),
        liner_width=float(random.uniform(0.08, 0.35)),
    )
    person = replace(
        scene.person,
        melanin=float(random.uniform(0.0, 3.3)),
        brow_height=float(random.uniform(1.5, 3.5)),
        brow_width=float(random.uniform(0.4, 1.4)),
        brow_density=float(random.uniform(0.4, 1.0)),
    )
    return replace(scene, eyes=eyes, person=person, makeup=makeup)


def draw_blank(key: str, index: int) -> Drawn:
    """Return a picture without an eye."""
    kind = BLANKS[index % len(BLANKS)]
    return Drawn(_jpeg(draw_without_eye(kind, f"{key}/{index}"), 85), ())


def _jpeg(pixels: Pixels, quality: int) -> Pixels:
    stored = np.frombuffer(encode(pixels, quality), dtype=np.uint8)
    decoded = cv2.imdecode(stored, cv2.IMREAD_COLOR)
    assert decoded is not None
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def spoilt(drawn: Drawn, key: str) -> Drawn:
    """Return a picture cropped, made coarse and lit as photographs of eyes may be."""
    random = generator(key, "spoilt")
    if any(iris.openness for iris in drawn.irises) and random.random() < 0.3:
        drawn = _cropped(drawn, random)
    if random.random() < 0.6:
        drawn = _coarse(drawn, random)
    pixels = drawn.pixels
    if random.random() < 0.7:
        gains = np.exp(random.normal(0, 0.13, 3) + random.normal(0, 0.25))
        curved = 255 * (pixels / 255.0) ** np.exp(random.uniform(-0.5, 0.8)) * gains
        pixels = np.clip(curved, 0, 255).astype(np.uint8)
    if random.random() < (0.1 if drawn.irises else 0.25):
        pixels = np.repeat(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    return replace(drawn, pixels=np.ascontiguousarray(pixels))


def _cropped(drawn: Drawn, random: np.random.Generator) -> Drawn:
    """A close-up: 4 to 12 radii around an iris."""
    height, width = drawn.pixels.shape[:2]
    iris = pick(random, [one for one in drawn.irises if one.openness])
    wide = float(random.uniform(4, 12)) * iris.radius
    tall = wide * float(random.uniform(0.5, 1.1))
    x, y = iris.x + float(random.uniform(-0.15, 0.15)) * wide, iris.y + float(random.uniform(-0.15, 0.15)) * wide
    left, top = max(0, int(x - wide / 2)), max(0, int(y - tall / 2))
    right, bottom = min(width, int(x + wide / 2)), min(height, int(y + tall / 2))
    inside = [0 <= one.x - left < right - left and 0 <= one.y - top < bottom - top for one in drawn.irises]
    irises = (
        Iris(one.x - left, one.y - top, one.radius, one.openness * shown)
        for one, shown in zip(drawn.irises, inside, strict=True)
    )
    return Drawn(drawn.pixels[top:bottom, left:right], tuple(irises))


def _coarse(drawn: Drawn, random: np.random.Generator) -> Drawn:
    """Few pixels to an iris, compressed, at times enlarged again."""
    largest = max((iris.radius for iris in drawn.irises if iris.openness), default=float(random.uniform(8, 60)))
    share = min(1.0, max(float(random.uniform(0.15, 1.0)), float(random.uniform(2.8, 5.0)) / largest))
    small = _resized(drawn.pixels, share, cv2.INTER_AREA)
    if random.random() < 0.5:
        small = _resized(small, 1.5, cv2.INTER_CUBIC)
    small = _jpeg(small, int(random.integers(50, 95)))
    across, down = small.shape[1] / drawn.pixels.shape[1], small.shape[0] / drawn.pixels.shape[0]
    irises = (
        Iris((one.x + 0.5) * across - 0.5, (one.y + 0.5) * down - 0.5, one.radius * (across + down) / 2, one.openness)
        for one in drawn.irises
    )
    return Drawn(small, tuple(irises))


def _resized(pixels: Pixels, scale: float, how: int) -> Pixels:
    size = max(8, round(pixels.shape[1] * scale)), max(8, round(pixels.shape[0] * scale))
    return np.asarray(cv2.resize(pixels, size, interpolation=how), dtype=np.uint8)


def rows_of(drawn: Drawn, key: str, again: bool) -> Rows:
    """Return the rows of a picture; once more, with what the network of the turn before takes for an iris."""
    random = generator(key, "places")
    longest = max(drawn.pixels.shape[:2])
    pyramid = Pyramid(drawn.pixels, max(0.016 * longest, SMALLEST))
    voted = as_array(candidates(pyramid, LARGEST * longest, PER_LEVEL))
    near = [_around(iris, random) for iris in drawn.irises if iris.openness]
    mistaken = _mistaken(pyramid, voted, drawn, random) if again else []
    places = np.concatenate([voted[random.random(len(voted)) < (0.15 if again else 0.3)], *mistaken, *near])
    places = places[places[:, 2] > 1.5].astype(np.float32)
    tilt = pick(random, (0.0, float(random.uniform(-0.5, 0.5))))
    truth, sure = _truth(places, drawn.irises, tilt)
    return Rows(samples(pyramid, places[sure], tilt).astype(np.uint8), truth[sure])


def _mistaken(pyramid: Pyramid, places: Numbers, drawn: Drawn, random: np.random.Generator) -> list[Numbers]:
    """Places that the network before takes for irises, and those that it then moves to."""
    found: list[Numbers] = []
    for _ in range(3):
        if len(places):
            verdict = judge(pyramid, places)
            hard = verdict.probability > HARD
            found.append(places[hard & (random.random(len(places)) < (0.5 if drawn.irises else 1.0))])
            places = moved(places, verdict)[hard]
    return found


def _around(iris: Iris, random: np.random.Generator) -> Numbers:
    """At the iris, nearer and farther; beside it; of a wrong size."""
    angle, away = random.uniform(0, 2 * np.pi, 2), random.uniform(0.7, 2.5, 2)
    offsets = [random.uniform(-0.45, 0.45, (8, 2)), random.normal(0, 0.1, (4, 2))]
    offsets += [np.stack([away * np.cos(angle), away * np.sin(angle)], axis=1), random.uniform(-0.3, 0.3, (2, 2))]
    wrong = random.choice((-1.0, 1.0), 2) * random.uniform(0.45, 0.8, 2)
    sizes = [random.uniform(-0.25, 0.25, 8), random.normal(0, 0.06, 4), random.uniform(-0.5, 0.5, 2), wrong]
    at = np.array([iris.x, iris.y]) + iris.radius * np.concatenate(offsets)
    return np.column_stack([at, iris.radius * np.exp(np.concatenate(sizes))]).astype(np.float32)


def _truth(places: Numbers, irises: tuple[Iris, ...], tilt: float) -> tuple[Numbers, NDArray[np.bool_]]:
    """The truth of places, and which of it is sure. Shifts are in the frame that is turned by tilt."""
    truth, sure = np.zeros((len(places), 5), dtype=np.float32), np.ones(len(places), dtype=bool)
    cosine, sine = np.cos(tilt), np.sin(tilt)
    for i, (x, y, radius) in enumerate(places.astype(float)):
        for iris in irises:
            across, down, size = (iris.x - x) / radius, (iris.y - y) / radius, float(np.log(iris.radius / radius))
            error = max(np.hypot(across, down) * radius / iris.radius / NEAR[0], abs(size) / NEAR[1])
            if error < 1:
                turned = cosine * across + sine * down, cosine * down - sine * across
                truth[i] = (1, *turned, size, iris.openness)
                sure[i] = iris.openness >= LEAST_OPEN
            elif error < FAR:
                sure[i] = False
    return truth, sure
