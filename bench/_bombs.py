"""Small files that take much to decode, made here: each kind hides its cost in another place. Bytes only."""

import io
import struct
import zlib
from collections.abc import Callable
from functools import cache
from random import Random

from PIL import Image, ImageCms

from irisline.dataset.picture_files.png import file_of, head_of

SIDE = 5119  # pixels: just below where pictures were shrunk in bands once
LARGEST = 10 * 2**20 - 1024  # bytes of a body that a service takes


@cache
def every() -> dict[str, bytes]:
    """Return the bombs by what is costly in them."""
    made: dict[str, Callable[[], bytes]] = {
        "hidden scans: FF 01 before each of 200": lambda: scans(200, b"\xff\x01", (3000, 3000)),
        "hidden scans: in a segment's place": lambda: scans(200, b"\xff\xff\xff\x01\xff\x00", (3000, 3000)),
        "100 scans of 25 megapixels": lambda: scans(80, b"", (5000, 5000)),
        "a progressive JPEG of 4,000 megapixels": lambda: resized_jpeg(scans(5, b"", (64, 64)), 65_500, 65_500),
        "a baseline JPEG of 4,000 megapixels": lambda: resized_jpeg(_saved("RGB", (64, 64), "JPEG"), 65_500, 65_500),
        "a JPEG of 190 megapixels": lambda: _saved("L", (16_000, 12_000), "JPEG"),
        "a JPEG of 500,000 restarts in 10 MB": restarts,
        "comments, empty, 10 MB": lambda: comments(b"\xff\xfe\x00\x02"),
        "application notes, empty, 10 MB": lambda: comments(b"\xff\xe1\x00\x02"),
        "Huffman tables, 10 MB": lambda: comments(b"\xff\xc4\x00\x02"),
        "RGBA just below the bands": lambda: _saved("RGBA", (SIDE, SIDE), "PNG"),
        "palette with transparency": lambda: _saved("P", (SIDE, SIDE), "PNG", transparency=0),
        "16 bits with alpha": lambda: deep(6, SIDE),
        "interlaced": lambda: deep(6, 2000, interlaced=True),
        "interlaced and large": lambda: deep(2, SIDE, interlaced=True),
        "one row of 200 million pixels": lambda: png(200_000_000, 1, 8, 0),
        "200 million rows of a pixel": lambda: png(1, 200_000_000, 1, 0),
        "text of 200 MB": lambda: png(8, 8, 8, 2, (b"zTXt", b"a\0\0" + zlib.compress(bytes(200_000_000), 9))),
        "a profile of 100 MB": lambda: png(8, 8, 8, 2, (b"iCCP", b"a\0\0" + zlib.compress(bytes(100_000_000), 9))),
        "a profile that is a chain of 50,000 steps": lambda: _saved(
            "RGB", (2500, 2500), "PNG", icc_profile=chain(50_000)
        ),
        "empty pieces of a PNG, 10 MB": lambda: pieces((b"IDAT", b"")),
        "empty notes of a PNG, 10 MB": lambda: pieces((b"tEXt", b"")),
        "empty blocks of a zlib stream, 10 MB": blocks,
        "a WebP of 34 bytes": lambda: webp_header(7000, 7000),
        "a WebP of 268 megapixels": lambda: webp_header(16_383, 16_383),
        "65,536 codes of a WebP of one megapixel": lambda: many_huffman_groups(1024),
        "a canvas of 49 megapixels for a pixel": lambda: canvas(7000),
        "lossless WebP": lambda: _saved("RGBA", (3500, 3500), "WEBP", lossless=True, method=0),
        "discs, everywhere": discs,
        "noise": noise,
    }
    return {name: make() for name, make in made.items()}


def scans(times: int, between: bytes, size: tuple[int, int]) -> bytes:
    """Return a progressive JPEG whose last scan comes so many times more, with something before each."""
    whole = _saved("L", size, "JPEG", progressive=True, quality=1)
    at = whole.rindex(b"\xff\xda")
    return whole[:-2] + (between + whole[at:-2]) * times + whole[-2:]


def resized_jpeg(jpeg: bytes, width: int, height: int) -> bytes:
    """Return a JPEG whose header tells another size."""
    at = min(found for found in (jpeg.find(b"\xff\xc0"), jpeg.find(b"\xff\xc2")) if found > 0) + 5
    return jpeg[:at] + struct.pack(">HH", height, width) + jpeg[at + 4 :]


