"""What decoding costs is known before, what is large is shrunk without a copy of it all, and odd files are read."""

import random
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from irisline.core.errors import TooCostly, UnreadableImage
from irisline.dataset import decoding, images, picture_files
from irisline.dataset.decoding import Cost
from irisline.dataset.picture_files import jpeg
from tests.imports import ROOT
from tests.planted import picture, saved

MODES = ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"]
SHARED = ROOT.parent / "shared" / "failing_inputs"


def decode(data: bytes, max_side: int = 640, max_pixels: int = 10**8) -> Image.Image:
    return images.decode(data, max_side, max_pixels)


def difference(one: Image.Image, other: Image.Image) -> float:
    return float(np.abs(np.asarray(one, float) - np.asarray(other, float)).mean())


def in_mode(mode: str, size: tuple[int, int]) -> Image.Image:
    wide = picture("blue", size=(60, 40)).resize(size, Image.Resampling.BICUBIC)
    if mode == "I;16":
        return Image.fromarray(np.asarray(wide.convert("L"), np.uint16) * 257)
    if mode in ("LA", "RGBA"):
        wide.putalpha(Image.linear_gradient("L").resize(size))
    return wide.convert(mode)


@pytest.mark.parametrize("mode", MODES)
def test_a_large_png_is_shrunk_in_bands_to_what_it_would_be_whole(mode: str) -> None:
    data = saved(in_mode(mode, (1200, 800)), "PNG")
    whole, banded = decode(data, 1200), decode(data, 100)
    assert banded.size == (100, 67)
    assert difference(whole.resize((100, 67), Image.Resampling.BOX), banded) < 5


