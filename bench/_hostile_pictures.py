"""Pictures that mean harm: bombs, giants, dots, broken and strange ones. Bytes only; knows nothing of who reads them."""

import io
import struct
import zlib
from functools import cache
from random import Random

from PIL import Image

LIMIT = 50_000_000  # pixels that a service may take; above it a header alone must be enough to refuse
_SCANS = 400  # of a progressive JPEG whose every scan says nothing new


@cache
def strange() -> dict[str, bytes]:
    """Return pictures by what is odd about them; some can be read, some cannot, none may do harm."""
    return {
        "bomb: a PNG of 65,500 pixels each way": _png(65_500, 65_500, b"\0" * 2**20),
        "bomb: a PNG just above the limit": _png(10_001, 5_000, b"\0" * 2**20),
        "bomb: a JPEG header of 65,500 pixels each way": _with_size(_saved("RGB", (64, 64), "JPEG"), 65_500, 65_500),
        "bomb: a WebP of 268 million pixels": _webp_header(16_383, 16_383),
        "bomb: a text chunk of 200 MB": _png(
            8, 8, b"\0" * 9 * 8, (b"zTXt", b"a\0\0" + zlib.compress(b"\0" * 200_000_000, 9))
        ),
        "bomb: a colour profile of 100 MB": _png(
            8, 8, b"\0" * 9 * 8, (b"iCCP", b"a\0\0" + zlib.compress(b"\0" * 100_000_000, 9))
        ),
        "bomb: more data than the PNG's size tells": _png(8, 8, b"\0" * 50_000_000),
        "one pixel: PNG": _saved("RGB", (1, 1), "PNG"),
        "one pixel: JPEG": _saved("L", (1, 1), "JPEG"),
        "one pixel: WebP": _saved("RGBA", (1, 1), "WEBP"),
        "one pixel high": _saved("RGB", (20_000, 1), "PNG"),
        "no pixel": _png(0, 0, b""),
        "no height": _with_size(_saved("RGB", (64, 64), "JPEG"), 64, 0),
        "16 bits": _saved("I;16", (300, 200), "PNG"),
        "four inks": _saved("CMYK", (300, 200), "JPEG"),
        "transparent palette": _saved("P", (300, 200), "PNG", transparency=0),
        "animation: 300 frames": _animation(300),
        "the wrong kind: GIF": _saved("P", (64, 64), "GIF"),
        "the wrong kind: TIFF": _saved("RGB", (64, 64), "TIFF"),
        "the wrong kind: SVG": b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
        "the wrong kind: PDF": b"%PDF-1.7\n1 0 obj <</Type /Catalog>> endobj",
        "the wrong kind: PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) run\n",
        "the wrong kind: text": b"a picture of an eye",
        "nothing": b"",
        "zeros": b"\0" * 100_000,
        "the signature of a JPEG alone": b"\xff\xd8\xff",
        "the signature of a PNG alone": b"\x89PNG\r\n\x1a\n",
        "a PNG chunk of 4 GB": b"\x89PNG\r\n\x1a\n" + struct.pack(">I4s", 2**32 - 1, b"IHDR") + b"\0" * 64,
        "rotated by a broken note": _with_note(b"Exif\0\0" + b"MM\0*" + b"\xff" * 60),
        "a colour profile of noise": _with_profile(Random(1).randbytes(3000)),
    }


@cache
def giants() -> dict[str, bytes]:
    """Return pictures that cost a second or more each: those of 50 megapixels are allowed, the last one is a trap."""
    return {
        "50 megapixels: JPEG": _saved("L", (10_000, 5_000), "JPEG"),
        "50 megapixels: progressive JPEG": _saved("RGB", (10_000, 5_000), "JPEG", progressive=True, quality=10),
        "50 megapixels: PNG": _png(10_000, 5_000, b"\0" * 30_001 * 5_000),
        "50 megapixels: WebP": _saved("RGB", (10_000, 5_000), "WEBP", lossless=True, method=0),
        "bomb: a JPEG of 400 empty scans": _many_scans(),
    }


def damaged(picture: bytes, random: Random) -> bytes:
    """Return a good picture with some bytes changed, or cut off anywhere."""
    data = bytearray(picture)
    for _ in range(random.randint(1, 30)):
        data[random.randrange(2, len(data))] = random.randrange(256)
    return bytes(data[: random.randint(1, len(data))] if random.random() < 0.5 else data)


def _saved(mode: str, size: tuple[int, int], kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size).save(buffer, kind, **options)
    return buffer.getvalue()


def _png(width: int, height: int, rows: bytes, *more: tuple[bytes, bytes]) -> bytes:
    """Return a PNG of 8-bit RGB whose header says this size, whatever the rows hold."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), *more, (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _with_size(jpeg: bytes, width: int, height: int) -> bytes:
    at = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:at] + struct.pack(">HH", height, width) + jpeg[at + 4 :]


def _webp_header(width: int, height: int) -> bytes:
    """Return a lossless WebP whose header says this size, and that holds nothing."""
    bits = (width - 1) | (height - 1) << 14
    body = b"VP8L" + struct.pack("<I", 20) + b"\x2f" + struct.pack("<I", bits) + b"\0" * 15
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def _many_scans() -> bytes:
    """Return a large progressive JPEG that repeats its last scan hundreds of times: small to send, long to read."""
    whole = _saved("L", (7_000, 7_000), "JPEG", progressive=True, quality=1)
    at = whole.rindex(b"\xff\xda")
    return whole[:at] + whole[at:-2] * _SCANS + whole[-2:]


def _animation(frames: int) -> bytes:
    buffer = io.BytesIO()
    images = [Image.new("RGB", (32, 32), (number % 256, 0, 0)) for number in range(frames)]
    images[0].save(buffer, "WEBP", save_all=True, append_images=images[1:], duration=1)
    return buffer.getvalue()


def _with_note(note: bytes) -> bytes:
    jpeg = _saved("RGB", (64, 48), "JPEG")
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(note) + 2) + note + jpeg[2:]


def _with_profile(profile: bytes) -> bytes:
    return _saved("RGB", (64, 48), "JPEG", icc_profile=profile)