def restarts() -> bytes:
    """Return a JPEG that begins anew after each block."""
    whole = _saved("L", (8, 8), "JPEG")
    at = whole.index(b"\xff\xda")
    body = whole[at + 10 : -2]
    many = b"".join(body + b"\xff" + bytes((0xD0 + n % 8,)) for n in range(500_000))
    head = resized_jpeg(whole[:at] + b"\xff\xdd\x00\x04\x00\x01", 8000, 4000)
    return (head + whole[at : at + 10] + many)[:LARGEST] + b"\xff\xd9"


def comments(segment: bytes) -> bytes:
    """Return a JPEG of a pixel with as many segments as a body holds."""
    whole = _saved("L", (1, 1), "JPEG")
    return whole[:2] + segment * (LARGEST // len(segment)) + whole[2:]


def png(width: int, height: int, depth: int, colour: int, *more: tuple[bytes, bytes]) -> bytes:
    """Return a PNG of this size with more chunks, all black."""
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[colour]
    packer, left = zlib.compressobj(9), height * (1 + -(-width * channels * depth // 8))
    rows = b"".join(packer.compress(bytes(min(2**24, left - at))) for at in range(0, left, 2**24)) + packer.flush()
    return file_of([(b"IHDR", head_of(width, height, depth, colour)), *more, (b"IDAT", rows)])


def deep(colour: int, side: int, interlaced: bool = False) -> bytes:
    """Return a PNG of 16 bits, all black."""
    channels = {2: 3, 6: 4}[colour]
    head = head_of(side, side, 16, colour)[:-1] + bytes([interlaced])
    starts = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    passes = starts if interlaced else [(0, 0, 1, 1)]
    sizes = [(-(-(side - x) // across), -(-(side - y) // down)) for x, y, across, down in passes]
    rows = b"".join(bytes(height * (1 + width * channels * 2)) for width, height in sizes)
    return file_of([(b"IHDR", head), (b"IDAT", zlib.compress(rows, 9))])


def chain(steps: int) -> bytes:
    """Return a colour profile whose one way to colours is a chain of so many matrices."""
    plain = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    matrix = b"matf" + bytes(4) + struct.pack(">HH", 3, 3) + struct.pack(">12f", 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0)
    start = 16 + 8 * steps
    table = b"".join(struct.pack(">II", start, len(matrix)) for _ in range(steps))  # all of them the same
    body = b"mpet" + bytes(4) + struct.pack(">HHI", 3, 3, steps) + table + matrix
    count = struct.unpack(">I", plain[128:132])[0]
    moved = 12
    tags = [struct.unpack(">4sII", plain[132 + 12 * n : 144 + 12 * n]) for n in range(count)]
    rest = bytes(plain[132 + 12 * count :])
    at = 132 + 12 * (count + 1) + len(rest)
    table_of_tags = b"".join(struct.pack(">4sII", name, offset + moved, size) for name, offset, size in tags)
    table_of_tags += struct.pack(">4sII", b"D2B0", at, len(body))
    whole = bytes(plain[:128]) + struct.pack(">I", count + 1) + table_of_tags + rest + body
    return struct.pack(">I", len(whole)) + whole[4:]


def pieces(chunk: tuple[bytes, bytes]) -> bytes:
    """Return a PNG of a pixel with as many chunks of a kind as a body holds."""
    rows = (b"IDAT", zlib.compress(bytes(4)))
    one = file_of([(b"IHDR", head_of(1, 1, 8, 2)), chunk, rows])
    at = one.index(chunk[0]) - 4
    told = one[at : at + 12 + len(chunk[1])]
    return one[:at] + told * ((LARGEST - len(one)) // len(told)) + one[at + len(told) :]


def blocks() -> bytes:
    """Return a PNG of a pixel before whose data come as many empty blocks, each with codes of its own, as a body holds."""
    empty = _empty_dynamic_block()
    many = empty * ((LARGEST - 200) // len(empty))
    raw = zlib.compressobj(9, zlib.DEFLATED, -15)
    rows = raw.compress(bytes(4)) + raw.flush()
    stream = b"\x78\x9c" + many + rows + struct.pack(">I", zlib.adler32(bytes(4)))
    return file_of([(b"IHDR", head_of(1, 1, 8, 2)), (b"IDAT", stream)])


def _empty_dynamic_block() -> bytes:
    """Return a deflate block with codes for every length, no data, padded by an empty stored block to whole bytes."""
    bits = _Bits()
    bits.write(0, 1)
    bits.write(2, 2)
    bits.write(0, 5)  # 257 codes for bytes
    bits.write(0, 5)  # 1 for distances
    bits.write(15, 4)  # lengths of all 19
    order = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)
    for symbol in order:
        bits.write({18: 1, 1: 2, 0: 2}.get(symbol, 0), 3)
    code = {18: (0, 1), 0: (1, 2), 1: (3, 2)}  # reversed as they are sent
    for symbol, extra in ((18, 138 - 11), (18, 117 - 11), (0, None), (1, None), (1, None)):
        bits.write(*code[symbol])
        if extra is not None:
            bits.write(extra, 7)
    bits.write(0, 1)  # the end of the block
    bits.write(0, 3)  # a stored block, empty
    return bits.done() + b"\x00\x00\xff\xff"


def webp_header(width: int, height: int) -> bytes:
    """Return a lossless WebP whose header tells this size, and that holds nothing."""
    return _webp(b"VP8L", b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14) + b"\0")


def many_huffman_groups(side: int) -> bytes:
    """Return a lossless WebP that has codes of its own for each 4 × 4 pixels: tables of 5 kB for each."""
    blocks_across = -(-side // 4)
    groups = blocks_across**2
    parts = _Bits()
    parts.write(0x2F, 8)
    parts.write((side - 1) | (side - 1) << 14, 32)
    for value, count in (
        (0, 1),
        (0, 1),
        (1, 1),
        (0, 3),
        (0, 1),
    ):  # no transform, no cache; codes by blocks of 4; no cache
        parts.write(value, count)
    _code_of_bytes(parts, 280)  # green: low byte of a group's number
    _code_of_bytes(parts, 256)  # red: its high byte
    for _ in range(3):
        parts.write(1, 4)  # blue, alpha, distance: one symbol
    for number in range(groups):
        for byte in (number & 255, number >> 8 & 255):
            parts.write(int(f"{byte:08b}"[::-1], 2), 8)
    for _ in range(groups):
        parts.write(int("0001" * 5, 2), 20)  # five codes of one symbol
    return _webp(b"VP8L", parts.done())


def _code_of_bytes(parts: "_Bits", alphabet: int) -> None:
    """Write a code in which each of 256 symbols has eight bits, and the others none."""
    parts.write(0, 1)  # not simple
    order = (17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8)
    parts.write(len(order) - 4, 4)
    for symbol in order:
        parts.write(1 if symbol in (8, 18) else 0, 3)
    parts.write(0, 1)  # all symbols are told
    parts.write(0, 256)  # symbol 8, whose code is 0, for each byte
    if alphabet > 256:
        parts.write(1, 1)  # 18: so many times none
        parts.write(alphabet - 256 - 11, 7)


class _Bits:
    """Bits, the lowest first, filled up to whole bytes."""

    def __init__(self) -> None:
        self._told: list[str] = []

    def write(self, value: int, count: int) -> None:
        self._told.append(f"{value:0{count}b}"[::-1])

    def done(self) -> bytes:
        text = "".join(self._told)
        text += "0" * (-len(text) % 8)
        return int(text[::-1], 2).to_bytes(len(text) // 8, "little")


def canvas(side: int) -> bytes:
    """Return an animation of one frame of a pixel on a canvas of this side."""
    frame = bytes(16) + _saved("RGB", (1, 1), "WEBP", lossless=True)[12:]
    size = (side - 1).to_bytes(3, "little") * 2
    parts = [(b"VP8X", b"\x02\0\0\0" + size), (b"ANIM", bytes(6)), (b"ANMF", frame)]
    body = b"".join(name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for name, data in parts)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def discs() -> bytes:
    """Return a picture full of dark discs, each of which might be an iris."""
    tile = Image.new("RGB", (40, 40), "white")
    tile.paste(
        (60, 40, 30), (0, 0), Image.radial_gradient("L").resize((40, 40)).point(lambda value: 255 * (value < 110))
    )
    picture = Image.new("RGB", (640, 640))
    for at in range(256):
        picture.paste(tile, (at % 16 * 40, at // 16 * 40))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def noise() -> bytes:
    """Return a picture of noise."""
    buffer = io.BytesIO()
    Image.frombytes("RGB", (640, 640), Random(2).randbytes(640 * 640 * 3)).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def _webp(name: bytes, body: bytes) -> bytes:
    chunk = name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
    return b"RIFF" + struct.pack("<I", len(chunk) + 4) + b"WEBP" + chunk


def _saved(mode: str, size: tuple[int, int], kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size).save(buffer, kind, **options)
    return buffer.getvalue()
