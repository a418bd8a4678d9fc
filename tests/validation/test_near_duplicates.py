import io
import time
from collections.abc import Callable

import imagehash
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from irisline.dataset import thumbnails
from irisline.validation import near_duplicates
from tests.planted import saved

DISTANCE = 8
BLANK = bytes(thumbnails.BYTES)


def hex_of(hashes: list[int]) -> list[str]:
    return [f"{value:016x}" for value in hashes]


def found(hashes: list[int], distance: int) -> set[tuple[int, int]]:
    left, right = near_duplicates.pairs(hex_of(hashes), [BLANK] * len(hashes), distance)
    pairs = [(min(pair), max(pair)) for pair in zip(left.tolist(), right.tolist(), strict=True)]
    assert len(set(pairs)) == len(pairs)
    return set(pairs)


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
def test_pairs_are_those_of_comparing_every_two(hashes: list[int], distance: int) -> None:
    count = len(hashes)
    every = {(one, other) for other in range(count) for one in range(other)}
    assert found(hashes, distance) == {
        (one, other) for one, other in every if (hashes[one] ^ hashes[other]).bit_count() <= distance
    }


def test_a_chain_of_links_is_one_group() -> None:
    links = np.array([0, 4, 2]), np.array([4, 2, 2])
    assert near_duplicates.components(5, links).tolist() == [0, 1, 0, 2, 0]


def test_where_nothing_is_compared_nothing_is_found() -> None:
    assert [len(side) for side in near_duplicates.pairs(hex_of([1, 1]), [BLANK] * 2, None)] == [0, 0]
    assert [len(side) for side in near_duplicates.pairs([], [], 8)] == [0, 0]


def test_twenty_thousand_pictures_take_seconds() -> None:
    hashes = np.random.default_rng(0).integers(0, 2**64, 20_000, dtype=np.uint64)
    hashes[1::2] = hashes[::2] ^ np.uint64(5)
    started = time.monotonic()
    assert len(found(hashes.tolist(), DISTANCE)) == 10_000
    assert time.monotonic() - started < 10


def same(one: Image.Image, other: Image.Image) -> bool:
    both = [one, other]
    left, _ = near_duplicates.pairs(
        [str(imagehash.phash(image)) for image in both], [thumbnails.of(image) for image in both], DISTANCE
    )
    return len(left) == 1


def sign(colour: str) -> Image.Image:
    """Return an icon: a disc in one colour on white."""
    image = Image.new("RGB", (96, 96), "white")
    ImageDraw.Draw(image).ellipse((16, 16, 80, 80), fill=colour)
    return image


def textured(key: int) -> Image.Image:
    """Return a keyed picture with as much in it as a photograph."""
    coarse = np.random.default_rng(key).normal((90, 120, 160), 45, (10, 12, 3)).clip(0, 255).astype(np.uint8)
    return Image.fromarray(coarse).resize((240, 200), Image.Resampling.BICUBIC)


def cut(image: Image.Image, share: float) -> Image.Image:
    across, down = round(image.width * share), round(image.height * share)
    return image.crop((across, down, image.width - across, image.height - down))


def lighter(image: Image.Image, factor: float) -> Image.Image:
    return image.point([min(255, round(level * factor)) for level in range(256)] * 3)


COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "encoded anew": lambda image: Image.open(io.BytesIO(saved(image, quality=60))).convert("RGB"),
    "half the size": lambda image: image.resize((image.width // 2, image.height // 2)),
    "larger": lambda image: image.resize((image.width * 3 // 2, image.height * 3 // 2)),
    "cut at the edges": lambda image: cut(image, 0.02),
    "lighter": lambda image: lighter(image, 1.08),
}


@pytest.mark.parametrize("copy", COPIES)
def test_a_copy_is_the_same_picture(copy: str) -> None:
    photograph = textured(0)
    assert same(photograph, COPIES[copy](photograph))
    if copy != "cut at the edges":  # of an icon, that is another icon
        assert same(sign("firebrick"), COPIES[copy](sign("firebrick")))


@pytest.mark.parametrize(
    ("colour", "other"), [("red", "green"), ("navy", "skyblue"), ("black", "grey"), ("tan", "pink")]
)
def test_what_differs_in_colour_alone_is_not_the_same(colour: str, other: str) -> None:
    assert_told_apart(sign(colour), sign(other))


def test_what_differs_in_one_place_is_not_the_same() -> None:
    marked = textured(0)
    ImageDraw.Draw(marked).ellipse((110, 60, 130, 80), fill="black")
    assert_told_apart(textured(0), marked)


def test_flat_pictures_of_two_colours_are_not_the_same() -> None:
    assert_told_apart(Image.new("RGB", (50, 50), "#606060"), Image.new("RGB", (50, 50), "#a0a0a0"))


def assert_told_apart(one: Image.Image, other: Image.Image) -> None:
    """Hold that two pictures are near by the hash of grey alone, and yet not the same."""
    assert imagehash.phash(one) - imagehash.phash(other) <= DISTANCE
    assert not same(one, other)
