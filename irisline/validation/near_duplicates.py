"""Which pictures show the same thing, by the Hamming distance of their perceptual hashes. Knows nothing of files or splits."""

from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

BITS = 64
INTACT = 2  # bands that make a key: wide enough for small buckets, few enough keys

Hashes = NDArray[np.uint64]
Indices = NDArray[np.int64]


def groups(phashes: Sequence[str], sha256s: Sequence[str], distance: int) -> list[str]:
    """Return the group of each picture: the start of the smallest sha256 among those linked by steps of at most distance bits.

    The phashes are 64 bits as 16 hex digits. Exact, and independent of the order of the pictures.
    """
    if not phashes:
        return []
    hashes = np.array([int(phash, 16) for phash in phashes], dtype=np.uint64)
    distinct, member = np.unique(hashes, return_inverse=True)
    component = _components(distinct, distance)[member]
    smallest: dict[int, str] = {}
    for number, sha256 in zip(component.tolist(), sha256s, strict=True):
        smallest[number] = min(sha256, smallest.get(number, sha256))
    return [smallest[number][:16] for number in component.tolist()]


def _components(hashes: Hashes, distance: int) -> Indices:
    pairs = list(close_pairs(hashes, distance))
    left = np.concatenate([pair[0] for pair in pairs])
    right = np.concatenate([pair[1] for pair in pairs])
    links = coo_array((np.ones(len(left), dtype=np.bool_), (left, right)), shape=(len(hashes), len(hashes)))
    _, component = connected_components(links, directed=False)
    return np.asarray(component, dtype=np.int64)


def close_pairs(hashes: Hashes, distance: int) -> Iterator[tuple[Indices, Indices]]:
    """Yield index arrays (left, right) of distinct hashes at most distance bits apart; a pair may come more than once.

    Pigeonhole (Manku, Jain and Das Sarma, WWW 2007): cut into distance + 2 bands, and two bands of a close pair
    are equal. Only pictures that agree on two bands are compared, so the work grows almost with their number.
    """
    for first, second in combinations(_bands(distance + INTACT), INTACT):
        yield from _pairs_with_equal_key(hashes, hashes & (first | second), distance)


def _bands(count: int) -> list[np.uint64]:
    edges = [BITS * band // count for band in range(count + 1)]
    return [np.uint64((1 << high) - (1 << low)) for low, high in pairwise(edges)]


def _pairs_with_equal_key(hashes: Hashes, keys: Hashes, distance: int) -> Iterator[tuple[Indices, Indices]]:
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
