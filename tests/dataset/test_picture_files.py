"""Files that no camera writes: each is read as its decoder reads it, or refused for what it is."""

import struct
import zlib

import pytest

from irisline.core.errors import TooCostly, UnreadableImage
from irisline.dataset import decoding, images, picture_files
from irisline.dataset.decoding import Cost
from service.lanes import QUICK
from tests.planted import picture, saved


def frame_of(components: int, *, again: bool = False) -> bytes:
    """Return a JPEG whose frame tells of so many components, all of the same name if again."""
    whole = saved(picture())
    at = whole.index(b"\xff\xc0")
    told = b"".join(bytes((1 if again else n + 1, 0x11, 0)) for n in range(components))
    frame = struct.pack(">HBHHB", 8 + len(told), 8, 40, 48, components) + told
    length = int.from_bytes(whole[at + 2 : at + 4])
    return whole[: at + 2] + frame + whole[at + 2 + length :]


@pytest.mark.parametrize("data", [frame_of(0), frame_of(3, again=True)], ids=["none", "one of them thrice"])
def test_a_jpeg_without_colours_of_its_own_is_damaged(data: bytes) -> None:
    with pytest.raises(UnreadableImage, match="damaged: no colours in it, or one of them twice"):
        images.decode(data, 640, 10**8)


def test_blocks_are_kept_for_a_progressive_jpeg_of_one_scan() -> None:
    whole = saved(picture().convert("L"), progressive=True)
    first, second = (whole.index(b"\xff\xda", at) for at in (0, whole.index(b"\xff\xda") + 2))
    assert second > first
    one_scan = picture_files.read(whole[: whole.index(b"\xff\xc4", first)] + b"\xff\xd9")
    assert len(one_scan.blocks) == 1
    assert one_scan.kept_blocks == 6 * 5


def with_profiles(*profiles: bytes) -> bytes:
    plain = picture_files.read(saved(picture(), "PNG"))
    assert plain.png
    head = picture_files.png.head_of(48, 40, 8, 2)
    chunks = [(b"iCCP", b"name\0\0" + profile) for profile in profiles]
    return picture_files.png.file_of([(b"IHDR", head), *chunks, (b"IDAT", plain.png.rows)])


def test_only_the_first_profile_of_a_png_is_unpacked() -> None:
    one, endless = zlib.compress(b"profile"), zlib.compress(bytes(5 * 2**20))
    assert picture_files.read(with_profiles(one, endless)).profile == b"profile"
    assert picture_files.read(with_profiles(endless, one)).profile == b""


def test_what_follows_a_webp_is_passed_over() -> None:
    whole = saved(picture(), "WEBP")
    assert images.decode(whole + b"<!-- a note -->", 640, 10**8).tobytes() == images.decode(whole, 640, 10**8).tobytes()


@pytest.mark.parametrize(
    ("kind", "size", "options"),
    [("WEBP", (64, 64), {}), ("WEBP", (1024, 768), {}), ("JPEG", (1600, 1200), {"progressive": True}),
     ("PNG", (1600, 1200), {}), ("PNG", (1280, 960), {"transparent": True})],
)  # fmt: skip
def test_ordinary_pictures_of_the_web_are_little_work(
    kind: str, size: tuple[int, int], options: dict[str, bool]
) -> None:
    shown = picture().resize(size)
    if options.pop("transparent", False):
        shown.putalpha(128)
    needed = images.cost(saved(shown, kind, **options), 640, 10**8, QUICK)
    assert needed.bytes <= QUICK.bytes
    assert needed.seconds <= QUICK.seconds


def test_a_wide_strip_is_charged_for_its_pixels_only() -> None:
    file = picture_files.read(saved(picture().resize((60_000, 40)).convert("1"), "PNG"))
    assert decoding.cost(file, decoding.Plan.of(file, 640)).bytes < 128 * 2**20


def test_a_canvas_that_is_too_large_is_the_one_that_is_named() -> None:
    frames = [picture(), picture("brown")]
    small = saved(frames[0], "WEBP", save_all=True, append_images=frames[1:])
    at = small.index(b"VP8X") + 12
    giant = small[:at] + (19_999).to_bytes(3, "little") * 2 + small[at + 6 :]
    with pytest.raises(TooCostly, match="20000x20000 is more than 250000000 pixels"):
        images.decode(giant, 640, 250_000_000, Cost(10.0, 2**31))


@pytest.mark.parametrize(("colour", "kept"), [(0, 2), (2, 6), (3, 256)])
def test_of_transparency_only_what_has_a_meaning_is_kept(colour: int, kept: int) -> None:
    parts = [(b"IHDR", picture_files.png.head_of(8, 8, 8, colour)), (b"PLTE", bytes(768)),
             (b"tRNS", b"\1" * 300_000), (b"IDAT", zlib.compress(bytes(8 * 25)))]  # fmt: skip
    png = picture_files.read(picture_files.png.file_of(parts)).png
    assert png
    assert len(png.transparency) == kept


@pytest.mark.parametrize("side", [16, 5200], ids=["whole", "in bands"])
@pytest.mark.parametrize(("colour", "depth"), [(0, 1), (0, 2), (0, 4), (0, 8), (0, 16), (2, 8), (2, 16)])
def test_a_colour_that_is_transparent_is_white_whatever_its_bits(colour: int, depth: int, side: int) -> None:
    channels, value = {0: 1, 2: 3}[colour], (2**depth - 1) // 3
    pixels = int(format(value, f"0{depth}b") * 48, 2).to_bytes(48 * depth // 8)
    row = (pixels * side)[: side * channels * depth // 8]
    parts = [(b"IHDR", picture_files.png.head_of(side, side, depth, colour)),
             (b"tRNS", struct.pack(">H", value) * channels), (b"IDAT", zlib.compress((b"\0" + row) * side))]  # fmt: skip
    shown = images.decode(picture_files.png.file_of(parts), 640, 10**8)
    assert shown.getextrema() == ((255, 255),) * 3
