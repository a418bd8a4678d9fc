"""What a network sees of a picture: the whole of it, or each region that its domain finds in it, as squares of one size.

Training rows, evaluation and the service all cut their squares here. Knows nothing of labels, files or networks.
"""

import io
from dataclasses import dataclass

from PIL import Image

from irisline.core.params import Preprocess
from irisline.dataset import images, picture_files
from irisline.dataset.images import Pixels
from irisline.domains import regions


@dataclass(frozen=True)
class Place:
    """Where a region is: the centre of its circle and the radius, as shares of the picture's width, height and width."""

    x: float
    y: float
    radius: float


@dataclass(frozen=True)
class View:
    """A square of a picture, uint8 (3, size, size): of the whole, or of a region of one of the subjects in it."""

    pixels: Pixels
    subject: int  # from 0, the nearest
    place: Place | None


def of(picture: Image.Image, preprocess: Preprocess) -> list[View]:
    """Return what a network sees of an upright RGB picture: one view of the whole, or one of each region that is found."""
    if preprocess.crop not in regions.OF:
        return [View(images.square(picture, preprocess.size, preprocess.fit), 0, None)]
    width, height = picture.size
    return [
        View(images.as_pixels(each.square), each.subject, Place(each.x / width, each.y / height, each.radius / width))
        for each in regions.OF[preprocess.crop].find(picture, preprocess.size)
    ]


def of_stored(data: bytes, preprocess: Preprocess) -> list[View]:
    """Return the views of a picture that collect has bounded and stored."""
    with Image.open(io.BytesIO(data), formats=picture_files.FORMATS) as image:
        return of(image.convert("RGB"), preprocess)
