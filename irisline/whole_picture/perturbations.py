"""What another photograph of the same thing may differ in: side, size, file and light."""

import io
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from PIL import Image, ImageOps

from irisline.core.domain import Perturbations
from irisline.core.linear_light import to_display, to_linear

QUALITY = (40, 60)  # of a JPEG, as messengers send pictures
SCALE = (0.6, 1.4)

WARM, COLD = (1.329, 0.920, 0.522), (0.934, 0.997, 1.196)
"""Gains in linear sRGB of the light of a lamp, 3000 K, and of open shade, 10000 K, when a camera makes up for half of it.

Square roots of black bodies of luminance 1, by Kim et al. (US patent 7024034, 2002).
"""


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
    return _lit(picture, WARM)


def cold_light(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    """Return the picture as in open shade."""
    return _lit(picture, COLD)


def _lit(picture: Image.Image, gains: tuple[float, float, float]) -> Image.Image:
    """Scale each band of linear light (von Kries 1902)."""
    linear = to_linear(np.asarray(picture, dtype=np.uint8))
    return Image.fromarray(to_display(linear * np.array(gains, dtype=np.float32)))


CHANGES: Mapping[str, Callable[[Image.Image, np.random.Generator], Image.Image]] = MappingProxyType(
    {each.__name__: each for each in (mirror, jpeg, scale, warm_light, cold_light)}
)
"""What no answer may depend on, by name."""


def apply(name: str, picture: Image.Image, found: object, random: np.random.Generator) -> Image.Image:
    """Return the picture under one of CHANGES."""
    return CHANGES[name](picture, random)


PERTURBATIONS = Perturbations(invariant=tuple(CHANGES), apply=apply)
