"""Which pictures show the same thing: near by a perceptual hash of grey, and the same in colour and place by a thumbnail.

The hash finds the pairs, the thumbnail judges them: a hash alone takes icons of two colours, or all that is flat, for one.
Knows nothing of files, labels or splits.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from irisline.dataset import thumbnails
from irisline.validation import same_picture

BITS = 64
INTACT = 2  # bands that make a key: wide enough for small buckets, few enough keys

Hashes = NDArray[np.uint64]
Indices = NDArray[np.int64]
Pairs = tuple[Indices, Indices]


def pairs(phashes: Sequence[str], seen: Sequence[bytes], distance: int | None) -> Pairs:
    """Return the places (left, right) of all pairs that show the same; none where the distance is None.

    The phashes are 64 bits as 16 hex digits, of which at most distance may differ; what is seen are thumbnails.
    """
    if distance is None or not phashes:
        return _NONE
    left, right = _near(np.array([int(phash, 16) for phash in phashes], dtype=np.uint64), distance)
    same = same_picture.same(thumbnails.stacked(seen), left, right)
    return left[same], right[same]


def components(count: int, links: Pairs) -> Indices:
    """Return the number of the group of each of so many pictures: those that any chain of links joins."""
    left, right = links
    matrix = coo_array((np.ones(len(left), dtype=np.bool_), (left, right)), shape=(count, count))
    _, component = connected_components(matrix, directed=False)
    return np.asarray(component, dtype=np.int64)


def joined(*links: Pairs) -> Pairs:
    """Return several lists of pairs as one."""
    return np.concatenate([left for left, _ in links]), np.concatenate([right for _, right in links])


def _near(hashes: Hashes, distance: int) -> Pairs:
    """Return the places of all pairs of hashes at most distance bits apart, each once."""
    distinct, member = np.unique(hashes, return_inverse=True)
    left, right = joined(_NONE, *close_pairs(distinct, distance))
    both = np.unique(np.stack([np.minimum(left, right), np.maximum(left, right)], axis=1), axis=0)
    order = np.argsort(member, kind="stable")
    places = np.split(order, np.flatnonzero(np.diff(member[order])) + 1)
    across = [
        (np.repeat(places[one], len(places[other])), np.tile(places[other], len(places[one]))) for one, other in both
    ]
    within = [(place[one], place[other]) for place in places for one, other in [np.triu_indices(len(place), 1)]]
    return joined(_NONE, *across, *within)


def close_pairs(hashes: Hashes, distance: int) -> Iterator[Pairs]:
    """Yield index arrays (left, right) of distinct hashes at most distance bits apart; a pair may come more than once.

    Pigeonhole (Manku, Jain and Das Sarma, WWW 2007): cut into distance + 2 bands, and two bands of a close pair
    are equal. Only pictures that agree on two bands are compared, so the work grows almost with their number.
    """
    for first, second in combinations(_bands(distance + INTACT), INTACT):
        yield from _pairs_with_equal_key(hashes, hashes & (first | second), distance)


def _bands(count: int) -> list[np.uint64]:
    edges = [BITS * band // count for band in range(count + 1)]
    return [np.uint64((1 << high) - (1 << low)) for low, high in pairwise(edges)]


def _pairs_with_equal_key(hashes: Hashes, keys: Hashes, distance: int) -> Iterator[Pairs]:
    order = np.argsort(keys, kind="stable")
    keys, hashes = keys[order], hashes[order]
    left = np.arange(len(keys))
    step = 0
    while len(left):  # neighbours in sorted order, then next but one, until no key spans so far
        step += 1
        left = left[left + step < len(keys)]
        left = left[keys[left] == keys[left + step]]
        apart = np.bitwise_count(hashes[left] ^ hashes[left + step])
        near = left[apart <= distance]
        yield order[near], order[near + step]


_NONE: Pairs = (np.zeros(0, np.int64), np.zeros(0, np.int64))
