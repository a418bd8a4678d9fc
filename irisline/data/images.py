"""One picture: from hostile bytes to upright RGB, its identity, and the square a network sees.

Training rows, evaluation and the service all decode here. Knows nothing of labels, params or files, and nothing heavier
than Pillow: the serving image carries this module.
"""

import hashlib
import io
import re
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageFile, ImageOps, UnidentifiedImageError

from irisline.errors import UnreadableImage

FORMATS = ("JPEG", "PNG", "WEBP")
STORED_QUALITY = 95
MAX_SCANS = 100  # of a JPEG; cameras write one, web pages some fourteen
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # in compressed data, others stand for a byte or for a restart
_END, _SCAN = 0xD9, 0xDA

GIANT = 8  # times the longest side that is kept; what is larger, once decoded, is shrunk in bands
BAND = 4_000_000  # pixels
_giants = threading.Lock()  # one at a time: some 200 MB each

Pixels = NDArray[np.uint8]
Fit = Literal["crop", "pad", "squash"]

ImageFile.LOAD_TRUNCATED_IMAGES = False


def decode(data: bytes, max_side: int, max_pixels: int) -> Image.Image:
    """Give the upright RGB picture of a JPEG, PNG or WebP file, its longer side at most max_side pixels.

    The first frame of an animation; transparency over white; 16 bits scaled to 8; an embedded colour profile applied.
    Raise UnreadableImage with the reason; a header that claims more than max_pixels is refused before any pixel is decoded.
    """
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="PIL")  # remarks on odd files; the limit on pixels is ours
            return _decode(data, max_side, max_pixels)
    except UnreadableImage:
        raise
    except Image.DecompressionBombError as error:
        raise UnreadableImage(f"more than {max_pixels} pixels") from error
    except Exception as error:  # whatever a decoder raises on hostile bytes is a fact about the picture
        raise UnreadableImage(f"damaged: {_short(error)}") from error


def header(data: bytes) -> tuple[int, int, str]:
    """Give the width and height in pixels, as stored, and the format that a readable picture's header claims."""
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        return image.width, image.height, str(image.format)


def _decode(data: bytes, max_side: int, max_pixels: int) -> Image.Image:
    try:
        image: Image.Image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        raise UnreadableImage(f"not a {', '.join(FORMATS)} picture") from error
    if image.width * image.height > max_pixels:
        raise UnreadableImage(f"{image.width}x{image.height} is more than {max_pixels} pixels")
    if scans(data) > MAX_SCANS:
        raise UnreadableImage(f"more than {MAX_SCANS} scans")
    image.draft("RGB", (max_side, max_side))  # a JPEG decoder scales down by 2, 4 or 8 for free
    if max(image.size) < GIANT * max_side:
        rgb = _to_rgb(_upright(image))
    else:
        with _giants:
            rgb = _upright(_in_bands(image, max_side))
    rgb.thumbnail((max_side, max_side), Image.Resampling.BILINEAR, reducing_gap=None)
    rgb.info.clear()
    return rgb


def scans(data: bytes) -> int:
    """Give how often a JPEG goes over its pixels, 0 for other formats: a small file that does so for minutes is a trap."""
    scans, at = 0, 2 if data.startswith(b"\xff\xd8") else len(data)
    while (found := _MARKER.search(data, at)) and data[found.end() - 1] != _END and scans <= MAX_SCANS:
        scans += data[found.end() - 1] == _SCAN
        at = found.end() + int.from_bytes(data[found.end() : found.end() + 2])
    return scans


def _in_bands(image: Image.Image, max_side: int) -> Image.Image:
    """Give a giant picture in RGB at about four times max_side: no second copy of all its pixels is ever made."""
    factor = max(image.size) // (4 * max_side)
    rows = max(1, BAND // image.width // factor) * factor
    bands = range(0, image.height, rows)
    shrunk = Image.new("RGB", (-(-image.width // factor), -(-image.height // factor)))
    for top in bands:
        band = image.crop((0, top, image.width, min(top + rows, image.height)))
        shrunk.paste(_to_rgb(band).reduce(factor), (0, top // factor))
    shrunk.info.update(image.info)  # which way is up
    return shrunk


def _upright(image: Image.Image) -> Image.Image:
    with suppress(Exception):  # a damaged note about the camera: the picture is shown as it lies, as browsers do
        ImageOps.exif_transpose(image, in_place=True)
    return image


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith(("I", "F")):
        deep = np.asarray(image, dtype=np.float64)
        image = Image.fromarray(np.clip(deep / 257, 0, 255).astype(np.uint8))
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        paper = Image.new("RGBA", layered.size, "white")
        return Image.alpha_composite(paper, layered).convert("RGB")
    return _standard_colours(image)


def _standard_colours(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    if profile and image.mode in ("RGB", "CMYK", "L"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError):
            converted = None  # a broken or foreign profile: the numbers are taken as sRGB, as browsers do
        if converted is not None:
            return converted
    return image.convert("RGB")


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:100] or type(error).__name__


def encode(image: Image.Image) -> bytes:
    """Give the picture as a JPEG without metadata, as shards keep it."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=STORED_QUALITY, subsampling=0)
    return buffer.getvalue()


def pixel_digest(image: Image.Image) -> str:
    """Give the sha256 of an RGB picture's size and pixels: the identity of what is seen, whatever the file."""
    size = f"{image.width}x{image.height}:".encode()
    return hashlib.sha256(size + image.tobytes()).hexdigest()


def square(image: Image.Image, size: int, fit: Fit) -> Pixels:
    """Give the picture as the square a network sees, uint8 of shape (3, size, size): cropped, padded or squashed."""
    return as_pixels(_FITS[fit](image, (size, size)))


def as_pixels(image: Image.Image) -> Pixels:
    """Give an RGB picture as networks take it, uint8 (3, height, width)."""
    return np.ascontiguousarray(np.asarray(image).transpose(2, 0, 1))


_FITS: dict[Fit, Callable[[Image.Image, tuple[int, int]], Image.Image]] = {
    "crop": partial(ImageOps.fit, method=Image.Resampling.BILINEAR),
    "pad": partial(ImageOps.pad, method=Image.Resampling.BILINEAR),
    "squash": partial(Image.Image.resize, resample=Image.Resampling.BILINEAR),
}
