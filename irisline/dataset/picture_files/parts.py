"""What is known of a picture from its file alone, and what the formats share. Knows no format."""

import struct
from dataclasses import dataclass
from typing import Literal

Kind = Literal["JPEG", "PNG", "WEBP"]

MAX_PARTS = 5_000  # segments or chunks of a file: a PNG of 40 MB in pieces of 8 kB
EXIF = b"Exif\0\0"


@dataclass(frozen=True)
class Png:
    """What a PNG's header says of its rows, and the chunks that give them colour."""

    depth: int  # bits of a channel
    colour: int  # 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha
    interlaced: bool
    palette: bytes
    transparency: bytes
    rows: bytes  # all IDAT chunks: one zlib stream

    @property
    def channels(self) -> int:
        """How many numbers a pixel has."""
        return {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[self.colour]


@dataclass(frozen=True)
class PictureFile:
    """A picture's file, made anew. Width and height in pixels as stored, orientation 1 to 8 as in Exif."""

    kind: Kind
    width: int
    height: int
    data: bytes
    orientation: int = 1
    profile: bytes = b""  # ICC
    is_whole: bool = True  # False for a JPEG whose end is missing: its last pixels may be too
    blocks: tuple[int, ...] = ()  # of a JPEG: blocks of 8 × 8 pixels that each scan goes over
    kept_blocks: int = 0  # of a JPEG: those that are kept until the last scan; 0 when each is decoded as it comes
    png: Png | None = None
    canvas: tuple[int, int, int, int] | None = (
        None  # of a WebP's frame: size of what it lies on, and left and top there
    )


def orientation_of(exif: bytes) -> int:
    """Return how the camera was held, 1 (upright) to 8, from an Exif block; 1 for one that is damaged or says nothing."""
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None or len(exif) < 8:
        return 1
    start = struct.unpack(f"{order}I", exif[4:8])[0]
    count = struct.unpack(f"{order}H", exif[start : start + 2])[0] if start + 2 <= len(exif) else 0
    for at in range(start + 2, min(start + 2 + 12 * count, len(exif) - 11), 12):
        tag, kind, many, value = struct.unpack(f"{order}HHIH", exif[at : at + 10])
        if tag == 0x0112:
            return int(value) if kind == 3 and many == 1 and 1 <= value <= 8 else 1
    return 1