def filtered(rows: np.ndarray, pixel_bytes: int, rng: random.Random) -> bytes:
    """Return rows of bytes as a PNG tells them, each by one of the five filters."""
    told, above = [], [0] * rows.shape[1]
    for row in rows.tolist():
        left = [0] * pixel_bytes + row[:-pixel_bytes]
        corner = [0] * pixel_bytes + above[:-pixel_bytes]
        kind = rng.randrange(5)
        guesses = (
            [0] * len(row), left, above, [(a + b) // 2 for a, b in zip(left, above, strict=True)],
            [paeth(a, b, c) for a, b, c in zip(left, above, corner, strict=True)],
        )  # fmt: skip
        told.append(bytes([kind, *((x - g) % 256 for x, g in zip(row, guesses[kind], strict=True))]))
        above = row
    return b"".join(told)


def paeth(left: int, above: int, corner: int) -> int:
    guess = left + above - corner
    return min((left, above, corner), key=lambda each: abs(guess - each))


@pytest.mark.parametrize(
    ("colour", "depth"),
    [
        (0, 1),
        (0, 2),
        (0, 4),
        (0, 8),
        (0, 16),
        (2, 8),
        (2, 16),
        (3, 1),
        (3, 2),
        (3, 4),
        (3, 8),
        (4, 8),
        (4, 16),
        (6, 8),
        (6, 16),
    ],
)
def test_bands_of_every_kind_of_png_are_what_pillow_reads(colour: int, depth: int) -> None:
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    width, height = 163, 90
    rng = np.random.default_rng(colour * 100 + depth)
    rows = rng.integers(0, 256, (height, -(-width * channels * depth // 8)), np.uint8)
    palette = rng.integers(0, 256, 3 * 2 ** min(depth, 8), np.uint8).tobytes()
    stream = zlib.compress(filtered(rows, max(1, channels * depth // 8), random.Random(1)))
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    chunks = [(b"IHDR", head), *[(b"PLTE", palette)] * (colour == 3), (b"IDAT", stream[:99]), (b"IDAT", stream[99:])]
    data = picture_files.png.file_of(chunks)
    whole = images.decode(data, 200, 10**6)
    shrunk = images.decode(data, 20, 10**6)
    plan = decoding.Plan.of(picture_files.read(data), 20)
    assert plan.factor == 2
    again = whole.reduce(2)
    again.thumbnail((20, 20), Image.Resampling.BILINEAR, reducing_gap=None)
    assert difference(again, shrunk) <= 1.5


def test_a_large_png_that_ends_early_or_is_damaged_is_a_reason() -> None:
    data = saved(in_mode("RGB", (1200, 800)), "PNG")
    file = picture_files.read(data)
    assert file.png
    for rows in (file.png.rows[:5000], file.png.rows[:3000] + bytes(100) + file.png.rows[3100:]):
        head = picture_files.png.head_of(1200, 800, 8, 2)
        with pytest.raises(UnreadableImage, match=r"^damaged: "):
            decode(picture_files.png.file_of([(b"IHDR", head), (b"IDAT", rows)]), 100)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_large_picture_that_lies_on_its_side_is_put_upright(kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert decode(saved(Image.new("RGB", (1000, 500), "red"), kind, exif=exif), 100).size == (50, 100)


@pytest.mark.parametrize("size", [(3, 4000), (4000, 3), (63, 9000), (65_500, 20), (20, 65_500), (1999, 1501)])
def test_a_jpeg_of_any_shape_is_scaled_by_its_decoder_or_not_at_all(size: tuple[int, int]) -> None:
    found = decode(saved(Image.new("RGB", size, "red")))
    assert max(found.size) == 640
    assert difference(found, Image.new("RGB", found.size, "red")) < 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "kind", "most"),
    [
        ("RGBA", "PNG", 60),
        ("I;16", "PNG", 60),
        ("P", "PNG", 60),
        ("RGB", "JPEG", 60),
        ("CMYK", "JPEG", 60),
        ("RGBA", "WEBP", 1100),
    ],
)  # fmt: skip
def test_a_giant_takes_the_memory_that_was_foretold(tmp_path: Path, mode: str, kind: str, most: int) -> None:
    giant = (
        Image.fromarray(np.full((7000, 7000), 30_000, np.uint16)) if mode == "I;16" else Image.new(mode, (7000, 7000))
    )
    (tmp_path / "giant").write_bytes(saved(giant, kind))
    code = (
        "import resource, sys; from irisline.dataset import images; data = open(sys.argv[1], 'rb').read();"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; before = peak();"
        "images.decode(data, 640, 50_000_000); print((peak() - before) // 1024)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "giant")], check=True, capture_output=True, text=True
    )
    file = picture_files.read((tmp_path / "giant").read_bytes())
    foretold = decoding.cost(file, decoding.Plan.of(file, 640)).bytes / 2**20
    assert int(done.stdout) <= min(foretold, most)  # megabytes; the pixels alone are 200


def test_what_would_take_more_than_is_allowed_is_refused_with_the_limit() -> None:
    data = saved(Image.new("RGBA", (2000, 2000)), "WEBP", lossless=True)
    with pytest.raises(TooCostly, match=r"^takes \d+ MB to decode, the limit is 32 MB$"):
        images.decode(data, 640, 10**8, Cost(1, 32 * 2**20))
    with pytest.raises(TooCostly, match=r"^takes some 0\.\d+ seconds to decode, the limit is 0\.01$"):
        images.decode(data, 640, 10**8, Cost(0.01, 2**30))


# JPEG: what its decoder would go over


def scanned(times: int, between: bytes = b"") -> bytes:
    """Return a progressive JPEG whose last scan comes so many times more, with something before each."""
    whole = saved(picture(), progressive=True)
    at = whole.rindex(b"\xff\xda")
    return whole[:-2] + (between + whole[at:-2]) * times + whole[-2:]


@pytest.mark.parametrize(
    "between",
    [b"", b"\xff\x01", b"\xff\x01\xff\xff", b"\xff\xd0", b"\xff\xd7\xff\x01", b"\xff\x02", b"\xff\xbf", b"\x00garbage",
     b"\xff\x00", b"\xff\xfe\x00\x02", b"\xff\xe5\x00\x04\xff\xd9"],
)  # fmt: skip
def test_no_marker_hides_a_scan(between: bytes) -> None:
    assert decode(scanned(50, between)).size == (48, 40)
    with pytest.raises(UnreadableImage, match="more than 100 scans"):
        decode(scanned(100, between))


def test_scans_are_charged_by_the_blocks_they_go_over() -> None:
    once, often = (picture_files.read(scanned(times)) for times in (0, 60))
    plan = decoding.Plan.of(once, 640)
    assert len(often.blocks) == len(once.blocks) + 60
    assert decoding.cost(often, plan).seconds > decoding.cost(once, plan).seconds
    assert once.kept_blocks == 6 * 5 + 2 * (3 * 3)
    assert picture_files.read(saved(picture())).kept_blocks == 0


def test_what_looks_like_scans_beside_the_pixels_is_not_counted() -> None:
    whole, like_scans = saved(picture()), b"\xff\xda" * 1000
    note = b"\xff\xe4" + struct.pack(">H", len(like_scans) + 2) + like_scans
    assert decode(whole[:2] + note + whole[2:] + like_scans).size == (48, 40)  # phones append a film


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_what_no_pixel_needs_is_left_out(kind: str) -> None:
    note = b"secret" * 20_000
    data = {
        "JPEG": lambda: (
            saved(picture())[:2] + b"".join(b"\xff\xed\x00\x08secret" for _ in range(4000)) + saved(picture())[2:]
        ),
        "PNG": lambda: with_chunks(*[(b"tEXt", note)] * 50),
        "WEBP": lambda: saved(picture(), "WEBP", xmp=note),
    }[kind]()
    file = picture_files.read(data)
    assert b"secret" in data
    assert b"secret" not in file.data
    assert decode(data).size == (48, 40)


def with_chunks(*chunks: tuple[bytes, bytes]) -> bytes:
    file = picture_files.read(saved(picture(), "PNG"))
    assert file.png
    head = picture_files.png.head_of(48, 40, 8, 2)
    return picture_files.png.file_of([(b"IHDR", head), *chunks, (b"IDAT", file.png.rows)])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_file_of_countless_parts_is_refused(kind: str) -> None:
    whole = saved(picture())
    data = {
        "JPEG": whole[:2] + b"\xff\xfe\x00\x02" * 30_000 + whole[2:],
        "PNG": with_chunks(*[(b"IDAT", b"")] * 30_000),
        "WEBP": b"RIFF" + (4 + 8 * 30_000).to_bytes(4, "little") + b"WEBP" + b"abcd\0\0\0\0" * 30_000,
    }[kind]
    with pytest.raises(UnreadableImage, match="more than 5000"):
        decode(data)


@pytest.mark.parametrize("marker", [0xC3, 0xC5, 0xC9, 0xCA, 0xCF])
def test_a_jpeg_coded_otherwise_is_named(marker: int) -> None:
    with pytest.raises(UnreadableImage, match="arithmetically; save it as an ordinary one"):
        decode(saved(picture()).replace(b"\xff\xc0", bytes((0xFF, marker)), 1))


def test_a_jpeg_with_two_frames_or_two_beginnings_is_damaged() -> None:
    whole = saved(picture())
    at = whole.index(b"\xff\xc0")
    length = 2 + int.from_bytes(whole[at + 2 : at + 4])
    for data in (whole[: at + length] + whole[at:], whole[:at] + b"\xff\xd8" + whole[at:]):
        with pytest.raises(UnreadableImage, match=r"^damaged: "):
            decode(data)


# Odd, and right all the same


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"quality": 30}, {"subsampling": 0}])
def test_a_jpeg_without_its_end_is_read_when_its_pixels_are_all_there(options: dict[str, Any]) -> None:
    whole = saved(picture(size=(300, 200)), **options)
    assert difference(decode(whole), decode(whole[:-2])) == 0
    assert difference(decode(whole), decode(whole[:-1])) == 0
    assert not jpeg.read(whole[:-2]).is_whole
    for cut in (200, 1000, len(whole) // 3):
        with pytest.raises(UnreadableImage, match=r"^damaged: "):
            decode(whole[:-cut])


def test_a_png_without_its_end_is_read() -> None:
    whole = saved(picture(), "PNG")
    assert difference(decode(whole[:-12]), picture()) == 0
    with pytest.raises(UnreadableImage, match=r"^damaged: "):
        decode(whole[:-40])


@pytest.mark.parametrize("name", [b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"tIME", b"pHYs", b"iCCP", b"quRk"])
def test_a_wrong_checksum_of_what_no_pixel_needs_costs_nothing(name: bytes) -> None:
    data = bytearray(with_chunks((name, b"Title\0\0some text")))
    data[data.index(name) + 4 + len(b"Title\0\0some text")] ^= 1
    assert difference(decode(bytes(data)), picture()) == 0


def test_a_wrong_checksum_of_the_pixels_is_damage() -> None:
    data = bytearray(saved(picture(), "PNG"))
    data[data.index(b"IDAT") + 30] ^= 1
    with pytest.raises(UnreadableImage, match=r"^damaged: wrong checksum of IDAT$"):
        decode(bytes(data))


def swapped_profile() -> bytes:
    """Return sRGB's profile with the red and blue primaries exchanged: red numbers stand for blue light."""
    data = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return data.replace(b"rXYZ", b"????").replace(b"bXYZ", b"rXYZ").replace(b"????", b"bXYZ")


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("RGB", "PNG"), ("RGBA", "PNG"), ("P", "PNG"), ("RGB", "WEBP"), ("RGBA", "WEBP"), ("RGB", "JPEG")],
)
@pytest.mark.parametrize("side", [8, 500])
def test_a_profile_counts_with_alpha_and_palette_too(mode: str, kind: str, side: int) -> None:
    plain = Image.new("RGB", (side, side), (250, 10, 10)).convert(mode)
    lossless = {} if kind == "JPEG" else {"lossless": True}
    found = decode(saved(plain, kind, icc_profile=swapped_profile(), **lossless), 64)
    expected = decode(saved(plain.convert("RGB"), "PNG", icc_profile=swapped_profile()), 64)
    assert difference(found, expected) < 3
    assert np.asarray(found)[4, 4, 2] > 200 > 60 > np.asarray(found)[4, 4, 0]


def test_what_a_profile_takes_is_foretold_and_tables_take_more_than_a_matrix() -> None:
    matrix = swapped_profile()
    table = matrix.replace(b"rXYZ", b"A2B0", 1)
    costs = []
    for profile in (None, matrix, table, table + bytes(2**20)):
        file = picture_files.read(saved(Image.new("RGB", (1000, 1000)), "PNG", icc_profile=profile))
        costs.append(decoding.cost(file, decoding.Plan.of(file, 640)).seconds)
    plain, by_matrix, by_table, long = costs
    assert plain < by_matrix < plain + 0.02
    assert by_table > plain + 0.1
    assert long > by_table + 0.01


def test_a_profile_without_a_bound_is_left_out() -> None:
    profile = bytearray(swapped_profile())
    start = int.from_bytes(profile[132 + 4 : 132 + 8])
    profile[start : start + 4] = b"mpet"
    red = Image.new("RGB", (8, 8), (250, 10, 10))
    assert decode(saved(red, "PNG", icc_profile=bytes(profile))).getpixel((4, 4)) == (250, 10, 10)


def test_only_exif_turns_a_picture() -> None:
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    for kind in ("JPEG", "PNG", "WEBP"):
        assert decode(saved(picture(), kind, **({"xmp": xmp} if kind != "PNG" else {}))).size == (48, 40)


def test_a_frame_smaller_than_its_animation_lies_on_white_paper() -> None:
    small = saved(Image.new("RGB", (10, 6), "red"), "WEBP", lossless=True)[12:]
    at = b"\x02\0\0" + b"\x01\0\0" + b"\x09\0\0" + b"\x05\0\0" + bytes(4)  # left 4, top 2, 10 × 6

    def chunk(name: bytes, body: bytes) -> bytes:
        return name + len(body).to_bytes(4, "little") + body + b"\0" * (len(body) % 2)

    size = (29).to_bytes(3, "little") + (19).to_bytes(3, "little")
    body = chunk(b"VP8X", b"\x02\0\0\0" + size) + chunk(b"ANIM", bytes(6)) + chunk(b"ANMF", at + small)
    found = decode(b"RIFF" + (len(body) + 4).to_bytes(4, "little") + b"WEBP" + body)
    assert found.size == (30, 20)
    assert found.getpixel((0, 0)) == (255, 255, 255)
    assert found.getpixel((4, 2)) == found.getpixel((13, 7)) == (255, 0, 0)


@pytest.mark.parametrize("side", [20_000, 2**24])
def test_a_small_frame_on_a_giant_canvas_is_charged_for_the_canvas(side: int) -> None:
    small = saved(Image.new("RGB", (1, 1)), "WEBP", lossless=True)[12:]
    size = (side - 1).to_bytes(3, "little") * 2
    frame = b"ANMF" + (16 + len(small)).to_bytes(4, "little") + bytes(16) + small
    body = b"VP8X\x0a\0\0\0\x02\0\0\0" + size + frame
    with pytest.raises(TooCostly):
        decode(b"RIFF" + (len(body) + 4).to_bytes(4, "little") + b"WEBP" + body)


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the odd files that are measured on")
def test_odd_files_are_read_as_a_browser_shows_them() -> None:
    found = {
        file.name: decode(file.read_bytes()) for file in SHARED.glob("*.[pj][np]g") if file.name != "heic_head.jpg"
    }
    assert found["mp_8688x5792.png"].size == (640, 427)
    assert found["xmp_orientation6.jpg"].width > found["xmp_orientation6.jpg"].height
    assert difference(found["icc_swapped_rgb.png"], found["icc_swapped_rgba.png"]) <= 1
    with pytest.raises(UnreadableImage, match=r"^HEIC, not"):
        decode((SHARED / "heic_head.jpg").read_bytes())


def test_a_cut_file_is_a_reason_wherever_it_is_cut() -> None:
    for kind in picture_files.FORMATS:
        data = saved(picture(), kind)
        for end in range(0, len(data) - 20, 7):
            with pytest.raises(UnreadableImage):
                decode(data[:end])
