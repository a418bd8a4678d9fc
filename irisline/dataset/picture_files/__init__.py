"""What a picture's file holds, read without decoding a pixel: the parts that pixels need, and how much there is to decode.

A decoder is never given the file that came, but one made anew of these parts: no notes, texts, thumbnails or further frames,
each scan and each piece of data counted. So nothing is in it that was not charged for. Knows nothing of pixels.
"""

import re
import struct

from irisline.core.errors import UnreadableImage
from irisline.dataset.picture_files import jpeg, png, webp
from irisline.dataset.picture_files.parts import Kind, PictureFile, Png

__all__ = ["FORMATS", "Kind", "PictureFile", "Png", "kind_of", "read"]

FORMATS: tuple[Kind, ...] = ("JPEG", "PNG", "WEBP")
_READERS = {"JPEG": jpeg.read, "PNG": png.read, "WEBP": webp.read}
_OTHERS = {  # what people send besides, by its first bytes
    rb"GIF8": "GIF", rb"BM": "BMP", rb"II\*\x00|MM\x00\*": "TIFF", rb".{4}ftyp(avif|avis)": "AVIF",
    rb".{4}ftyp(hei|hev|mif1|msf1)": "HEIC", rb"\xff\x0a|.{4}JXL ": "JPEG XL", rb".{4}jP  |\xff\x4f\xff\x51": "JPEG 2000",
    rb"%PDF": "PDF", rb"8BPS": "Photoshop", rb"(?i)\s*(<\?xml|<svg)": "SVG",
}  # fmt: skip


def read(data: bytes) -> PictureFile:
    """Return what a file holds; raise UnreadableImage when it is no picture, or not one that pixels can come from."""
    try:
        found = _READERS[kind_of(data)](data)
    except (struct.error, IndexError, KeyError, ValueError) as error:
        raise UnreadableImage("damaged: cut short") from error
    if not found.width or not found.height:
        raise UnreadableImage("damaged: no pixels in it")
    return found


def kind_of(data: bytes) -> Kind:
    """Return the format that a file's first bytes show; raise UnreadableImage that names it when it is another."""
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(png.SIGNATURE):
        return "PNG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    for start, name in _OTHERS.items():
        if re.match(start, data[:64], re.DOTALL):
            raise UnreadableImage(f"{name}, not JPEG, PNG or WebP; save it as JPEG")
    raise UnreadableImage("not a JPEG, PNG or WebP picture")
