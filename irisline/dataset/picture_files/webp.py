"""The parts of a WebP (RFC 9649): of an animation, its first frame. Knows nothing of pixels."""

import struct
from collections.abc import Iterator

from irisline.core.errors import UnreadableImage
from irisline.dataset.picture_files.parts import EXIF, MAX_PARTS, PictureFile, orientation_of


def read(data: bytes) -> PictureFile:
    """Return what a WebP holds; raise UnreadableImage, or a struct.error, IndexError or KeyError for one that is cut short."""
    image, alpha, exif, icc = b"", b"", b"", b""
    canvas: tuple[int, int, int, int] | None = None
    animated = False
    for name, body in _riff(data[: 8 + int.from_bytes(data[4:8], "little")], 12):
        if name == b"VP8X":
            canvas = (_three(body, 4) + 1, _three(body, 7) + 1, 0, 0)
        elif name == b"ANMF" and canvas and not image:
            animated, canvas = True, (*canvas[:2], 2 * _three(body, 0), 2 * _three(body, 3))
            image, alpha = _frame(dict(reversed(list(_riff(body, 16)))))
        elif name in (b"VP8 ", b"VP8L") and not image:
            image = _chunk(name, body)
        elif name == b"ALPH" and not image:
            alpha = _chunk(name, body)
        elif name == b"EXIF":
            exif = exif or body.removeprefix(EXIF)
        elif name == b"ICCP":
            icc = icc or body
    if not image:
        raise UnreadableImage("damaged: no pixels in it")
    width, height = _size_of_webp(image)
    whole = image
    if alpha and image.startswith(b"VP8 "):
        size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        whole = _chunk(b"VP8X", b"\x10\0\0\0" + size) + alpha + image
    if canvas and (canvas[0] < canvas[2] + width or canvas[1] < canvas[3] + height):
        raise UnreadableImage("damaged: a frame that is larger than its canvas")
    on_more = animated and canvas is not None and canvas[:2] != (width, height)
    file = b"RIFF" + (len(whole) + 4).to_bytes(4, "little") + b"WEBP" + whole
    return PictureFile("WEBP", width, height, file, orientation_of(exif), icc, canvas=canvas if on_more else None)


def _frame(inner: dict[bytes, bytes]) -> tuple[bytes, bytes]:
    name = b"VP8L" if b"VP8L" in inner else b"VP8 "
    return _chunk(name, inner[name]), _chunk(b"ALPH", inner[b"ALPH"]) if b"ALPH" in inner else b""


def _riff(data: bytes, at: int) -> Iterator[tuple[bytes, bytes]]:
    for _ in range(MAX_PARTS):
        if at + 8 > len(data):
            return
        name, length = struct.unpack("<4sI", data[at : at + 8])
        if at + 8 + length > len(data):
            raise UnreadableImage("damaged: cut short")
        yield name, data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2
    raise UnreadableImage(f"more than {MAX_PARTS} chunks")


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + len(body).to_bytes(4, "little") + body + b"\0" * (len(body) % 2)


def _size_of_webp(image: bytes) -> tuple[int, int]:
    if image.startswith(b"VP8L"):
        bits = int.from_bytes(image[9:13], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return int.from_bytes(image[14:16], "little") & 0x3FFF, int.from_bytes(image[16:18], "little") & 0x3FFF


def _three(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 3], "little")
