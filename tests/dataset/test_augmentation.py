"""Variants depend on their key alone, stay near the original, and keep its label."""

import io
from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from irisline.core import seeding
from irisline.core.execution import map_ordered
from irisline.core.params import Augment, Execution
from irisline.dataset import augmentation, shards
from irisline.whole_picture.perturbations import CHANGES
from tests import planted

STRENGTHS = planted.settings().augment
NONE = Augment(
    variants=2, contrast=0, brightness=0, perspective=0, rotation=0, zoom=0, hue=0, light=0, mirror=True, blur=0,
    jpeg_quality=100,
)  # fmt: skip
ROWS = [planted.row("blue", number, "train") for number in range(3)]


def made(rows: list[shards.Row], workers: int = 1, seed: int = 1) -> dict[tuple[str, int], bytes]:
    make = partial(augmentation.variants, seed=seed, strengths=STRENGTHS)
    lists = map_ordered(make, rows, Execution(engine="local", workers=workers))
    return {(row["id"], row["variant"]): row["image"] for rows in lists for row in rows}


def pixels(data: bytes) -> NDArray[np.float64]:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), float)


def test_the_same_bytes_for_any_number_of_workers_and_any_order() -> None:
    assert made(ROWS) == made(ROWS, workers=2) == made(ROWS[::-1])


def test_another_seed_picture_or_number_gives_another_variant() -> None:
    one, other = made(ROWS, seed=1), made(ROWS, seed=2)
    assert len({*one.values(), *other.values()}) == 2 * 3 * STRENGTHS.variants


def test_a_variant_keeps_label_id_and_identity_and_is_numbered_from_one() -> None:
    found = augmentation.variants(ROWS[0], 1, STRENGTHS)
    assert [row["variant"] for row in found] == [1, 2, 3]
    for row in found:
        assert set(row) == set(shards.AUGMENTED.names)
        assert all(row[key] == ROWS[0][key] for key in ("id", "label", "sha256"))
        assert Image.open(io.BytesIO(row["image"])).size == (48, 40)


def test_no_strength_gives_the_picture_or_its_mirror_image() -> None:
    seen = set()
    for number in range(8):
        original = planted.row("brown", number, "train")
        for row in augmentation.variants(original, 1, NONE):
            straight = np.abs(pixels(row["image"]) - pixels(original["image"])).mean()
            mirrored = np.abs(pixels(row["image"])[:, ::-1] - pixels(original["image"])).mean()
            assert min(straight, mirrored) < 2.5
            assert max(straight, mirrored) > 5
            seen.add(straight < mirrored)
    assert seen == {True, False}


@pytest.mark.parametrize(
    ("strength", "value"),
    {
        "contrast": 0.8,
        "brightness": 0.8,
        "perspective": 0.3,
        "rotation": 90.0,
        "zoom": 0.9,
        "hue": 0.5,
        "light": 1.0,
        "blur": 6.0,
    }.items(),
)
def test_each_strength_changes_the_picture(strength: str, value: float) -> None:
    stronger = NONE.model_copy(update={strength: value, "variants": 4})
    plain = augmentation.variants(ROWS[0], 1, NONE.model_copy(update={"variants": 4}))
    changed = augmentation.variants(ROWS[0], 1, stronger)
    largest = max(
        np.abs(pixels(one["image"]) - pixels(other["image"])).mean() for one, other in zip(plain, changed, strict=True)
    )
    assert largest > 3


def test_without_mirror_every_other_change_is_the_same() -> None:
    mirrored, straight = (
        augmentation.variants(ROWS[0], 1, NONE.model_copy(update={"variants": 8, "mirror": mirror}))
        for mirror in (True, False)
    )
    same = [one["image"] == other["image"] for one, other in zip(mirrored, straight, strict=True)]
    assert set(same) == {True, False}
    assert all(np.abs(pixels(row["image"]) - pixels(ROWS[0]["image"])).mean() < 2.5 for row in straight)


def red_against_blue(picture: Image.Image) -> float:
    red, _, blue = np.asarray(picture, float).mean(axis=(0, 1))
    return float(np.log(red / blue))


def test_light_goes_from_open_shade_to_a_lamp() -> None:
    grey, rng = Image.new("RGB", (48, 40), (120, 120, 120)), seeding.generator(1)
    shade, lamp = (red_against_blue(CHANGES[name](grey, rng)) for name in ("cold_light", "warm_light"))
    lit = NONE.model_copy(update={"light": 1.0, "variants": 40})
    rows = augmentation.variants(ROWS[0] | {"image": planted.saved(grey, quality=100)}, 1, lit)
    found = [red_against_blue(Image.open(io.BytesIO(row["image"]))) for row in rows]
    assert shade - 0.02 < min(found) < shade / 2
    assert lamp / 2 < max(found) < lamp + 0.02


def test_light_changes_no_other_draw() -> None:
    hardly = STRENGTHS.model_copy(update={"light": 1e-9})
    for row in ROWS:
        assert augmentation.variants(row, 1, hardly) == augmentation.variants(row, 1, STRENGTHS)


def test_what_moves_in_from_outside_is_picture_not_black() -> None:
    bright = ROWS[0] | {"image": planted.saved(Image.new("RGB", (48, 40), (200, 200, 200)))}
    turned = NONE.model_copy(update={"rotation": 45.0, "perspective": 0.2})
    assert min(pixels(row["image"]).min() for row in augmentation.variants(bright, 1, turned)) > 190


def test_the_global_generator_is_left_alone() -> None:
    np.random.seed(3)
    expected = np.random.random()
    np.random.seed(3)
    augmentation.variants(ROWS[0], 1, STRENGTHS)
    assert np.random.random() == expected
