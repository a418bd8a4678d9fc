"""Pictures that are no photographs, of a few kinds, and what spoils a picture of any kind. Keyed; small enough to look at."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from irisline.core import seeding

Rng = np.random.Generator


def icon(rng: Rng) -> Image.Image:
    """One or two flat shapes of 32 pixels, nothing around them."""
    large = Image.new("RGBA", (128, 128), (0, 0, 0, 0))
    pen = ImageDraw.Draw(large)
    for _ in range(rng.integers(1, 3)):
        (x, y), (width, height) = rng.integers(8, 56, 2).tolist(), rng.integers(24, 64, 2).tolist()
        shape = (pen.ellipse, pen.rectangle)[rng.integers(2)]
        shape((x, y, x + width, y + height), fill=(*rng.integers(0, 230, 3).tolist(), 255))
    return large.resize((32, 32), Image.Resampling.LANCZOS)


def microscopy(rng: Rng) -> Image.Image:
    """Dim spots on a dark field, with a camera's noise."""
    rows, columns = np.mgrid[:160, :160]
    field = rng.normal(3, 1.2, (160, 160))
    for _ in range(rng.integers(2, 14)):
        (x, y), radius, level = rng.uniform(10, 150, 2), rng.uniform(2, 9), rng.uniform(25, 160)
        field += level * (np.hypot(columns - x, rows - y) < radius)
    return _grey(field)


def steel(rng: Rng) -> Image.Image:
    """Bright and brushed, with a few small pits."""
    brushed = rng.normal(0, 1, (200, 1)) + rng.normal(0, 2, (200, 200))
    plate = _grey(rng.uniform(236, 246) + 2.5 * brushed)
    for _ in range(rng.integers(0, 9)):
        (x, y), radius = rng.integers(5, 195, 2).tolist(), int(rng.integers(1, 4))
        ImageDraw.Draw(plate).ellipse((x - radius, y - radius, x + radius, y + radius), fill=int(rng.integers(90, 200)))
    return plate


def ant(rng: Rng) -> Image.Image:
    """A small dark insect on a white page."""
    page = Image.new("RGB", (240, 180), "white")
    pen = ImageDraw.Draw(page)
    x, y, size = float(rng.uniform(40, 200)), float(rng.uniform(40, 140)), float(rng.uniform(6, 18))
    for part in (-1.5, -0.5, 0.5):
        pen.ellipse((x + part * size, y - size / 3, x + (part + 1) * size, y + size / 3), fill=(40, 25, 20))
    for angle in rng.uniform(0, 2 * np.pi, 6):
        tip = (x + 1.6 * size * float(np.cos(angle)), y + 1.6 * size * float(np.sin(angle)))
        pen.line(((x, y), tip), fill=(40, 25, 20))
    return page


def grey(rng: Rng) -> Image.Image:
    """A texture whose spectrum falls with frequency, as those of photographs do."""
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(128), np.fft.fftfreq(128)))
    frequency[0, 0] = 1
    texture = np.real(np.fft.ifft2(np.fft.fft2(rng.normal(size=(128, 128))) / frequency ** rng.uniform(0.8, 1.3)))
    return _grey(rng.uniform(70, 180) + rng.uniform(15, 45) * (texture - texture.mean()) / texture.std())


def stroke(rng: Rng) -> Image.Image:
    """A white stroke on black, 28 pixels, as handwritten digits come."""
    large = Image.new("L", (112, 112), 0)
    points = [(float(x), float(y)) for x, y in rng.uniform(24, 88, (4, 2))]
    ImageDraw.Draw(large).line(points, fill=255, width=int(rng.integers(7, 13)), joint="curve")
    return large.resize((28, 28), Image.Resampling.BOX)


KINDS: tuple[Callable[[Rng], Image.Image], ...] = (icon, microscopy, steel, ant, grey, stroke)


def black(picture: Image.Image, rng: Rng) -> Image.Image:
    """A frame of a closed shutter."""
    return _grey(rng.integers(0, 3, picture.size[::-1]))


def blank(picture: Image.Image, rng: Rng) -> Image.Image:
    """An empty page."""
    return _grey(255 - rng.integers(0, 3, picture.size[::-1]))


def flat(picture: Image.Image, rng: Rng) -> Image.Image:
    """One grey."""
    return Image.new("L", picture.size, int(rng.integers(40, 200)))


def blurred(picture: Image.Image, rng: Rng) -> Image.Image:
    """Out of focus."""
    page = Image.new("RGBA", picture.size, "white")
    page.alpha_composite(picture.convert("RGBA"))
    return page.convert("RGB").filter(ImageFilter.GaussianBlur(max(3, min(picture.size) / 25)))


def thumbnail(picture: Image.Image, rng: Rng) -> Image.Image:
    """Four pixels a side."""
    return picture.resize((4, 4), Image.Resampling.BOX)


SPOILS: tuple[Callable[[Image.Image, Rng], Image.Image], ...] = (black, blank, flat, blurred, thumbnail)


def good(kind: Callable[[Rng], Image.Image], number: int) -> Image.Image:
    return kind(seeding.generator("drawn", kind.__name__, number))


def spoiled(kind: Callable[[Rng], Image.Image], number: int) -> Image.Image:
    rng = seeding.generator("spoiled", kind.__name__, number)
    return SPOILS[number % len(SPOILS)](kind(rng), rng)


def _grey(levels: np.ndarray) -> Image.Image:
    return Image.fromarray(levels.clip(0, 255).astype(np.uint8))
