"""Limits that a pool chooses: they let its good pictures through, not the spoiled ones, and say what they are."""

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from irisline.core.params import Validate
from irisline.dataset import images
from irisline.validation import image_statistics, picture_limits
from irisline.validation.picture_limits import ALL, PictureLimit
from tests import planted
from tests.validation import drawn_pools

AUTO = planted.settings(**{f"validate__{each.key}": "auto" for each in ALL}).validate_
Kind = Callable[[np.random.Generator], Image.Image]
GOOD, SPOILED = 300, 30
REAL = os.environ.get(
    "OTHER_PICTURES", ""
)  # a folder with a folder of photographs for each data set, of no kind in particular


def facts(picture: Image.Image, label: str = "thing") -> dict[str, object]:
    """Return the facts of a picture as its PNG is collected and measured."""
    decoded = images.decode(planted.saved(picture, "PNG"), 640, 10**8)
    row = {"id": "", "label": label, "reason": None, "width": picture.width, "height": picture.height}
    measured = image_statistics.measure(row | {"image": images.encode(decoded)}, "none")
    return measured | {"short_side": min(picture.size)}


@cache
def drawn(kind: Kind) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the facts of good pictures of a kind, and of spoiled ones."""
    good = pd.DataFrame([facts(drawn_pools.good(kind, number)) for number in range(GOOD)])
    return good, pd.DataFrame([facts(drawn_pools.spoiled(kind, number)) for number in range(SPOILED)])


def refused(table: pd.DataFrame, limits: dict[str, picture_limits.Limit]) -> "pd.Series[bool]":
    masks = [each.refuses(table[each.column], limits[each.key].value) for each in ALL]
    return pd.concat(masks, axis=1).any(axis=1)


@pytest.mark.slow
@pytest.mark.parametrize("kind", drawn_pools.KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("planted_share", [0.0, 0.09])
def test_auto_refuses_the_spoiled_and_next_to_none_of_the_good(kind: Kind, planted_share: float) -> None:
    good, spoiled = drawn(kind)
    limits = picture_limits.of(AUTO, pd.concat([good, spoiled[: int(planted_share * GOOD)]], ignore_index=True))
    assert refused(good, limits).mean() <= 0.01
    assert refused(spoiled, limits).all()


@pytest.mark.slow
@pytest.mark.skipif(not REAL, reason="OTHER_PICTURES names no folder of photographs")
def test_auto_holds_photographs_to_what_holds_for_photographs() -> None:
    for folder in filter(Path.is_dir, Path(REAL).iterdir()):
        files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in (".jpg", ".png"))[::4]
        table = pd.DataFrame([facts(Image.open(file).convert("RGB")) for file in files])
        limits = picture_limits.of(AUTO, table)
        assert {key: limit.value for key, limit in limits.items()} == {each.key: each.photographs for each in ALL}
        assert not refused(table, limits).any()


def column(each: PictureLimit, values: list[float], label: str = "thing") -> pd.DataFrame:
    """Return a table in which one fact varies and the others are those of photographs."""
    ordinary = {
        "short_side": 200.0,
        "aspect": 1.3,
        "brightness": 120.0,
        "contrast": 40.0,
        "sharpness": 80.0,
        "entropy": 7.0,
    }
    rows = [ordinary | {each.column: value, "label": label} for value in values]
    return pd.DataFrame(rows, columns=[*ordinary, "label"])


def auto(each: PictureLimit, table: pd.DataFrame, limits: Validate = AUTO) -> float:
    return picture_limits.of(limits, table)[each.key].value


SIDE, ASPECT, DARK, BRIGHT, CONTRAST, SHARP, ENTROPY = ALL


@pytest.mark.parametrize("each", ALL, ids=lambda each: each.key)
def test_auto_is_never_stricter_than_for_photographs_nor_looser_than_nothing(each: PictureLimit) -> None:
    assert auto(each, column(each, [])) == each.photographs
    assert auto(each, column(each, [float("nan")] * 30)) == each.photographs
    assert auto(each, column(each, [each.nothing / 2 if each.least else each.nothing * 1.001] * 30)) == each.nothing


def test_auto_reaches_to_the_outermost_picture_that_is_like_the_others() -> None:
    assert auto(SIDE, column(SIDE, [32.0] * 28 + [16.0, 4.0])) == 16
    assert auto(BRIGHT, column(BRIGHT, [236.0, 240.0, 243.0, 246.0] * 10 + [247.25])) == 248
    assert auto(ENTROPY, column(ENTROPY, [1.0, 1.5, 2.0, 2.5] * 10 + [0.87, 0.0])) == 0.87


def test_the_fence_is_as_far_out_as_the_pool_is_wide() -> None:
    """A quartile of half the median's size puts it at a sixty-fourth of that, an equal one at a quarter."""
    wide = [200.0] * 25 + [100.0] * 15
    assert auto(SIDE, column(SIDE, [*wide, 9.0])) == 9
    assert auto(SIDE, column(SIDE, [100.0] * 40 + [25.0, 24.0])) == 25


def test_a_class_of_its_own_kind_is_let_through_once_it_is_large_enough() -> None:
    enough = picture_limits.ENOUGH
    day, night = column(DARK, [100.0, 110.0, 120.0, 130.0] * 50), [3.0, 4.0, 5.0, 6.0] * enough
    with_night = pd.concat([day, column(DARK, night[:enough], "night")])
    assert auto(DARK, with_night) == 3
    assert auto(DARK, pd.concat([day, column(DARK, night[: enough - 1], "night")])) == 15
    assert auto(DARK, with_night.iloc[::-1]) == auto(DARK, with_night.sample(frac=1, random_state=3)) == 3


def test_a_number_stays_what_it_is() -> None:
    stated = planted.settings(validate__min_side=7, validate__max_brightness="auto").validate_
    limits = picture_limits.of(stated, column(SIDE, [32.0] * 30))
    assert (limits["min_side"].value, limits["min_side"].auto) == (7, False)
    assert (limits["max_brightness"].value, limits["max_brightness"].auto) == (240.0, True)
