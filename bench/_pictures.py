"""Pictures to measure with: some hundreds drawn, thousands made of them. Knows nothing of stages or models."""

import io
import itertools
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from irisline.collection.drawn_pool import draw_pool
from irisline.core import seeding
from irisline.core.execution import map_ordered
from irisline.core.params import Execution
from irisline.eyes.rendering import encode, render, sample

EVERY_CORE = Execution(engine="local", workers=0)
LIGHTEST, HEAVIEST = 22_000, 58_000  # bytes of a photograph


def drawn(folder: Path, count: int, seed: int) -> list[Path]:
    """Draw a pool of good pictures in a folder; give its files."""
    draw_pool(folder, count, seed, ("blue", "brown"), defects=False)
    return sorted(folder.glob("*/*.jpg"))


def varied(sources: Sequence[Path], folder: Path, numbers: range) -> list[Path]:
    """Write one changed picture for each number to folder/<label>/<number>.jpg; give the files."""
    return list(map_ordered(partial(_varied, sources, folder), numbers, EVERY_CORE))


def _varied(sources: Sequence[Path], folder: Path, number: int) -> Path:
    source = sources[number % len(sources)]
    target = folder / source.parent.name / f"{number:06d}.jpg"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(_changed(source.read_bytes(), seeding.generator("bench", number)))
    return target


def _changed(data: bytes, random: np.random.Generator) -> bytes:
    """Return a picture cut by up to 3 pixels at each edge, in another light, encoded again.

    The light differs from place to place: else all that is made of one picture is one group of near-duplicates, of which
    the validation keeps the members of one split.
    """
    with Image.open(io.BytesIO(data)) as image:
        left, top, right, bottom = random.integers(0, 4, 4).tolist()
        cut = image.convert("RGB").crop((left, top, image.width - right, image.height - bottom))
    lamps = Image.fromarray(random.uniform(0.3, 1.3, (4, 4)).astype(np.float32))
    light = np.asarray(lamps.resize(cut.size, Image.Resampling.BICUBIC))[..., None]
    lit = Image.fromarray((np.asarray(cut) * light).clip(0, 255).astype(np.uint8))
    return _saved(lit, int(random.integers(80, 96)))


def photographs(sources: Sequence[Path], lightest: int = LIGHTEST, heaviest: int = HEAVIEST) -> list[bytes]:
    """Return the pictures as a phone or a web page would send them: 640 pixels wide or high, JPEG files of 20 to 60 kB."""
    sizes = np.linspace(lightest, heaviest, len(sources)).tolist()
    return [_of_size(file.read_bytes(), size) for file, size in zip(sources, sizes, strict=True)]


def faces(count: int) -> list[bytes]:
    """Return drawn faces, both eyes in the picture, as photographs."""
    scenes = (sample(f"bench/{number}", ("blue", "brown")[number % 2]) for number in itertools.count())
    framed = itertools.islice((scene for scene in scenes if scene.framing.kind == "face"), count)
    sizes = np.linspace(LIGHTEST, HEAVIEST, count).tolist()
    return [_of_size(encode(render(scene), 95), size) for scene, size in zip(framed, sizes, strict=True)]


def _of_size(data: bytes, size: float) -> bytes:
    with Image.open(io.BytesIO(data)) as image:
        upright = image.height > image.width
        large = image.convert("RGB").resize((480, 640) if upright else (640, 480), Image.Resampling.BICUBIC)
    return min((_saved(large, quality) for quality in range(50, 100, 3)), key=lambda saved: abs(len(saved) - size))


def _saved(image: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()
