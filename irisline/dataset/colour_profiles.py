"""Colours as a screen shows them: transparency over white, 16 bits as 8, an embedded profile turned into sRGB."""

import io
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image, ImageCms

_MOST_TAGS = 100
_UNBOUNDED = b"mpet"  # a profile's chain of any length, worked through for every colour


def mixable(image: Image.Image) -> Image.Image:
    """Return a picture in a mode whose pixels can be averaged: L, LA, RGB, RGBA or CMYK."""
    if image.mode.startswith(("I", "F")):
        deep = np.asarray(image, dtype=np.float64)
        grey = Image.fromarray(np.clip(deep / 257, 0, 255).astype(np.uint8))
        if "transparency" in image.info:
            grey.putalpha(Image.fromarray(np.where(deep // 256 == image.info["transparency"], 0, 255).astype(np.uint8)))
        return grey
    if image.mode in ("L", "LA", "RGB", "RGBA", "CMYK") and "transparency" not in image.info:
        return image
    if image.has_transparency_data:
        return image.convert("LA" if image.mode == "L" else "RGBA")
    return image.convert("L" if image.mode == "1" else "RGB")


def on_white(image: Image.Image) -> Image.Image:
    """Return a picture of such a mode in L, RGB or CMYK, what is transparent over white."""
    if image.mode not in ("LA", "RGBA"):
        return image
    layered = image.convert("RGBA")
    composed = Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered).convert("RGB")
    return composed.getchannel(0) if image.mode == "LA" else composed


def converter(profile: bytes) -> Callable[[Image.Image], Image.Image]:
    """Return what turns a picture in L, RGB or CMYK into sRGB by a profile.

    One that is absent, broken, of other colours or without a bound is left out: the numbers are taken as sRGB, as browsers do.
    """
    if not profile or not _is_bounded(profile):
        return lambda image: image.convert("RGB")
    made: dict[str, ImageCms.ImageCmsTransform | None] = {}

    def to_srgb(image: Image.Image) -> Image.Image:
        if image.mode not in made:
            made[image.mode] = _transform(profile, image.mode)
        transform = made[image.mode]
        converted = ImageCms.applyTransform(image, transform) if transform else None
        return converted or image.convert("RGB")

    return to_srgb


def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None


def has_tables(profile: bytes) -> bool:
    """Return whether a profile has tables of colours, which takes far longer than a matrix."""
    return any(name.startswith(b"A2B") for name, _ in _tags(profile))


def _is_bounded(profile: bytes) -> bool:
    count = int.from_bytes(profile[128:132])
    return count <= _MOST_TAGS and all(profile[start : start + 4] != _UNBOUNDED for _, start in _tags(profile))


def _tags(profile: bytes) -> Iterator[tuple[bytes, int]]:
    """Yield the name of each part of a profile, and where it starts."""
    table = profile[132 : 132 + 12 * min(int.from_bytes(profile[128:132]), _MOST_TAGS)]
    for at in range(0, len(table) - 11, 12):
        yield table[at : at + 4], int.from_bytes(table[at + 4 : at + 8])
