"""What a network sees of a picture: the whole of it, or each eye that is found in it, as squares of one size.

Training rows, evaluation and the service all cut their squares here. Knows nothing of labels, files or networks.
"""

import io
from dataclasses import dataclass

from PIL import Image

from irisline.core.params import Preprocess
from irisline.dataset import images, picture_files
from irisline.dataset.images import Pixels
from irisline.eyes import finder

MOST_PEOPLE = (
    6  # of one picture that are looked at, the nearest first: a crowd must not cost more than its answer is worth
)


@dataclass(frozen=True)
class Place:
    """Where an eye is: the centre of its iris and its radius, as shares of the picture's width, height and width."""

    x: float
    y: float
    radius: float


@dataclass(frozen=True)
class View:
    """A square of a picture, uint8 (3, size, size): of the whole, or of an eye of one of the people in it."""

    pixels: Pixels
    person: int  # from 0, the nearest
    place: Place | None


def of(picture: Image.Image, preprocess: Preprocess) -> list[View]:
    """Return what a network sees of an upright RGB picture: one view of the whole, or one of each eye; none without an eye."""
    if preprocess.crop == "none":
        return [View(images.square(picture, preprocess.size, preprocess.fit), 0, None)]
    people = finder.find(picture).faces[:MOST_PEOPLE]
    return [
        _of_eye(picture, eye, number, person.tilt, preprocess.size)
        for number, person in enumerate(people)
        for eye in person.eyes
    ]


def of_stored(data: bytes, preprocess: Preprocess) -> list[View]:
    """Return the views of a picture that collect has bounded and stored."""
    with Image.open(io.BytesIO(data), formats=picture_files.FORMATS) as image:
        return of(image.convert("RGB"), preprocess)


def _of_eye(picture: Image.Image, eye: finder.Eye, person: int, tilt: float, size: int) -> View:
    square = finder.crop(picture, eye, tilt, size)
    place = Place(eye.x / picture.width, eye.y / picture.height, eye.radius / picture.width)
    return View(images.as_pixels(square), person, place)
