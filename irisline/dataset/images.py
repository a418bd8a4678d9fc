"""One picture: from hostile bytes to upright RGB, its identity, and the square a network sees.

Training rows, evaluation and the service all decode here. Knows nothing of labels, params or files, and nothing heavier
than Pillow: the serving image carries this module.
"""

import hashlib
import io
import warnings
from collections.abc import Callable
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps

from irisline.core.errors import TooCostly, UnreadableImage, in_a_line
from irisline.dataset import decoding, picture_files
from irisline.dataset.decoding import Cost

STORED_QUALITY = 95
GENEROUS = Cost(seconds=10, bytes=2**30)  # for a picture of one's own, or one that was decoded before

Pixels = NDArray[np.uint8]
Fit = Literal["crop", "pad", "squash"]

ImageFile.LOAD_TRUNCATED_IMAGES = False
Image.MAX_IMAGE_PIXELS = None  # what may be decoded is known before Pillow sees the file


def decode(data: bytes, max_side: int, max_pixels: int, allowed: Cost = GENEROUS) -> Image.Image:
    """Return the upright RGB picture of a JPEG, PNG or WebP file, its longer side at most max_side pixels.

    The first frame of an animation; transparency over white; 16 bits scaled to 8; an embedded colour profile applied.
    Raise UnreadableImage with the reason; TooCostly, before any pixel is decoded, when a picture has more than max_pixels
    (a JPEG is counted as the decoder scales it down) or would take more than is allowed.
    """
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="PIL")  # remarks on odd files
            return decoding.decode(picture_files.read(data), max_side, max_pixels, allowed)
    except UnreadableImage:
        raise
    except MemoryError as error:
        raise TooCostly("takes more memory to decode than is allowed") from error
    except Exception as error:  # whatever a decoder raises on hostile bytes is a fact about the picture
        raise UnreadableImage(f"damaged: {in_a_line(error, 100)}") from error


def cost(data: bytes, max_side: int, max_pixels: int, allowed: Cost) -> Cost:
    """Return what decoding a picture is foretold to take; raise as decode does before it decodes."""
    file = picture_files.read(data)
    return decoding.cost(file, decoding.check(file, max_side, max_pixels, allowed))


def header(data: bytes) -> tuple[int, int, str]:
    """Return the width and height in pixels, as stored, and the format of a picture's file; raise UnreadableImage."""
    file = picture_files.read(data)
    return file.width, file.height, file.kind


def encode(image: Image.Image) -> bytes:
    """Return the picture as a JPEG without metadata, as shards keep it."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=STORED_QUALITY, subsampling=0)
    return buffer.getvalue()


def pixel_digest(image: Image.Image) -> str:
    """Return the sha256 of an RGB picture's size and pixels: the identity of what is seen, whatever the file."""
    size = f"{image.width}x{image.height}:".encode()
    return hashlib.sha256(size + image.tobytes()).hexdigest()


def square(image: Image.Image, size: int, fit: Fit) -> Pixels:
    """Return the picture as the square a network sees, uint8 of shape (3, size, size): cropped, padded or squashed."""
    return as_pixels(_FITS[fit](image, (size, size)))


def as_pixels(image: Image.Image) -> Pixels:
    """Return an RGB picture as networks take it, uint8 (3, height, width)."""
    return np.ascontiguousarray(np.asarray(image).transpose(2, 0, 1))


_FITS: dict[Fit, Callable[[Image.Image, tuple[int, int]], Image.Image]] = {
    "crop": partial(ImageOps.fit, method=Image.Resampling.BILINEAR),
    "pad": partial(ImageOps.pad, method=Image.Resampling.BILINEAR),
    "squash": partial(Image.Image.resize, resample=Image.Resampling.BILINEAR),
}
