"""One picture: what is decoded is what a person would see, and hostile bytes are a reason, never a crash."""

import io
import random
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps

from irisline.core.errors import TooCostly, UnreadableImage
from irisline.dataset import crops, images
from tests import planted
from tests.planted import picture, saved

LARGE = 10_000_000
SQUASH = planted.settings(preprocess__size=32, preprocess__fit="squash").preprocess


def decode(data: bytes) -> Image.Image:
    return images.decode(data, 640, LARGE)


def difference(one: Image.Image, other: Image.Image) -> float:
    return float(np.abs(np.asarray(one, float) - np.asarray(other, float)).mean())


@pytest.mark.parametrize(("kind", "allowed"), [("JPEG", 4), ("PNG", 0), ("WEBP", 4)])
def test_each_format_gives_its_picture(kind: str, allowed: float) -> None:
    data = saved(picture(), kind)
    found = decode(data)
    assert found.mode == "RGB"
    assert difference(found, picture()) <= allowed
    assert images.header(data) == (48, 40, kind)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_camera_held_any_way_gives_an_upright_picture(orientation: int) -> None:
    turned = {
        1: [], 2: [Image.Transpose.FLIP_LEFT_RIGHT], 3: [Image.Transpose.ROTATE_180],
        4: [Image.Transpose.FLIP_TOP_BOTTOM], 5: [Image.Transpose.TRANSPOSE], 6: [Image.Transpose.ROTATE_90],
        7: [Image.Transpose.TRANSVERSE], 8: [Image.Transpose.ROTATE_270],
    }  # fmt: skip
    stored = picture()
    for step in turned[orientation]:
        stored = stored.transpose(step)
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert difference(decode(saved(stored, "PNG", exif=exif)), picture()) == 0


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("note", [b"MM\x00*\xff\xff\xff\xff", b"garbage", b"II*\x00\x08\x00\x00\x00\x05\x00\x12\x01"])
def test_a_damaged_exif_block_costs_the_orientation_not_the_picture(kind: str, note: bytes) -> None:
    assert difference(decode(saved(picture(), kind, exif=b"Exif\x00\x00" + note)), picture()) < 4


def test_cmyk_is_seen_in_rgb() -> None:
    found = decode(saved(picture("brown").convert("CMYK"), quality=95))
    assert found.mode == "RGB"
    assert difference(found, picture("brown")) < 6


def test_what_is_transparent_shows_white_paper() -> None:
    palette = Image.new("P", (8, 8), 0)
    palette.putpalette([255, 0, 0, 0, 0, 255])
    palette.putpixel((3, 3), 1)
    found = decode(saved(palette, "PNG", transparency=0))
    assert found.getpixel((0, 0)) == (255, 255, 255)
    assert found.getpixel((3, 3)) == (0, 0, 255)
    half = Image.new("RGBA", (4, 4), (0, 0, 0, 128))
    assert decode(saved(half, "PNG")).getpixel((0, 0)) == (127, 127, 127)
    assert decode(saved(Image.new("LA", (4, 4), (0, 0)), "PNG")).getpixel((0, 0)) == (255, 255, 255)


def test_sixteen_bits_are_scaled_to_eight() -> None:
    deep = np.linspace(0, 65535, 64, dtype=np.uint16).reshape(8, 8)
    found = np.asarray(decode(saved(Image.fromarray(deep), "PNG")))
    assert found.min() == 0
    assert found.max() == 255
    assert np.abs(found[..., 0] - deep / 257).max() <= 1


@pytest.mark.parametrize("mode", ["1", "L", "P"])
def test_few_colours_become_rgb(mode: str) -> None:
    found = decode(saved(picture().convert(mode), "PNG"))
    assert difference(found, picture().convert(mode).convert("RGB")) == 0


def test_the_first_frame_of_an_animation_counts() -> None:
    frames = [picture("blue"), picture("brown")]
    for kind in ("PNG", "WEBP"):
        data = saved(frames[0], kind, save_all=True, append_images=frames[1:], lossless=True)
        assert getattr(Image.open(io.BytesIO(data)), "n_frames", 1) == 2
        assert difference(decode(data), frames[0]) == 0


