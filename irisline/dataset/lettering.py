"""The letters on sheets that Pillow draws: matplotlib's own font, so that figures and sheets know the same signs."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from PIL import ImageFont

FONT = "mpl-data/fonts/ttf/DejaVuSans.ttf"


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """Return DejaVu Sans in so many pixels; a sign that it lacks is drawn as a box. Loads no matplotlib."""
    found = find_spec("matplotlib")
    assert found
    assert found.origin
    return ImageFont.truetype(Path(found.origin).parent / FONT, size)
