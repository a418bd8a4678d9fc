"""Numbers about one picture that tell whether it is worth learning from. Judges nothing: limits live in expectations."""

import io
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageFilter, ImageStat

from irisline.core import console
from irisline.core.execution import map_ordered
from irisline.core.params import Crop, Execution
from irisline.dataset import shards
from irisline.dataset.shards import Row
from irisline.domains import columns, facts

SHARPNESS_SIDE = 256  # pixels of the longer side: focus as a network sees it, not as a camera stored it
REBLUR = 2.0  # pixels, the Gaussian's sigma; measured: blurred pictures lose 4-25 %, sharp ones 55-92 %
NAMES = ("aspect", "brightness", "contrast", "sharpness", "entropy", *columns.COLUMNS)


def aspect(width: int, height: int) -> float:
    """Return longer side / shorter side, at least 1."""
    return max(width, height) / min(width, height)


def brightness(luma: Image.Image) -> float:
    """Return the mean of a greyscale picture, 0..255."""
    return float(ImageStat.Stat(luma).mean[0])


def contrast(luma: Image.Image) -> float:
    """Return the standard deviation of a greyscale picture, 0..127.5."""
    return float(ImageStat.Stat(luma).stddev[0])


def sharpness(luma: Image.Image) -> float:
    """Return how much of the spread of the Laplacian a Gaussian blur takes away, in percent; 0 where there is nothing to lose.

    A sharp picture changes when it is blurred again, a blurred one hardly does (Crete et al., The blur effect, SPIE 6492,
    2007). Unlike the Laplacian alone this does not take size, contrast or a plain background for blur. Noise passes for
    detail, so a noisy picture counts as sharp.
    """
    small = luma.copy()
    small.thumbnail((SHARPNESS_SIDE, SHARPNESS_SIDE), Image.Resampling.BOX)
    detail = _laplacian_spread(small)
    if detail == 0:
        return 0.0
    return max(0.0, 100 * (1 - _laplacian_spread(small.filter(ImageFilter.GaussianBlur(REBLUR))) / detail))


def _laplacian_spread(luma: Image.Image) -> float:
    levels = np.pad(np.asarray(luma, dtype=np.float32), 1, mode="edge")
    neighbours = levels[:-2, 1:-1] + levels[2:, 1:-1] + levels[1:-1, :-2] + levels[1:-1, 2:]
    return float((neighbours - 4 * levels[1:-1, 1:-1]).std(dtype=np.float64))


def entropy(luma: Image.Image) -> float:
    """Return the Shannon entropy of the luma histogram, 0..8 bits."""
    return float(luma.entropy())


def measure(row: Row, crop: Crop) -> Row:
    """Return a collected row with its facts in place of its bytes; the facts of an unreadable picture are null."""
    rest = {name: value for name, value in row.items() if name != "image"}
    if row["reason"] is not None:
        return rest | dict.fromkeys(NAMES)
    stored = Image.open(io.BytesIO(row["image"]))
    stored.draft("L", stored.size)  # a JPEG keeps luma apart: the colours need not be decoded
    luma = stored.convert("L")
    return rest | {
        "aspect": aspect(row["width"], row["height"]),
        "brightness": brightness(luma),
        "contrast": contrast(luma),
        "sharpness": sharpness(luma),
        "entropy": entropy(luma),
        **dict.fromkeys(columns.COLUMNS),
        **_of_domain(row["image"], crop),
    }


def _of_domain(image: bytes, crop: Crop) -> Mapping[str, float | None]:
    if crop not in facts.MEASURE:
        return {}
    return facts.MEASURE[crop](Image.open(io.BytesIO(image)).convert("RGB"))


def table(folder: Path, execution: Execution, crop: Crop) -> pd.DataFrame:
    """Return the collected rows with their facts, without bytes, in the order they were collected.

    Facts of other domains than the one that crop names are null.
    Raise MissingInput when the folder has no shards.
    """
    with console.progress("validate", shards.count(folder)) as advance:
        rows = []
        for row in map_ordered(partial(measure, crop=crop), shards.stream(folder), execution):
            rows.append(row)
            advance(1)
    collected = [name for name in shards.COLLECTED.names if name != "image"]
    return pd.DataFrame(rows, columns=[*collected, *NAMES]).astype(dict.fromkeys(NAMES, "float64"))
