"""From a picture's file to RGB pixels of bounded size, and what that costs, known before any pixel is decoded.

A JPEG decoder scales down by 2, 4 or 8 for free; what is still large is turned into RGB and shrunk in bands, and a large PNG
is decoded in bands, so that no second copy of all pixels is ever made. Knows nothing of who asks or of what is seen.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from PIL import Image

from irisline.core.errors import TooCostly, UnreadableImage
from irisline.dataset import colour_profiles, png_bands
from irisline.dataset.picture_files import PictureFile

LARGE = 3  # times the longest side that is kept: what is at least twice as large is shrunk in bands before
BAND = 500_000  # pixels

# Measured on one core of 2024 with Pillow 13 and libjpeg-turbo 3.2; more is asked for than ordinary pictures take.
_PER_BYTE = {"JPEG": 20e-9, "PNG": 20e-9, "WEBP": 0.0}  # seconds
_PER_BLOCK_ONCE, _PER_BLOCK_AGAIN = 16e-9, 35e-9  # of a JPEG whose blocks are kept until its last scan: the second
_PER_PIXEL_MADE, _PER_PIXEL_OF_WEBP, _PER_ROW_BYTE = 10e-9, 40e-9, 4e-9
_PER_PROFILE_BYTE, _PER_PIXEL_OF_TABLE = 16e-9, 120e-9  # of a profile: of its bytes, and where it looks colours up
_BLOCK_BYTES, _WEBP_BYTES = 128, 20  # of a JPEG's block that is kept; of a WebP's pixel
_RGB_BYTES = 4  # of a pixel in Pillow's memory
_BAND_COPIES = 8
_ALWAYS = 8 * 2**20


class Cost(NamedTuple):
    """What decoding takes: seconds of one core, and bytes of memory beside the file's."""

    seconds: float
    bytes: int


