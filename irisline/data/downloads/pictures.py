"""The bytes of one picture: looked at, seen to be whole, and named by their hash.

Nothing that a server said of them is believed. Whole means that the file's own marks and sums say so; no pixel is decoded,
which would cost as much as all the rest, and whoever takes a picture into the pool decodes it anyway. Knows nothing of
where they came from.
"""

import hashlib
import io
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from irisline.data import images
from irisline.data.downloads.download import DAMAGED, FETCHED, NOT_A_PICTURE, TOO_MANY_PIXELS, Download, Refused, short

SIGNATURE = 12  # bytes that tell a kind
_SHOWN = 40  # characters of what is no picture


def kind_of(start: bytes | bytearray) -> str:
    """Give the ending of the kind that a file's first bytes show; raise Refused when it is none of images.FORMATS."""
    if start.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "webp"
    shown = bytes(start[:_SHOWN]).decode("ascii", "replace") if start else "nothing"
    raise Refused(NOT_A_PICTURE, f"not a {', '.join(images.FORMATS)} picture: it begins with {shown!r}")


def examined(url: str, data: bytes, folder: Path, max_pixels: int) -> Download:
    """Give the download of a picture that is fit to lie in folder/<sha256>.<kind>.

    Raise Refused when it is not whole or has too many pixels.
    """
    kind = kind_of(data)
    width, height = _size(data, max_pixels)
    if flaw := _FLAWS[kind](data):
        raise Refused(DAMAGED, flaw)
    digest = hashlib.sha256(data).hexdigest()
    return Download(url, FETCHED, "", folder / f"{digest}.{kind}", digest, len(data), width, height, kind)


def _size(data: bytes, max_pixels: int) -> tuple[int, int]:
    """Give the width and height that the header claims, before a pixel is decoded."""
    try:
        width, height, _ = images.header(data)
    except Image.DecompressionBombError as error:
        raise Refused(TOO_MANY_PIXELS, f"more than {max_pixels} pixels") from error
    except Exception as error:  # whatever a reader raises on hostile bytes is a fact about the picture
        raise Refused(DAMAGED, "its header cannot be read") from error
    if width * height > max_pixels:
        raise Refused(TOO_MANY_PIXELS, f"{width}x{height} is more than {max_pixels} pixels")
    return width, height


def _flaw_of_jpeg(data: bytes) -> str:
    if images.scans(data) > images.MAX_SCANS:
        return f"more than {images.MAX_SCANS} scans"
    return "" if data.rfind(b"\xff\xd9") > data.rfind(b"\xff\xda") > 0 else "cut short: its end is missing"


def _flaw_of_png(data: bytes) -> str:
    try:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            image.verify()  # the sum of every chunk, and the last one
    except Exception as error:  # whatever a reader raises on hostile bytes is a fact about the picture
        return f"damaged: {short(error)}"
    return ""


def _flaw_of_webp(data: bytes) -> str:
    return "" if len(data) >= int.from_bytes(data[4:8], "little") + 8 else "cut short: shorter than it says"


_FLAWS: dict[str, Callable[[bytes], str]] = {"jpg": _flaw_of_jpeg, "png": _flaw_of_png, "webp": _flaw_of_webp}
