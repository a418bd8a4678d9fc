"""The bytes of one picture: looked at, and named by their hash.

Nothing that a server said of them is believed. No pixel is decoded, which would cost as much as all the rest, and whoever takes
a picture into the pool decodes it anyway. Knows nothing of where they came from.
"""

import hashlib
from pathlib import Path

from irisline.collection.downloads.download import DAMAGED, FETCHED, NOT_A_PICTURE, TOO_MANY_PIXELS, Download, Refused
from irisline.core.errors import TooCostly, UnreadableImage
from irisline.dataset import decoding, images, picture_files

SIGNATURE = 12  # bytes that tell a kind
_ENDINGS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp"}
_SHOWN = 40  # characters of what is no picture


def kind_of(start: bytes | bytearray) -> str:
    """Return the ending of the kind that a file's first bytes show; raise Refused when it is none that can be read."""
    try:
        return _ENDINGS[picture_files.kind_of(bytes(start))]
    except UnreadableImage as error:
        shown = bytes(start[:_SHOWN]).decode("ascii", "replace") if start else "nothing"
        raise Refused(NOT_A_PICTURE, f"{error}: it begins with {shown!r}") from error


def examined(url: str, data: bytes, folder: Path, max_side: int, max_pixels: int) -> Download:
    """Return the download of a picture that is fit to lie in folder/<sha256>.<kind>.

    Raise Refused when it is damaged as far as can be seen without decoding it, or would take too much to decode.
    """
    kind = kind_of(data)
    try:
        file = picture_files.read(data)
        decoding.check(file, max_side, max_pixels, images.GENEROUS)
    except TooCostly as error:
        raise Refused(TOO_MANY_PIXELS, str(error)) from error
    except UnreadableImage as error:
        raise Refused(DAMAGED, str(error)) from error
    if not file.is_whole:
        raise Refused(DAMAGED, "cut short: its end is missing")
    digest = hashlib.sha256(data).hexdigest()
    return Download(url, FETCHED, "", folder / f"{digest}.{kind}", digest, len(data), file.width, file.height, kind)
