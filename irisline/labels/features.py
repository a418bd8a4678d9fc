"""What is judged of a picture besides training a network on it: a short row of numbers for each.

Where a domain has features of its own, those; else what the last block of a network reads that was trained on others, or, where
there is none, a thumbnail. A version of the registry has learnt these very labels, the wrong ones
too, and is not asked. Knows nothing of labels.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from irisline.core.execution import map_ordered
from irisline.core.params import Execution, Params, Preprocess
from irisline.dataset import crops
from irisline.dataset.crops import View
from irisline.dataset.images import Pixels
from irisline.domains import label_features

BATCH = 32
THUMBNAIL = 8  # pixels of the side

Features = NDArray[np.float32]
Extractor = Callable[[NDArray[np.uint8]], Features]  # squares, uint8 (n, 3, size, size), to (n, d)


def of_pictures(pictures: Iterable[bytes], params: Params) -> Iterator[Features | None]:
    """Return the features (d,) of each stored picture, mean over the nearest subject's views; None where there is no view."""
    own = label_features.OF_SQUARE.get(params.preprocess.crop)
    if own is None and not params.train.init.startswith(("scratch", "registry:")):
        return _in_batches(pictures, params.preprocess, params.execution, network(params))
    extract = partial(of_squares, of_square=own) if own else thumbnails
    return map_ordered(partial(of_picture, preprocess=params.preprocess, extract=extract), pictures, params.execution)


def of_picture(data: bytes, preprocess: Preprocess, extract: Extractor) -> Features | None:
    """Return the features of one stored picture by an extractor."""
    squares = _nearest(crops.of_stored(data, preprocess))
    return extract(np.stack(squares)).mean(axis=0) if squares else None


def of_squares(squares: NDArray[np.uint8], of_square: Callable[[NDArray[np.uint8]], Features]) -> Features:
    """Return the features of each square by a function of one."""
    return np.stack([of_square(square) for square in squares])


def thumbnails(squares: NDArray[np.uint8]) -> Features:
    """Return the colours of a few coarse cells."""
    cells = (np.array_split(rows, THUMBNAIL, axis=3) for rows in np.array_split(squares, THUMBNAIL, axis=2))
    means = [cell.mean(axis=(2, 3)) for row in cells for cell in row]
    return np.asarray(np.concatenate(means, axis=1) / 255, dtype=np.float32)


def network(params: Params) -> Extractor:
    """Return what the last block of train.arch reads, with train.init; raise ModelError as feature_extractor.initial does."""
    from irisline.networks import feature_extractor  # torch

    weights = params.train.arch, len(params.base.classes), params.train.init, params.base.seed
    return feature_extractor.initial(*weights, params.preprocess.size)


def _in_batches(
    pictures: Iterable[bytes], preprocess: Preprocess, execution: Execution, extract: Extractor
) -> Iterator[Features | None]:
    seen = map_ordered(partial(crops.of_stored, preprocess=preprocess), pictures, execution)
    while batch := [_nearest(found) for found in islice(seen, BATCH)]:
        squares = [square for found in batch for square in found]
        read = iter(extract(np.stack(squares)) if squares else ())
        for found in batch:
            own = [next(read) for _ in found]
            yield np.stack(own).mean(axis=0) if own else None


def _nearest(found: Sequence[View]) -> list[Pixels]:
    return [view.pixels for view in found if view.subject == 0]
