"""Seeded variants of one picture, each change within what the label survives. Knows nothing of splits or files."""

import io

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter

from irisline.core import linear_light, seeding
from irisline.core.params import Augment
from irisline.dataset import images
from irisline.dataset.shards import Row


def variants(row: Row, seed: int, strengths: Augment) -> list[Row]:
    """Return the variants of a training row, numbered from 1, keyed by (seed, sha256, number)."""
    original = Image.open(io.BytesIO(row["image"])).convert("RGB")
    return [
        {
            "id": row["id"],
            "label": row["label"],
            "sha256": row["sha256"],
            "variant": number,
            "image": vary(original, seeding.generator(seed, row["sha256"], number), strengths),
        }
        for number in range(1, strengths.variants + 1)
    ]


def vary(image: Image.Image, rng: np.random.Generator, strengths: Augment) -> bytes:
    """Return one variant as JPEG bytes: moved first, as a camera would, then lit, tinted, blurred and compressed."""
    moved = _move(image, rng, strengths)
    brightness, contrast, hue = (
        _spread(rng, largest) for largest in (strengths.brightness, strengths.contrast, strengths.hue)
    )
    blur = rng.uniform(0, strengths.blur)
    highest = max(strengths.jpeg_quality, images.STORED_QUALITY)
    quality = int(rng.integers(strengths.jpeg_quality, highest + 1))
    warmth = _spread(rng, strengths.light)  # drawn last: variants from before there was light stay as they are
    coloured = Image.fromarray(linear_light.in_light(np.asarray(moved), warmth)) if warmth else moved
    lit = ImageEnhance.Brightness(coloured).enhance(1 + brightness)
    toned = ImageEnhance.Contrast(lit).enhance(1 + contrast)
    blurred = _turn_hue(toned, hue).filter(ImageFilter.GaussianBlur(blur))
    buffer = io.BytesIO()
    blurred.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def _spread(rng: np.random.Generator, largest: float) -> float:
    return float(rng.uniform(-largest, largest))


def _move(image: Image.Image, rng: np.random.Generator, strengths: Augment) -> Image.Image:
    """Rotate, zoom, perhaps mirror, and skew in one resampling; what falls outside is the picture mirrored at its edge."""
    width, height = image.size
    # The centre of the first pixel is (0, 0), so the picture's corners lie half a pixel outside it.
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32) - 0.5
    middle = corners.mean(axis=0)
    angle = np.radians(_spread(rng, strengths.rotation))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    scale = 1 + rng.uniform(0, strengths.zoom)
    side = rng.choice([-1, 1])  # drawn in any case: what is drawn after it stays the same
    mirror = np.array([side if strengths.mirror else 1, 1])
    skew = rng.uniform(-strengths.perspective, strengths.perspective, (4, 2)) * image.size
    target = ((corners - middle) * mirror @ turn.T * scale + middle + skew).astype(np.float32)
    homography = np.asarray(cv2.getPerspectiveTransform(corners, target), dtype=np.float64)
    return Image.fromarray(_warp(np.asarray(image), homography))


def _warp(pixels: NDArray[np.uint8], homography: NDArray[np.float64]) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    warped = cv2.warpPerspective(
        pixels, homography, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(warped, dtype=np.uint8)


def _turn_hue(image: Image.Image, turns: float) -> Image.Image:
    hue, saturation, value = image.convert("HSV").split()
    turned = hue.point(lambda level: (level + round(turns * 256)) % 256)
    return Image.merge("HSV", (turned, saturation, value)).convert("RGB")
