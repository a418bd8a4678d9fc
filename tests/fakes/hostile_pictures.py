"""Small good pictures in the three formats, as bytes."""

import io

from PIL import Image

JPEG = b"\xff\xd8\xff\xe0"  # how one begins


def picture(number: int, kind: str = "JPEG", size: tuple[int, int] = (120, 90)) -> bytes:
    """Return a picture of its own for each number."""
    image = Image.effect_mandelbrot(size, (-2.0, -1.5, 1.0 + number / 1000, 1.5), 60).convert("RGB")
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


GOOD = picture(0)
OTHERS = {"png": picture(1, "PNG"), "webp": picture(2, "WEBP")}
