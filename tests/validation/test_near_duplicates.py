import time

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from irisline.validation import near_duplicates


def brute_force(hashes: list[int], distance: int) -> set[frozenset[int]]:
    groups = [{index} for index in range(len(hashes))]
    for left in range(len(hashes)):
        for right in range(left):
            if (hashes[left] ^ hashes[right]).bit_count() <= distance and groups[left] is not groups[right]:
                groups[left] |= groups[right]
                for member in groups[right]:
                    groups[member] = groups[left]
    return {frozenset(group) for group in groups}


def found(hashes: list[int], distance: int) -> set[frozenset[int]]:
    names = near_duplicates.groups([f"{value:016x}" for value in hashes], shas(len(hashes)), distance)
    return {frozenset(i for i, name in enumerate(names) if name == one) for one in names}


def shas(count: int) -> list[str]:
    return [f"{index:064x}"[::-1] for index in range(count)]


# Few centres with few flipped bits: random 64-bit numbers would never be near one another.
near_hashes = st.lists(
    st.builds(
        lambda centre, bits: centre ^ sum(1 << bit for bit in bits),
        st.sampled_from([0, 2**64 - 1, 0x0F0F0F0F0F0F0F0F]),
        st.sets(st.integers(0, 63), max_size=12),
    ),
    max_size=25,
)


@given(near_hashes, st.integers(0, 16))
@settings(max_examples=200)
def test_groups_are_those_of_comparing_every_pair(hashes: list[int], distance: int) -> None:
    assert found(hashes, distance) == brute_force(hashes, distance)


def test_a_group_is_named_by_its_smallest_sha256_in_any_order() -> None:
    phashes, sha256s = ["0" * 16, "f" * 16, "0" * 15 + "3"], ["c" * 64, "b" * 64, "a" * 64]
    assert near_duplicates.groups(phashes, sha256s, 2) == ["a" * 16, "b" * 16, "a" * 16]
    assert near_duplicates.groups(phashes[::-1], sha256s[::-1], 2) == ["a" * 16, "b" * 16, "a" * 16]


def test_no_pictures_no_groups() -> None:
    assert near_duplicates.groups([], [], 4) == []


def test_twenty_thousand_pictures_take_seconds() -> None:
    hashes = np.random.default_rng(0).integers(0, 2**64, 20_000, dtype=np.uint64)
    hashes[1::2] = hashes[::2] ^ np.uint64(5)
    started = time.monotonic()
    names = near_duplicates.groups([f"{value:016x}" for value in hashes.tolist()], shas(20_000), 4)
    assert len(set(names)) == 10_000
    assert time.monotonic() - started < 5
