"""What else may be in a picture of the same eyes: another shirt and background, make-up, glasses.

Painted as tints that leave light and dark as they are. Nothing of an eye between its lids is touched.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from PIL import Image, ImageOps

from irisline.core import seeding
from irisline.eyes.finder import Face
from irisline.eyes.perturbations.geometry import EyeCoordinates, Plane, inside, near

Colour = tuple[int, int, int]

BLUE, ORANGE = (20, 70, 225), (205, 95, 15)
MAKEUP: tuple[Colour, ...] = ((25, 80, 220), (180, 85, 25), (130, 40, 190), (20, 150, 110), (200, 40, 90))
FRAMES: tuple[Colour, ...] = ((15, 15, 18), (90, 50, 25), (25, 60, 170), (170, 25, 35), (200, 200, 205))

FACE, FACE_MIDDLE = (11.8, 17.0), 4.0
"""Half the width and height, and how far below the eyes the middle is, of what is left of a face: in iris radii."""

CLOSE_UP = 4.5
"""Iris radii that are left around an eye alone, more than a network is shown; around one of a face, half the face's height."""

OPENING = (3.0, 1.3)
"""Half the width and height in iris radii of what may lie between the lids, wherever the eye looks."""

LIDS, LENS = (3.5, 2.2), (4.4, 3.5)
LOWER_LID = 0.15  # of the make-up of the upper one
ARM = (6.4, 0.3)  # how far it reaches from the iris, and half its width


def blue_surroundings(picture: Image.Image, faces: Sequence[Face], random: np.random.Generator) -> Image.Image:
    """Return the picture with all that is around the faces in blue."""
    return _tinted(picture, BLUE, 1.0 - _faces(picture, faces))


def orange_surroundings(picture: Image.Image, faces: Sequence[Face], random: np.random.Generator) -> Image.Image:
    """Return the picture with all that is around the faces in an orange brown."""
    return _tinted(picture, ORANGE, 1.0 - _faces(picture, faces))


def makeup(picture: Image.Image, faces: Sequence[Face], random: np.random.Generator) -> Image.Image:
    """Return the picture with a strong colour on the lids."""
    strength = np.float32(random.uniform(0.3, 0.8))
    return _tinted(picture, seeding.pick(random, MAKEUP), strength * _around_eyes(picture, faces, LIDS[0] + 1, _lids))


def glasses(picture: Image.Image, faces: Sequence[Face], random: np.random.Generator) -> Image.Image:
    """Return the picture with the frames of glasses, round or square, thin or thick."""
    frame = partial(_frame, width=float(random.uniform(0.3, 0.8)), power=int(seeding.pick(random, (2, 4))))
    cover = _around_eyes(picture, faces, ARM[0] + 1, frame)
    return Image.composite(Image.new("RGB", picture.size, seeding.pick(random, FRAMES)), picture, _mask(cover))


def _tinted(picture: Image.Image, colour: Colour, cover: Plane) -> Image.Image:
    tint = ImageOps.colorize(picture.convert("L"), "black", "white", mid=colour)
    return Image.composite(tint, picture, _mask(cover))


def _mask(cover: Plane) -> Image.Image:
    return Image.fromarray(np.asarray(np.round(255 * cover), dtype=np.uint8))


def _around_eyes(
    picture: Image.Image, faces: Sequence[Face], reach: float, shape: Callable[[EyeCoordinates], Plane]
) -> Plane:
    """Return a shape around each eye, within so many iris radii of it, as a plane of the picture's size."""
    cover = np.zeros((picture.height, picture.width), dtype=np.float32)
    for face in faces:
        for eye in face.eyes:
            at = near(picture.size, eye, face.tilt, reach)
            cover[at.rows, at.columns] = np.maximum(cover[at.rows, at.columns], shape(at))
    return cover


def _faces(picture: Image.Image, faces: Sequence[Face]) -> Plane:
    """Return where faces are: an ellipse about two eyes, the neighbourhood of one alone."""
    cover = np.zeros((picture.height, picture.width), dtype=np.float32)
    for face in faces:
        first, last = face.eyes[0], face.eyes[-1]
        middle = replace(first, x=(first.x + last.x) / 2, y=(first.y + last.y) / 2)
        at = near(
            picture.size, middle, face.tilt, 2 * max(picture.size) / first.radius
        )  # eyes may lie outside the picture
        alone = CLOSE_UP if face.framing == "eye" else FACE[1]
        shape = _ellipse(at, FACE, FACE_MIDDLE) if len(face.eyes) == 2 else _ellipse(at, (alone, alone))
        cover[at.rows, at.columns] = np.maximum(cover[at.rows, at.columns], inside(shape, 0.2))
    return cover


def _lids(at: EyeCoordinates) -> Plane:
    lids = inside(_ellipse(at, LIDS), 0.35) * inside(-_ellipse(at, OPENING), 0.15)
    return lids * (LOWER_LID + (1 - LOWER_LID) * inside(at.down, 0.8))


def _frame(at: EyeCoordinates, width: float, power: int) -> Plane:
    lens = (np.abs(at.across / LENS[0]) ** power + np.abs(at.down / LENS[1]) ** power) ** (1 / power) - 1
    rim = np.abs(lens * LENS[1] - width / 2) - width / 2
    arms = np.maximum(np.abs(at.down + 1) - ARM[1], np.maximum(LENS[0] - np.abs(at.across), np.abs(at.across) - ARM[0]))
    return inside(np.minimum(rim, arms), 0.15)


def _ellipse(at: EyeCoordinates, half: tuple[float, float], middle: float = 0.0) -> Plane:
    """Return the distance from an ellipse's rim, as a share of its half axes, negative inside of it."""
    rim = np.hypot(at.across / np.float32(half[0]), (at.down - np.float32(middle)) / np.float32(half[1]))
    return np.asarray(rim - 1)
