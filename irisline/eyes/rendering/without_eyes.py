"""Pictures in which there is no eye to see, though some look as if: closed eyes, spectacles, skin, textures, round things.

Knows nothing of who looks for eyes in them.
"""

from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from irisline.core.seeding import generator, pick
from irisline.eyes.rendering.colour import Plane
from irisline.eyes.rendering.picture import render, render_spectacles
from irisline.eyes.rendering.sampling import sample

Pixels = NDArray[np.uint8]


def draw_without_eye(kind: str, key: str) -> Pixels:
    """Return the picture of a key, RGB of shape (height, width, 3). Raises KeyError for a kind that is not in KINDS."""
    return KINDS[kind](key)


def _closed(key: str) -> Pixels:
    """A face, a band or a close-up whose upper lids lie on the lower ones."""
    scene = sample(key, "brown")
    lid = scene.eyes.lower * float(generator(key, "lids").uniform(0.9, 1.1))
    return render(replace(scene, eyes=replace(scene.eyes, upper=-lid)))


def _spectacles(key: str) -> Pixels:
    """Spectacles on a table, near or far."""
    scene, random = sample(key, "brown"), generator(key, "table")
    away = float(random.uniform(-3, 3)), float(random.uniform(-2, 2))
    framing = replace(scene.framing, scale=scene.framing.width / float(random.uniform(12, 30)), centre=away)
    things = replace(scene.things, glasses=pick(random, ("round", "square")))
    return render_spectacles(replace(scene, framing=framing, things=things))


def _beside(key: str) -> Pixels:
    """Forehead and hair, or nose, mouth and chin: what is above or below the eyes."""
    scene, random = sample(key, "brown"), generator(key, "beside")
    scale = float(random.uniform(8, 40))
    away = 3.0 + scene.framing.height / 2 / scale + float(random.uniform(0, 4))
    centre = float(random.uniform(-8, 8)), away * pick(random, (-1.0, 1.0, 1.0, 1.0))
    return render(replace(scene, framing=replace(scene.framing, scale=scale, centre=centre)))


def _texture(key: str) -> Pixels:
    return _taken(_cloth(key), key)


def _discs(key: str) -> Pixels:
    """Balls, buttons, wheels, rings and plates on a texture."""
    canvas, random = _cloth(key), generator(key, "discs")
    for _ in range(pick(random, (1, 1, 2, 5))):
        _put_disc(canvas, random)
    return _taken(canvas, key)


def _cloth(key: str) -> Plane:
    """Up to five layers of smooth noise, coarse to fine, over a plain colour: levels of 255."""
    random = generator(key, "texture")
    height, width = int(random.integers(180, 321)), int(random.integers(200, 321))
    canvas = np.full((height, width, 3), random.uniform(20, 235, 3), dtype=np.float32)
    for _ in range(int(random.integers(1, 6))):
        cells = int(2 ** random.uniform(1, 6.5))
        nodes = random.standard_normal((cells, max(2, cells * width // height)), dtype=np.float32)
        layer = np.asarray(cv2.resize(nodes, (width, height), interpolation=cv2.INTER_CUBIC), dtype=np.float32)
        canvas += layer[..., None] * (random.normal(0, 18, 3) * pick(random, (0.3, 1.0))).astype(np.float32)
    return canvas


def _taken(canvas: Plane, key: str) -> Pixels:
    """A canvas in levels of 255 as a camera takes it: blur and noise."""
    random = generator(key, "taken")
    blurred = np.asarray(cv2.GaussianBlur(canvas, (0, 0), float(random.uniform(0.4, 2.0))), dtype=np.float32)
    noise = random.normal(0, random.uniform(0.5, 6.0), canvas.shape)
    return np.asarray(np.clip(blurred + noise, 0, 255), dtype=np.uint8)


def _put_disc(canvas: Plane, random: np.random.Generator) -> None:
    height, width = canvas.shape[:2]
    radius = float(random.uniform(0.03, 0.3)) * max(height, width)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    x, y = (x - random.uniform(0.15, 0.85) * width) / radius, (y - random.uniform(0.15, 0.85) * height) / radius
    turn, flat = float(random.uniform(0, np.pi)), pick(random, (1.0, 1.0, float(random.uniform(0.5, 1.0))))
    along, across = x * np.cos(turn) + y * np.sin(turn), (y * np.cos(turn) - x * np.sin(turn)) / flat
    if random.random() < 0.5:
        _lay(canvas, _cover(np.hypot(along, across), random.uniform(1.1, 2.0)), _any(random))
    pick(random, (_put_plain, _put_ball, _put_rings, _put_button, _put_wheel))(canvas, random, along, across)


def _put_plain(canvas: Plane, random: np.random.Generator, x: Plane, y: Plane) -> None:
    _lay(canvas, _cover(np.hypot(x, y), 1.0, float(random.uniform(0.01, 0.12))), _any(random))


def _put_ball(canvas: Plane, random: np.random.Generator, x: Plane, y: Plane) -> None:
    left, top = random.uniform(-0.6, 0.6, 2)
    away = np.hypot(x - left, y - top)
    shade = np.clip(1.1 - away**2 / 2, 0.05, 1.3)[..., None]
    _lay(canvas, _cover(np.hypot(x, y), 1.0), _any(random) * shade)
    _lay(canvas, _cover(away, random.uniform(0.05, 0.2)), np.full(3, 250.0))


def _put_rings(canvas: Plane, random: np.random.Generator, x: Plane, y: Plane) -> None:
    for edge in (1.0, *sorted(random.uniform(0.1, 0.95, int(random.integers(1, 5))), reverse=True)):
        _lay(canvas, _cover(np.hypot(x, y), edge), _any(random))


def _put_button(canvas: Plane, random: np.random.Generator, x: Plane, y: Plane) -> None:
    colour = _any(random)
    _lay(canvas, _cover(np.hypot(x, y), 1.0), colour)
    _lay(canvas, _cover(np.hypot(x, y), 0.75), colour * random.uniform(0.6, 1.2))
    rows = pick(random, ((-0.22, 0.22), (-0.22, 0.22), (0.0,)))
    for left, top in ((left, top) for left in (-0.22, 0.22) for top in rows):
        _lay(canvas, _cover(np.hypot(x - left, y - top), 0.12), random.uniform(0, 60, 3))


def _put_wheel(canvas: Plane, random: np.random.Generator, x: Plane, y: Plane) -> None:
    away = np.hypot(x, y)
    _lay(canvas, _cover(away, 1.0), _any(random))
    spokes = np.cos(np.arctan2(y, x) * int(random.integers(3, 12))) > 0
    _lay(canvas, _cover(away, 0.9) * spokes * (away > 0.3), _any(random))
    _lay(canvas, _cover(away, random.uniform(0.1, 0.35)), _any(random))


def _any(random: np.random.Generator) -> Plane:
    return random.uniform(0, 255, 3)


def _cover(away: Plane, edge: float, soft: float = 0.05) -> Plane:
    covered: Plane = np.clip((edge - away) / soft + 0.5, 0.0, 1.0)
    return covered


def _lay(canvas: Plane, cover: Plane, colour: Plane) -> None:
    canvas += cover[..., None].astype(np.float32) * (np.asarray(colour, dtype=np.float32) - canvas)


KINDS: MappingProxyType[str, Callable[[str], Pixels]] = MappingProxyType(
    {"closed": _closed, "spectacles": _spectacles, "beside": _beside, "texture": _texture, "discs": _discs}
)
"""What may be drawn without an eye, by name."""
