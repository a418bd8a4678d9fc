"""Whether two thumbnails show the same picture: alike in each place once one is moved, stretched and lit a little.

Knows nothing of hashes, labels or splits. The limits are measured: see docs/pictures.md.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from irisline.dataset.thumbnails import Thumbnails

SHIFT = 1.0  # pixels of a thumbnail: what a crop of up to a sixteenth moves
OFFSET, GAIN = 20.0, 0.2  # of the levels 0..255, and as a share of their contrast: another exposure
DIFFERENCE = 24.0  # levels by which no place may differ in any band
AS_IN_A_CLIP = 8.0  # levels, root mean square over the thumbnail: what moves from one frame to the next
CHUNK = 1024  # pairs that are compared at once

Places = NDArray[np.int64]
Left = NDArray[np.float64]


def same(thumbnails: Thumbnails, left: Places, right: Places) -> NDArray[np.bool_]:
    """Return for each pair of places in thumbnails whether they show the same picture."""
    found = [largest <= DIFFERENCE for largest, _ in _left_over(thumbnails, left, right)]
    return np.concatenate([np.zeros(0, np.bool_), *found])


def like_frames(thumbnails: Thumbnails, left: Places, right: Places) -> NDArray[np.bool_]:
    """Return for each pair of places in thumbnails whether one could follow the other in a clip: a looser likeness."""
    found = [spread <= AS_IN_A_CLIP for _, spread in _left_over(thumbnails, left, right)]
    return np.concatenate([np.zeros(0, np.bool_), *found])


def _left_over(thumbnails: Thumbnails, left: Places, right: Places) -> Iterator[tuple[Left, Left]]:
    """Yield what no move and no light explains, by chunks of pairs: the largest difference, and the root mean square."""
    for start in range(0, len(left), CHUNK):
        one, other = (thumbnails[side[start : start + CHUNK]].astype(np.float64) for side in (left, right))
        yield _unexplained(one, other)


def _unexplained(one: Left, other: Left) -> tuple[Left, Left]:
    """Fit the difference by least squares with what a shift, a stretch, an offset and a gain change to first order.

    The first two are gradients (Lucas and Kanade, IJCAI 1981). Infinite where one of them would have to be too large.
    """
    middle, difference = (one + other) / 2, one - other
    down, across = np.gradient(middle, axis=(1, 2))
    place = np.linspace(-1, 1, one.shape[1])
    causes = np.stack(
        [
            across * SHIFT,
            across * SHIFT * place[None, None, :, None],
            down * SHIFT,
            down * SHIFT * place[None, :, None, None],
            np.full_like(middle, OFFSET),
            (middle - middle.mean(axis=(1, 2, 3), keepdims=True)) * GAIN,
        ],
        axis=-1,
    ).reshape(len(one), -1, 6)
    flat = difference.reshape(len(one), -1)
    turned = causes.transpose(0, 2, 1)
    amounts = np.linalg.pinv(turned @ causes, rcond=1e-9, hermitian=True) @ (turned @ flat[..., None])
    rest = np.abs(flat - (causes @ amounts)[..., 0])
    small = np.abs(amounts).max(axis=(1, 2)) <= 1
    return np.where(small, rest.max(axis=1), np.inf), np.where(small, np.sqrt((rest**2).mean(axis=1)), np.inf)