@pytest.mark.parametrize(
    "data",
    [
        saved(picture(), "GIF", save_all=True, append_images=[picture("brown")]),
        saved(picture(), "TIFF"),
        saved(picture(), "BMP"),
        b"<!DOCTYPE html><html><body>404 Not Found</body></html>",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"",
    ],
    ids=["gif", "tiff", "bmp", "html", "svg", "postscript", "empty"],
)
def test_other_files_are_refused_by_what_they_are(data: bytes) -> None:
    with pytest.raises(UnreadableImage, match=r"^(not a|[A-Z]+, not) JPEG, PNG or WebP( picture$|; save it as JPEG$)"):
        decode(data)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"), (b"\0\0\0\x1cftypavif\0\0\0\0", "AVIF"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0", "HEIC"), (b"\xff\x0a\0\0", "JPEG XL"), (b"GIF89a", "GIF"), (b"%PDF-1.7", "PDF"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"), (b"8BPS\0\1", "Photoshop"), (b"MM\0*\0\0\0\x08", "TIFF"),
    ],
)  # fmt: skip
def test_a_picture_of_another_format_is_named_with_what_to_do(data: bytes, name: str) -> None:
    with pytest.raises(UnreadableImage, match=rf"^{name}, not JPEG, PNG or WebP; save it as JPEG$"):
        decode(data)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_truncated_file_is_damaged(kind: str) -> None:
    data = saved(picture(size=(200, 160)), kind)
    with pytest.raises(UnreadableImage, match=r"^damaged: \S.{5,}$") as caught:
        decode(data[: len(data) // 2])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("side", [4_000, 9_000, 30_000])
def test_a_decompression_bomb_is_refused_before_memory_is_taken(side: int) -> None:
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(bytes(10_000)))]
    parts = [
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    ]
    tracemalloc.start()
    with pytest.raises(TooCostly, match=r"more than 10000000 pixels$"):
        decode(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


def test_long_pictures_are_scaled_to_the_longer_side_and_small_ones_left() -> None:
    assert images.decode(saved(picture(size=(900, 300))), 640, LARGE).size == (640, 213)
    assert images.decode(saved(picture(size=(300, 3000))), 640, LARGE).size == (64, 640)
    assert images.decode(saved(picture(size=(60, 50))), 640, LARGE).size == (60, 50)


def swapped_profile() -> bytes:
    """Return sRGB's profile with the red and blue primaries exchanged: red numbers stand for blue light."""
    data = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return data.replace(b"rXYZ", b"????").replace(b"bXYZ", b"rXYZ").replace(b"????", b"bXYZ")


def test_a_colour_profile_is_applied() -> None:
    red = Image.new("RGB", (8, 8), (250, 10, 10))
    for kind in ("PNG", "JPEG", "WEBP"):
        found = decode(saved(red, kind, icc_profile=swapped_profile())).getpixel((4, 4))
        assert isinstance(found, tuple)
        assert found[2] > 200 > 60 > found[0], kind


@pytest.mark.parametrize("profile", [b"no profile", swapped_profile()[:200]], ids=["words", "cut off"])
def test_a_broken_colour_profile_is_ignored(profile: bytes) -> None:
    assert difference(decode(saved(picture(), "PNG", icc_profile=profile)), picture()) == 0


def test_what_is_stored_carries_no_metadata() -> None:
    exif = Image.Exif()
    exif[0x010E] = "somebody's name"
    tagged = saved(picture(), exif=exif, icc_profile=swapped_profile(), comment=b"a comment", dpi=(72, 72))
    stored = images.encode(decode(tagged))
    kept = Image.open(io.BytesIO(stored))
    assert not kept.getexif()
    assert not {"icc_profile", "comment", "exif", "dpi"} & set(kept.info)
    assert b"somebody" not in stored


def test_identity_is_what_is_seen_not_the_file() -> None:
    one = saved(picture(), "PNG", compress_level=1)
    other = saved(picture(), "PNG", compress_level=9)
    lossless = saved(picture(), "WEBP", lossless=True)
    assert one != other
    digests = {images.pixel_digest(decode(data)) for data in (one, other, lossless)}
    assert len(digests) == 1
    assert images.pixel_digest(picture("brown")) not in digests
    flat = Image.new("RGB", (6, 4))
    assert images.pixel_digest(flat) != images.pixel_digest(flat.resize((4, 6)))


def test_the_square_is_cropped_padded_or_squashed() -> None:
    image, size, bilinear = picture(size=(60, 40)), (32, 32), Image.Resampling.BILINEAR
    expected = {
        "crop": ImageOps.fit(image, size, bilinear),
        "pad": ImageOps.pad(image, size, bilinear),
        "squash": image.resize(size, bilinear),
    }
    for fit, fitted in expected.items():
        found = images.square(image, 32, fit)  # type: ignore[arg-type]
        assert found.dtype == np.uint8
        assert np.array_equal(found, np.asarray(fitted).transpose(2, 0, 1)), fit


def test_a_stored_picture_gives_the_square_that_predictions_see() -> None:
    stored = images.encode(decode(saved(picture(size=(300, 200)))))
    assert np.array_equal(crops.of_stored(stored, SQUASH)[0].pixels, images.square(decode(stored), 32, "squash"))


@given(st.binary(max_size=400))
def test_random_bytes_are_a_reason(data: bytes) -> None:
    with pytest.raises(UnreadableImage):
        decode(data)


@given(st.sampled_from(["JPEG", "PNG", "WEBP"]), st.integers(0, 2**32), st.integers(1, 12))
@settings(max_examples=150)
def test_a_mutated_file_decodes_or_is_a_reason(kind: str, seed: int, changes: int) -> None:
    rng = random.Random(seed)
    data = bytearray(saved(picture(size=(24, 20)), kind))
    for _ in range(changes):
        data[rng.randrange(len(data))] = rng.randrange(256)
    reason = ""
    try:
        found = decode(bytes(data))
    except UnreadableImage as error:
        reason = str(error)
    else:
        assert found.mode == "RGB"
        assert max(found.size) <= 640
    assert "\n" not in reason
    assert len(reason) < 150
