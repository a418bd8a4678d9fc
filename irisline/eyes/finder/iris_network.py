"""Whether a disc is an iris, and where exactly: a small network looks at rings of samples around it.

Fitted on drawn eyes and drawn things that are none, by pretrain/eye_finder.py; one hidden layer, so small that
all places of a picture take it a millisecond. Knows nothing of faces.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from irisline.eyes.finder.iris_candidates import Place
from irisline.eyes.finder.pyramid import Pyramid

Numbers = NDArray[np.float32]

WEIGHTS = Path(__file__).with_name("weights.npz")

RINGS = (0.0, 0.2, 0.4, 0.55, 0.7, 0.85, 1.0, 1.15, 1.3, 1.55, 1.85, 2.2, 2.6, 3.1)
"""Where samples are taken, in iris radii: densest about the rim, out to lids and corners."""

SPOKES = 16

FINER = 2
"""Levels below the one that votes are counted at: an iris is judged at 6 pixels a radius."""

LUMA = (0.299, 0.587, 0.114)
"""Weights of brightness in sRGB values (ITU-R BT.601)."""

MIXTURES = np.array([(1, 0, 0), LUMA, (1, 0, -1), (1, 1, 1)], dtype=np.float32)
"""What is made of red, green and blue: red, brightness, and of the tint what is divided and by what."""

LEAST_SPREAD = np.array([8.0, 8.0, 0.03], dtype=np.float32)
"""Contrast of red, brightness and tint below which samples are not stretched further."""

FARTHEST = 0.5
"""Iris radii that one look may move a centre; the radius changes by at most as much in its logarithm."""


@dataclass(frozen=True)
class Verdict:
    """What the network says of a place: probability of an iris, how far off it is, how much of it the lids leave open."""

    probability: Numbers
    shift: Numbers
    """(n, 3): across and down in radii, logarithm of the radius."""
    openness: Numbers


def _spokes() -> tuple[Numbers, Numbers]:
    angles = np.arange(SPOKES) * (2 * np.pi / SPOKES)
    rings = np.array(RINGS)[:, None]
    return (rings * np.cos(angles)).ravel().astype(np.float32), (rings * np.sin(angles)).ravel().astype(np.float32)


_ACROSS, _DOWN = _spokes()


@cache
def weights() -> tuple[Numbers, ...]:
    """Return what pretrain has fitted, read once: weights (outputs, inputs) and bias of the hidden layer and of the last."""
    with np.load(WEIGHTS) as stored:
        names = ("hidden", "hidden_bias", "out", "out_bias")
        return tuple(np.ascontiguousarray(stored[name].T, dtype=np.float32) for name in names)


def samples(pyramid: Pyramid, places: Numbers, tilt: float = 0.0) -> Numbers:
    """Return RGB samples (n, rings x spokes, 3) around places (n, 3: x, y, radius), the rings turned by tilt."""
    taken = np.empty((len(places), len(_ACROSS), 3), dtype=np.float32)
    cosine, sine = np.float32(np.cos(tilt)), np.float32(np.sin(tilt))
    across, down = _ACROSS * cosine - _DOWN * sine, _ACROSS * sine + _DOWN * cosine
    levels = pyramid.levels_of(places[:, 2]) - FINER
    for level in np.unique(levels):
        chosen = np.flatnonzero(levels == level)
        x_scale, y_scale = pyramid.scales(int(level))
        x, y, radius = (places[chosen, column][:, None] for column in range(3))
        columns = ((x + radius * across + 0.5) * x_scale - 0.5).astype(np.float32)
        rows = ((y + radius * down + 0.5) * y_scale - 0.5).astype(np.float32)
        taken[chosen] = cv2.remap(
            pyramid.at(int(level)), columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
    return taken


def features(taken: Numbers) -> Numbers:
    """Return what the network reads of samples: red, brightness and tint, each without its mean and scale."""
    mixed = cv2.transform(taken, MIXTURES).transpose(0, 2, 1)
    bands: Numbers = np.array(mixed[:, :3], dtype=np.float32, order="C")
    bands[:, 2] /= mixed[:, 3] + 20.0
    bands -= bands.mean(axis=2, keepdims=True)
    spread = np.sqrt(np.einsum("nbs,nbs->nb", bands, bands) / bands.shape[2])
    scaled = bands / np.maximum(spread, LEAST_SPREAD)[..., None]
    return np.asarray(scaled.reshape(len(taken), -1), dtype=np.float32)


def judge(pyramid: Pyramid, places: Numbers) -> Verdict:
    """Return the verdict on places (n, 3: x, y, radius)."""
    hidden, hidden_bias, out, out_bias = weights()
    inner = np.maximum(_layer(features(samples(pyramid, places)), hidden, hidden_bias), 0.0)
    raw = _layer(inner, out, out_bias)
    probability, openness = (np.reciprocal(1 + np.exp(-raw[:, column])).astype(np.float32) for column in (0, 4))
    return Verdict(probability, np.clip(raw[:, 1:4], -FARTHEST, FARTHEST), openness)


def _layer(inputs: Numbers, weights: Numbers, bias: Numbers) -> Numbers:
    """Inputs times weights plus bias on one thread: BLAS would wake a thread on every core for a millisecond of work."""
    return np.asarray(np.einsum("ij,kj->ik", inputs, weights) + bias, dtype=np.float32)


def moved(places: Numbers, verdict: Verdict) -> Numbers:
    """Return the places where the verdict says that they are."""
    radius = places[:, 2]
    x, y = (places[:, column] + radius * verdict.shift[:, column] for column in (0, 1))
    return np.stack([x, y, radius * np.exp(verdict.shift[:, 2])], axis=1).astype(np.float32)


def as_array(places: list[Place]) -> Numbers:
    """Return places as an array (n, 3)."""
    return np.array([(one.x, one.y, one.radius) for one in places], dtype=np.float32).reshape(-1, 3)
