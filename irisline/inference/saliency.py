"""What the model looked at: how far its log odds fall when a part of the picture is covered.

Occlusion (Zeiler and Fergus 2014, Visualizing and Understanding Convolutional Networks) needs nothing but predictions, so it
works for any network and for the runtime that serves. Knows nothing of labels or files.
"""

import numpy as np
from numpy.typing import NDArray

from irisline.dataset.images import Pixels
from irisline.inference.classifier import Classifier

GRID = 8  # steps of the cover along each side
COVER = 0.25  # side of the cover, as a share of the picture's
BATCH = GRID  # squares that go through the network at once: more are no faster on a CPU, and a proof tries as many


def occlusion(classifier: Classifier, square: Pixels) -> NDArray[np.float64]:
    """Return the fall of the predicted class's log odds, float (GRID, GRID), for a square uint8 (3, size, size)."""
    covered = np.stack([_cover(square, row, column) for row in range(GRID) for column in range(GRID)])
    whole = classifier.logits(square[None])
    best = int(whole[0].argmax())
    batches = (classifier.logits(covered[at : at + BATCH]) for at in range(0, len(covered), BATCH))
    fall = _margin(whole, best) - _margin(np.concatenate(list(batches)), best)
    return fall.reshape(GRID, GRID)


def _margin(logits: NDArray[np.float32], index: int) -> NDArray[np.float64]:
    """Return the log odds of one class against the rest, (n,): unlike a probability it does not saturate."""
    rest = np.delete(logits.astype(np.float64), index, axis=1)
    highest = rest.max(axis=1)
    margin: NDArray[np.float64] = logits[:, index] - highest - np.log(np.exp(rest - highest[:, None]).sum(axis=1))
    return margin


def _cover(square: Pixels, row: int, column: int) -> Pixels:
    size = square.shape[1]
    half = round(size * COVER / 2)
    y, x = (round((step + 0.5) * size / GRID) for step in (row, column))
    covered = square.copy()
    grey = square.mean(axis=(1, 2), keepdims=True)
    covered[:, max(0, y - half) : y + half, max(0, x - half) : x + half] = grey
    return covered
