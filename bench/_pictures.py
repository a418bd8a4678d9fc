"""Pictures to measure with: some hundreds drawn, thousands made of them. Knows nothing of stages or models."""

import io
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from irisline import keyed
from irisline.data.rendering import draw_pool
from irisline.execution import map_ordered
from irisline.params import Execution

EVERY_CORE = Execution(engine="local", workers=0)


def drawn(folder: Path, count: int, seed: int) -> list[Path]:
    """Draw a pool of good pictures in a folder; give its files."""
    draw_pool(folder, count, seed, defects=False)
    return sorted(folder.glob("*/*.jpg"))


def varied(sources: Sequence[Path], folder: Path, numbers: range) -> list[Path]:
    """Write one changed picture for each number to folder/<label>/<number>.jpg; give the files."""
    return list(map_ordered(partial(_varied, sources, folder), numbers, EVERY_CORE))


def _varied(sources: Sequence[Path], folder: Path, number: int) -> Path:
    source = sources[number % len(sources)]
    target = folder / source.parent.name / f"{number:06d}.jpg"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(_changed(source.read_bytes(), keyed.generator("bench", number)))
    return target


def _changed(data: bytes, random: np.random.Generator) -> bytes:
    """Give a picture cut by up to 3 pixels at each edge, in another light, encoded again.

    The light differs from place to place: else all that is made of one picture is one group of near-duplicates, of which
    the validation keeps the members of one split.
    """
    with Image.open(io.BytesIO(data)) as image:
        left, top, right, bottom = random.integers(0, 4, 4).tolist()
        cut = image.convert("RGB").crop((left, top, image.width - right, image.height - bottom))
    lamps = Image.fromarray(random.uniform(0.3, 1.3, (4, 4)).astype(np.float32))
    light = np.asarray(lamps.resize(cut.size, Image.Resampling.BICUBIC))[..., None]
    lit = Image.fromarray((np.asarray(cut) * light).clip(0, 255).astype(np.uint8))
    buffer = io.BytesIO()
    lit.save(buffer, "JPEG", quality=int(random.integers(80, 96)))
    return buffer.getvalue()
