"""What another photograph of the same thing may differ in: side, size, file and light."""

import io
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from PIL import Image, ImageOps

from irisline.core import linear_light
from irisline.core.domain import Perturbations

QUALITY = (40, 60)  # of a JPEG, as messengers send pictures
SCALE = (0.6, 1.4)


def mirror(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    """Return the picture mirrored left to right."""
    return ImageOps.mirror(picture)


def jpeg(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    """Return the picture as a JPEG of low quality leaves it."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=int(random.integers(QUALITY[0], QUALITY[1] + 1)))
    with Image.open(buffer, formats=["JPEG"]) as stored:
        return stored.convert("RGB")


def scale(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    """Return the picture at another size."""
    factor = float(random.uniform(*SCALE))
    size = max(1, round(picture.width * factor)), max(1, round(picture.height * factor))
    return picture.resize(size, Image.Resampling.BICUBIC)


def warm_light(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    """Return the picture as in the light of a lamp."""
    return Image.fromarray(linear_light.in_light(np.asarray(picture), 1.0))


def cold_light(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    """Return the picture as in open shade."""
    return Image.fromarray(linear_light.in_light(np.asarray(picture), -1.0))


CHANGES: Mapping[str, Callable[[Image.Image, np.random.Generator], Image.Image]] = MappingProxyType(
    {each.__name__: each for each in (mirror, jpeg, scale, warm_light, cold_light)}
)
"""What no answer may depend on, by name."""


def apply(name: str, picture: Image.Image, found: object, random: np.random.Generator) -> Image.Image:
    """Return the picture under one of CHANGES."""
    return CHANGES[name](picture, random)


TAUGHT_BY: Mapping[str, str] = MappingProxyType(
    {
        mirror.__name__: "augment.mirror",
        jpeg.__name__: "augment.jpeg_quality",
        scale.__name__: "augment.blur",
        warm_light.__name__: "augment.light",
        cold_light.__name__: "augment.light",
    }
)
"""The param of augmentation that shows training the like."""

PERTURBATIONS = Perturbations(invariant=tuple(CHANGES), apply=apply, taught_by=TAUGHT_BY)
