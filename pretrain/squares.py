"""Squares around irises of drawn pictures, and around what is none, with what the renderer knows of each: rows of a table.

The squares are WIDE times what a network sees, so that each epoch can cut another one out of them. Each row is a function of
its picture's number. Knows nothing of networks.
"""

import math
from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
from PIL import Image

from irisline.core.seeding import generator, pick
from irisline.dataset import images
from irisline.dataset.shards import Row
from irisline.eyes import finder
from irisline.eyes.finder.iris_candidates import candidates
from irisline.eyes.finder.pyramid import Pyramid
from irisline.eyes.rendering import colour as palette
from irisline.eyes.rendering import encode, render, sample, true_irises
from irisline.eyes.rendering.scene import Scene
from irisline.eyes.rendering.without_eyes import KINDS, draw_without_eye
from pretrain import irises
from pretrain.eye_rows import LARGEST, LEAST_OPEN, SMALLEST, openness
from pretrain.table import NO_EYE, TRUTH, WIDE

TURN = (
    "blue", "brown", "hazel", "blue", "brown", "green", "grey", "blue", "brown", "hazel", "green", NO_EYE,
)  # fmt: skip
"""What is drawn in turn: the classes of the pool most often, no eye at all once."""

BLANK_SQUARES = 4
BESIDE = 0.15
"""Share of the pictures with eyes that also give a square beside them."""


def rows(number: int, seed: int, size: int) -> list[Row]:
    """Return the rows of a picture, each with a square of so many pixels."""
    cv2.setNumThreads(1)  # as many workers as cores are at it already
    key, label = f"pretrain/{seed}/{number}", TURN[number % len(TURN)]
    found = _blank(key, size) if label == NO_EYE else _eyes(key, label, size)
    return [{"id": f"{number:06d}-{place}", "picture": number, **row} for place, row in enumerate(found)]


def _eyes(key: str, label: str, size: int) -> Iterator[Row]:
    iris = irises.draw(key, label)
    scene = replace(sample(key, label), irises=(iris, iris))
    picture = _photographed(scene)
    known = dict(zip(TRUTH, (*irises.reflectance(iris), *_light(scene), scene.eyes.pupil), strict=True))
    places = [one for one in true_irises(scene) if one.visible]
    for place in places:
        if openness(scene.eyes, place.side) >= LEAST_OPEN:
            eye = finder.Eye(place.x, place.y, place.radius, 1.0, 1.0)
            yield {"label": label, **known, "image": _square(picture, eye, scene.framing.tilt, size)}
    random = generator(key, "beside")
    if random.random() < BESIDE:
        for eye in _mistakable(picture, random, 1, [(one.x, one.y, one.radius) for one in places]):
            yield {"label": NO_EYE, "image": _square(picture, eye, 0.0, size)}


def _blank(key: str, size: int) -> Iterator[Row]:
    random = generator(key, "blank")
    picture = Image.fromarray(draw_without_eye(pick(random, sorted(KINDS)), key))
    for eye in _mistakable(picture, random, BLANK_SQUARES, []):
        yield {"label": NO_EYE, "image": _square(picture, eye, 0.0, size)}


def _photographed(scene: Scene) -> Image.Image:
    return images.decode(encode(render(scene), scene.camera.quality), 640, 1_000_000)


def _light(scene: Scene) -> tuple[float, float]:
    light = palette.black_body(scene.light.kelvin)
    gains = palette.white_balance(light, scene.camera.balance, scene.camera.tint)
    red, green, blue = (math.log(band * gain) for band, gain in zip(light, gains, strict=True))
    return red - green, blue - green


def _mistakable(
    picture: Image.Image, random: np.random.Generator, count: int, irises: list[tuple[float, float, float]]
) -> list[finder.Eye]:
    """Return places without an iris that the votes of a finder take for one."""
    longest = max(picture.size)
    pyramid = Pyramid(np.asarray(picture), max(0.016 * longest, SMALLEST))
    voted = candidates(pyramid, LARGEST * longest, 3)
    clear = [one for one in voted if all(math.hypot(one.x - x, one.y - y) > 1.6 * r for x, y, r in irises)]
    chosen = random.permutation(len(clear))[:count]
    return [finder.Eye(clear[i].x, clear[i].y, clear[i].radius, 0.0, 0.0) for i in chosen]


def _square(picture: Image.Image, eye: finder.Eye, tilt: float, size: int) -> bytes:
    return images.encode(finder.crop(picture, replace(eye, radius=eye.radius * WIDE), tilt, size))