@dataclass(frozen=True)
class Plan:
    """How a picture is decoded: what the JPEG decoder divides its sides by, and what bands are shrunk by after that."""

    scale: int
    factor: int
    width: int  # pixels that are decoded
    height: int

    @classmethod
    def of(cls, file: PictureFile, max_side: int) -> "Plan":
        """Return the plan for a picture of which max_side pixels are kept."""
        most = max(file.width, file.height)
        least = min(file.width, file.height)  # a decoder scales both sides alike, and a narrow one not exactly
        scales = (by for by in (8, 4, 2) if file.kind == "JPEG" and most // by >= max_side and least >= by * by)
        scale = next(scales, 1)
        width, height = -(-file.width // scale), -(-file.height // scale)
        return cls(scale, max(1, max(width, height) // (LARGE * max_side)), width, height)

    @property
    def pixels(self) -> int:
        """How many are decoded."""
        return self.width * self.height


def cost(file: PictureFile, plan: Plan) -> Cost:
    """Return what decoding a picture will take; the seconds are an estimate, the bytes a bound for what is kept at once."""
    canvas = _canvas_pixels(file)
    made = plan.pixels // plan.factor**2
    band = min(max(BAND, plan.factor * plan.width), plan.pixels) * _RGB_BYTES * _BAND_COPIES
    seconds = len(file.data) * _PER_BYTE[file.kind] + (plan.pixels + canvas) * _PER_PIXEL_MADE
    size = _ALWAYS + band + (made + canvas) * _RGB_BYTES
    if file.profile:
        per_pixel = _PER_PIXEL_OF_TABLE if colour_profiles.has_tables(file.profile) else _PER_PIXEL_MADE
        seconds += len(file.profile) * _PER_PROFILE_BYTE + made * per_pixel
    if file.kind == "JPEG":
        seconds += sum(file.blocks) * (_PER_BLOCK_AGAIN if file.kept_blocks else _PER_BLOCK_ONCE)
        seconds *= 1 if file.is_whole else 2
        size += file.kept_blocks * _BLOCK_BYTES + plan.pixels * _RGB_BYTES
    elif file.png:
        row_bytes = plan.pixels * file.png.channels * file.png.depth // 8
        seconds += row_bytes * _PER_ROW_BYTE
        size += 0 if png_bands.can_read(file, plan.factor) else plan.pixels * _RGB_BYTES
    else:
        seconds += plan.pixels * _PER_PIXEL_OF_WEBP
        size += plan.pixels * _WEBP_BYTES
    return Cost(seconds, size)


def least_seconds(data: bytes) -> float:
    """Return what a picture's file takes at least, by its length alone."""
    return len(data) * _PER_BYTE["JPEG"]


def decode(file: PictureFile, max_side: int, max_pixels: int, allowed: Cost) -> Image.Image:
    """Return the upright RGB picture, its longer side at most max_side pixels.

    Raise TooCostly before anything is decoded when there are more than max_pixels to decode, or when it would take more than
    is allowed; UnreadableImage, or whatever a decoder raises, when it is damaged.
    """
    plan = check(file, max_side, max_pixels, allowed)
    rgb = _rgb(file, plan)
    if not file.is_whole and _rgb(file, plan, ending=b"\x55" * 64) != rgb:  # other pixels: some are made up
        raise UnreadableImage("damaged: cut short")
    if file.canvas:
        rgb = _on_canvas(rgb, file.canvas, plan.factor)
    rgb = _upright(rgb, file.orientation)
    rgb.thumbnail((max_side, max_side), Image.Resampling.BILINEAR, reducing_gap=None)
    rgb.info.clear()
    return rgb


def check(file: PictureFile, max_side: int, max_pixels: int, allowed: Cost) -> Plan:
    """Return the plan for a picture that may be decoded; raise TooCostly as decode does."""
    plan = Plan.of(file, max_side)
    if max(plan.pixels, _canvas_pixels(file)) > max_pixels:
        width, height, *_ = file.canvas or (file.width, file.height)
        raise TooCostly(f"{width}x{height} is more than {max_pixels} pixels")
    needed = cost(file, plan)
    if needed.bytes > allowed.bytes:
        raise TooCostly(f"takes {needed.bytes / 2**20:.0f} MB to decode, the limit is {allowed.bytes / 2**20:.0f} MB")
    if needed.seconds > allowed.seconds:
        raise TooCostly(f"takes some {needed.seconds:.2g} seconds to decode, the limit is {allowed.seconds:.2g}")
    return plan


def _canvas_pixels(file: PictureFile) -> int:
    return file.canvas[0] * file.canvas[1] if file.canvas else 0


def _rgb(file: PictureFile, plan: Plan, ending: bytes = b"") -> Image.Image:
    """Return the picture in sRGB, shrunk by the plan. The ending stands in place of what is missing at a JPEG's end."""
    size = (-(-plan.width // plan.factor), -(-plan.height // plan.factor))
    to_srgb = colour_profiles.converter(file.profile)
    rows = max(1, BAND // plan.width // plan.factor) * plan.factor
    if png_bands.can_read(file, plan.factor):
        bands = png_bands.read(file, rows)
    else:
        whole = _opened(file, plan, ending)
        if whole.mode == "RGB" and plan.factor == 1 and not file.profile and not whole.has_transparency_data:
            return whole
        bands = _bands(whole, rows)
    shrunk = Image.new("RGB", size)
    for number, band in enumerate(bands):
        part = _shrunk(colour_profiles.mixable(band), plan.factor)
        shrunk.paste(to_srgb(colour_profiles.on_white(part)), (0, number * rows // plan.factor))
    return shrunk


def _opened(file: PictureFile, plan: Plan, ending: bytes) -> Image.Image:
    data = file.data[:-2] + ending + file.data[-2:] if ending else file.data
    image: Image.Image = Image.open(io.BytesIO(data), formats=(file.kind,))
    if plan.scale > 1:
        image.draft("RGB", (image.width // plan.scale, image.height // plan.scale))
    image.load()
    if image.size != (plan.width, plan.height):
        raise UnreadableImage(f"damaged: {image.width}x{image.height} pixels, says {plan.width}x{plan.height}")
    return image


def _bands(image: Image.Image, rows: int) -> Iterator[Image.Image]:
    for top in range(0, image.height, rows):
        yield image.crop((0, top, image.width, min(top + rows, image.height)))


def _shrunk(band: Image.Image, factor: int) -> Image.Image:
    return band.reduce(factor) if factor > 1 else band


def _on_canvas(frame: Image.Image, canvas: tuple[int, int, int, int], factor: int) -> Image.Image:
    width, height, left, top = canvas
    paper = Image.new("RGB", (-(-width // factor), -(-height // factor)), "white")
    paper.paste(frame, (left // factor, top // factor))
    return paper


_TURNS: dict[int, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    return image.transpose(_TURNS[orientation]) if orientation in _TURNS else image
