"""A large PNG, a band of rows at a time: memory for the band, not for the picture. Knows nothing of colours or sizes.

A PNG's rows are one zlib stream in which each row is told by its differences from the row above. A band is inflated, put into
a small PNG of its own below the last row of the band before, and Pillow's decoder undoes the differences. They are between
bytes, so that rows of any depth are read as bytes; of 16 bits the high bytes alone, which never mix with the low ones.
"""

import io
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image

from irisline.core.errors import UnreadableImage
from irisline.dataset.picture_files import PictureFile, Png
from irisline.dataset.picture_files.png import file_of, head_of

_AS_COLOUR = {1: (0, "L"), 2: (4, "LA"), 3: (2, "RGB"), 4: (6, "RGBA")}  # by bytes of a pixel
_PIECE = 2**16  # bytes of the stream that are given to zlib at once


def can_read(file: PictureFile, factor: int) -> bool:
    """Return whether a picture is a PNG that is large enough for bands, and whose rows come one after the other."""
    return file.png is not None and not file.png.interlaced and factor > 1


def read(file: PictureFile, rows: int) -> Iterator[Image.Image]:
    """Yield bands of so many rows, the last with what is left; raise UnreadableImage when the stream ends before."""
    png = file.png
    assert png
    row_bytes = -(-file.width * png.channels * png.depth // 8)
    stream = _Stream(png.rows)
    step = 2 if png.depth == 16 else 1
    above = np.zeros(row_bytes // step, np.uint8)
    for top in range(0, file.height, rows):
        count = min(rows, file.height - top)
        lines = np.frombuffer(stream.read(count * (row_bytes + 1)), np.uint8).reshape(count, row_bytes + 1)
        plain = _plain(lines[:, 0], lines[:, 1::step], above, png.channels if png.depth >= 8 else 1)
        above = plain[-1]
        yield _image(plain, file.width, png)


class _Stream:
    """The bytes that a zlib stream holds, in order, none ahead of time."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at, self._inflate = memoryview(data), 0, zlib.decompressobj()

    def read(self, count: int) -> bytes:
        """Return so many bytes; raise UnreadableImage when there are fewer, or the stream is damaged."""
        found, missing = [], count
        while missing:
            piece = self._inflate.unconsumed_tail or self._data[self._at : self._at + _PIECE]
            if not self._inflate.unconsumed_tail:
                self._at += len(piece)
            if not piece or self._inflate.eof:
                raise UnreadableImage("damaged: cut short")
            try:
                found.append(self._inflate.decompress(piece, missing))
            except zlib.error as error:
                raise UnreadableImage(f"damaged: {error}") from error
            missing -= len(found[-1])
        return b"".join(found)


def _plain(filters: np.ndarray, lines: np.ndarray, above: np.ndarray, pixel_bytes: int) -> np.ndarray:
    """Return rows of bytes, uint8 (n, bytes), from rows of differences and the row above the first."""
    colour, _ = _AS_COLOUR[pixel_bytes]
    count, width = lines.shape
    held = np.empty((count + 1, width + 1), np.uint8)
    held[0, 0], held[0, 1:], held[1:, 0], held[1:, 1:] = 0, above, filters, lines
    head = head_of(width // pixel_bytes, count + 1, 8, colour)
    small = file_of([(b"IHDR", head), (b"IDAT", zlib.compress(held.tobytes(), 0))])
    with Image.open(io.BytesIO(small), formats=("PNG",)) as image:
        return np.asarray(image).reshape(count + 1, width)[1:]


def _image(plain: np.ndarray, width: int, png: Png) -> Image.Image:
    size, data = (width, len(plain)), plain.tobytes()
    if png.colour == 3:
        image = Image.frombytes("P", size, data, "raw", "P" if png.depth == 8 else f"P;{png.depth}")
        image.putpalette(png.palette)
    elif png.depth < 8:
        image = (
            Image.frombytes("L", size, data, "raw", f"L;{png.depth}")
            if png.depth > 1
            else Image.frombytes("1", size, data)
        )
    else:
        image = Image.frombytes(_AS_COLOUR[png.channels][1], size, data)
    if png.transparency:
        image.info["transparency"] = _transparency(png)
    return image


def _transparency(png: Png) -> bytes | int | tuple[int, ...]:
    """Return what is transparent as Pillow takes it: of a palette a number for each colour, else one colour."""
    if png.colour == 3:
        return png.transparency
    colour = tuple(int.from_bytes(png.transparency[at : at + 2]) for at in range(0, 2 * png.channels, 2))
    return colour if len(colour) > 1 else colour[0]
