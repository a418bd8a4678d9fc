"""The parts of a PNG (ISO 15948). Knows nothing of pixels."""

import struct
import zlib
from collections.abc import Iterator

from irisline.core.errors import UnreadableImage
from irisline.dataset.picture_files.parts import EXIF, MAX_PARTS, PictureFile, Png, orientation_of

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MOST_COLOURS = 256  # of a palette, each with a byte of transparency
MAX_PROFILE = 4 * 2**20  # bytes of a colour profile; those of printing presses have one or two million


def read(data: bytes) -> PictureFile:
    """Return what a PNG holds; raise UnreadableImage, or struct.error for one that is cut short."""
    head, palette, transparency, exif, packed, pieces = b"", b"", b"", b"", b"", []
    for name, body in _chunks(data):
        if name == b"IHDR":
            head = head or body
        elif name == b"PLTE":
            palette = palette or body
        elif name == b"tRNS":
            transparency = transparency or body[:MOST_COLOURS]
        elif name == b"IDAT":
            pieces.append(body)
        elif name == b"eXIf":
            exif = exif or body.removeprefix(EXIF)
        elif name == b"iCCP":
            packed = packed or body.partition(b"\0")[2][1:]
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", head)
    if depth not in {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}.get(colour, ()):
        raise UnreadableImage(f"damaged: {depth} bits of colour type {colour}")
    if not pieces or (colour == 3 and not palette):
        raise UnreadableImage("damaged: no pixels in it")
    if colour != 3:
        transparency = transparency[: 6 if colour == 2 else 2]
        transparency = transparency if depth == 8 else _in_eight_bits(transparency, depth)
    rows = b"".join(pieces)
    parts = [(b"IHDR", head), (b"PLTE", palette), (b"tRNS", transparency), (b"IDAT", rows)]
    whole = file_of([(name, body) for name, body in parts if body])
    png = Png(depth, colour, bool(interlaced), palette, transparency, rows)
    return PictureFile("PNG", width, height, whole, orientation_of(exif), _inflated(packed), png=png)


def file_of(chunks: list[tuple[bytes, bytes]]) -> bytes:
    """Return a PNG file of these chunks and the last one."""
    told = (
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(body, zlib.crc32(name)))
        for name, body in (*chunks, (b"IEND", b""))
    )
    return SIGNATURE + b"".join(told)


def head_of(width: int, height: int, depth: int, colour: int) -> bytes:
    """Return the IHDR of a PNG whose rows come one after the other."""
    return struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(SIGNATURE)
    for number in range(MAX_PARTS + 1):
        if at + 12 > len(data) or data[at + 4 : at + 8] == b"IEND":
            return
        length, name = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + length]
        if number == 0 and (name, length) != (b"IHDR", 13):
            raise UnreadableImage("damaged: does not begin with its size")
        if name in (b"IHDR", b"PLTE", b"IDAT"):
            if at + 12 + length > len(data):
                raise UnreadableImage("damaged: cut short")
            if zlib.crc32(body, zlib.crc32(name)) != int.from_bytes(data[at + 8 + length : at + 12 + length]):
                raise UnreadableImage(f"damaged: wrong checksum of {name.decode()}")
        yield name, body
        at += 12 + length
    raise UnreadableImage(f"more than {MAX_PARTS} chunks")


def _in_eight_bits(transparency: bytes, depth: int) -> bytes:
    """Return the transparent colour, told in the picture's own bits, as Pillow compares it: in 8, the high ones of 16."""
    told = (int.from_bytes(transparency[at : at + 2]) for at in range(0, len(transparency), 2))
    return b"".join(struct.pack(">H", (one >> 8 if depth == 16 else one * 255 // (2**depth - 1)) & 255) for one in told)


def _inflated(data: bytes) -> bytes:
    """Return a colour profile, or nothing when it is damaged or too long."""
    try:
        whole = zlib.decompressobj().decompress(data, MAX_PROFILE + 1)
    except zlib.error:
        return b""
    return whole if len(whole) <= MAX_PROFILE else b""
