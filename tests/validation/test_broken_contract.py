"""The failure of a pool: all that is broken at once, with the values that would pass."""

from pathlib import Path

import pandas as pd
import pytest

from irisline.core.errors import DataError
from irisline.core.params import Params
from tests.validation.test_great_expectations import PARAMS, UNREADABLE, each, judged, limited, pool

pytestmark = pytest.mark.filterwarnings("ignore:module 'sre_:DeprecationWarning")
THREE = PARAMS.model_copy(update={"base": PARAMS.base.model_copy(update={"classes": ["blue", "brown", "green"]})})
FIT = "irisline fit-limits --dry-run shows values that let all but 1% of the pictures through"
SHARE = "must be at most 20%; correct or remove the pictures in reports/validate/rejected.csv"


def told(folder: Path, table: pd.DataFrame, params: Params = PARAMS) -> list[str]:
    """Return the lines that a person reads when the stage stops."""
    with pytest.raises(DataError) as stopped:
        judged(table, folder, params)
    assert (folder / "index.html").is_file()
    lines = [str(stopped.value), *stopped.value.details]
    assert not [line for line in lines if "\n" in line]
    return lines


def test_every_broken_limit_is_told_at_once_with_the_value_that_would_pass(tmp_path: Path) -> None:
    small = each(range(110), width=32, height=32, brightness=250.0, entropy=1.2)
    assert told(tmp_path, pool(**small)) == [
        "2 limits of the data contract are broken; see reports/validate/",
        f"share rejected: 91.7%, 110 of 120 pictures, {SHARE}; validate.max_rejected_share: 0.92 would pass",
        "pictures of class blue: 5 of 60 (55 rejected), brown: 5 of 60 (55 rejected), must be at least 20 each; "
        "add pictures to data/<class>/; validate.min_per_class: 5 would pass",
        "large enough: 110 of 120 pictures, such as blue/000.jpg (32), must be at least 48; correct or remove them; "
        "validate.min_side: 32 would let all but 1% of them through",
        "not too bright: 110 of 120 pictures, such as blue/000.jpg (250), must be at most 240; correct or remove them; "
        "validate.max_brightness: 250 would let all but 1% of them through",
        "has detail: 110 of 120 pictures, such as blue/000.jpg (1.2), must be at least 3; correct or remove them; "
        "validate.min_entropy: 1.2 would let all but 1% of them through",
        FIT,
    ]


def test_the_values_told_do_pass(tmp_path: Path) -> None:
    table = pool(**each(range(110), width=32, height=32, brightness=250.0, entropy=1.2))
    fitted = limited(min_side=32, max_brightness=250.0, min_entropy=1.2)
    assert judged(table, tmp_path, fitted) == []
    accepted = limited(max_rejected_share=0.92, min_per_class=5)
    assert len({failure.id for failure in judged(table, tmp_path / "again", accepted)}) == 110


def test_pictures_that_tell_nothing_are_to_be_removed_whatever_the_limit(tmp_path: Path) -> None:
    table = pool(**each(range(30), contrast=0.2), **each(range(30, 60), contrast=3.14))
    assert told(tmp_path, table)[-2:] == [
        "has contrast: 60 of 120 pictures, such as blue/000.jpg (0.2), must be at least 5; 30 of them tell nothing, "
        "remove those; validate.min_contrast: 3.1 would let all but 1% of the others through",
        FIT,
    ]


def test_a_few_refused_pictures_need_no_other_limit(tmp_path: Path) -> None:
    lines = told(tmp_path, pool(r0={"sharpness": 30.0}, **each(range(1, 60, 2), licence="CC-BY-ND-4.0")))
    assert lines[1:] == [
        "licence is accepted: 30 of 120 pictures, such as brown/001.jpg (CC-BY-ND-4.0), must be one of cc0, pdm, by, by-sa, "
        "own; remove the picture, or accept its licence in snapshot.licences",
        "sharp: 1 of 120 pictures, such as blue/000.jpg (30), must be at least 35; correct or remove them",
        FIT,
    ]


@pytest.mark.parametrize(
    ("table", "params", "lines"),
    [
        (pool(0), PARAMS, ["artifacts/collect: no pictures in the pool; add pictures to data/<class>/"]),
        (
            pool(**each(range(120), **UNREADABLE)),
            PARAMS,
            [
                f"share rejected: 100.0%, 120 of 120 pictures, {SHARE}",
                "readable: 120 of 120 pictures, such as blue/000.jpg (damaged: cut short); replace the file",
            ],
        ),
        (pool(), THREE, ["pictures of class green: 0, must be at least 20; add pictures to data/green/"]),
        (
            pool(**each(range(1, 61, 2), label="blue")),
            limited(min_class_balance=0.8),
            [
                "the rarest class, of its even share: 0.5, must be at least 80%; add pictures of that class; "
                "validate.min_class_balance: 0.5 would pass"
            ],
        ),
        (
            pool(**each(range(0, 20, 2), sha256="0" * 64)),
            PARAMS,
            [
                "share of unique pixels: 0.925, must be at least 95%; remove the copies in reports/validate/rejected.csv; "
                "validate.min_unique_share: 0.92 would pass",
                "not an exact copy: 9 of 120 pictures, such as blue/002.jpg (blue/000.jpg); remove the copy",
            ],
        ),
        (
            pool(**each(range(27), eyes=0.0), r27=UNREADABLE),
            PARAMS,
            [
                "share of pictures in which an eye is found: 0.7731, must be at least 80%; add pictures that show an eye "
                "(reports/validate/nothing_found.csv names the others), or set preprocess.crop: none; "
                "validate.min_found_share: 0.77 would pass",
                "readable: 1 of 120 pictures, such as brown/027.jpg (damaged: cut short); replace the file",
            ],
        ),
    ],
)
def test_one_broken_limit_is_the_first_line(
    tmp_path: Path, table: pd.DataFrame, params: Params, lines: list[str]
) -> None:
    assert told(tmp_path, table, params) == lines


def test_a_class_that_near_duplicates_leave_too_few_of_is_told_which_param_sets_them_aside(tmp_path: Path) -> None:
    table = pool(**each(range(1, 100, 2), phash="0" * 16))
    table["id"] = [f"{label}/{sha256[:8]}.jpg" for label, sha256 in zip(table["label"], table["sha256"], strict=True)]
    lines = told(tmp_path, table, limited(min_class_balance=0.0))
    assert lines == [
        "pictures of class brown: 11 of 60 (49 near-duplicates), must be at least 20; add pictures to data/brown/, "
        "or lower split.near_duplicate_distance; validate.min_per_class: 11 would pass",
        "49 set aside: near-duplicates of pictures in a more held-out split (split.near_duplicate_distance)",
    ]


def test_of_many_classes_a_few_are_named(tmp_path: Path) -> None:
    names = ["blue", "brown", *(f"class{number}" for number in range(20))]
    many = PARAMS.model_copy(update={"base": PARAMS.base.model_copy(update={"classes": names})})
    line = next(line for line in told(tmp_path, pool(), many) if line.startswith("pictures of class "))
    assert "class7: 0 and 12 more, must be at least 20 each; " in line
