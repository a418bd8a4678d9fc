import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from irisline.core.errors import DataError
from irisline.core.params import Params, read
from irisline.dataset import shards, thumbnails
from irisline.domains import columns
from irisline.validation import data_contract, image_statistics, rejected, split
from irisline.validation.great_expectations import Failure, Judge

pytestmark = pytest.mark.filterwarnings("ignore:module 'sre_:DeprecationWarning")  # great_expectations, when it loads

PARAMS = read(Path(__file__).parents[2] / "params.yaml")
GOOD = {
    "reason": None, "width": 200, "height": 150, "licence": "own",
    "aspect": 1.3, "brightness": 120.0, "contrast": 40.0, "sharpness": 70.0, "entropy": 6.5,
    "people": 1.0, "eyes": 2.0, "eye_radius": 0.06, "skin_tone": 30.0, "light": 0.5, "glasses": 0.2,
}  # fmt: skip

UNREADABLE = dict.fromkeys(["sha256", "phash", "width", "height", *image_statistics.NAMES]) | {
    "reason": "damaged: cut short"
}


def pool(count: int = 120, params: Params = PARAMS, **changes: Any) -> pd.DataFrame:
    """Return a table of good pictures of both classes, with the changes to single rows: r3={"label": ...}."""
    numbers = np.random.default_rng(7).integers(0, 2**64, count, dtype=np.uint64).tolist()
    rows = [
        GOOD
        | {
            "id": f"{label}/{i:03}.jpg",
            "label": label,
            "sha256": hashlib.sha256(b"%d" % number).hexdigest(),
            "phash": f"{number:016x}",
            "thumbnail": bytes(thumbnails.BYTES),
        }
        for i, number in enumerate(numbers)
        for label in [("blue", "brown")[i % 2]]
    ]
    for key, change in changes.items():
        rows[int(key[1:])].update(change)
    names = [name for name in shards.COLLECTED.names if name != "image"] + list(image_statistics.NAMES)
    return data_contract.with_shared_pixels(pd.DataFrame(rows, columns=names), params)


def each(numbers: range, **change: object) -> dict[str, Any]:
    """Return the same change to each of these rows."""
    return {f"r{i}": change for i in numbers}


def judged(table: pd.DataFrame, docs: Path, params: Params = PARAMS) -> list[Failure]:
    """Go the way of the stage: failures, splits, checkpoint, and the line when it stops."""
    judge = Judge(params, docs)
    failures = judge.failures(table)
    table = data_contract.with_outcome(
        split.divide(table, {failure.id for failure in failures}, params), params.base.classes
    )
    rejected.stop_if(judge.broken(table), table, failures)
    return failures


def limited(**limits: object) -> Params:
    return PARAMS.model_copy(update={"validate_": PARAMS.validate_.model_copy(update=limits)})


def test_each_defect_fails_its_own_expectation_with_the_value_seen(tmp_path: Path) -> None:
    good = pool()
    table = pool(
        r1=UNREADABLE, r2={"label": "green"}, r3={"licence": None}, r4={"height": 20}, r5={"aspect": 9.0},
        r6={"brightness": 3.25}, r7={"brightness": 254.0}, r8={"contrast": 1.0}, r9={"sharpness": 5.5}, r10={"entropy": 0.5},
        r20={"sha256": good["sha256"][18]}, r21={"sha256": good["sha256"][16]},
    )  # fmt: skip
    found = [(one.id, one.expectation, one.column, one.value) for one in judged(table, tmp_path)]
    assert found == [
        ("brown/001.jpg", "readable", "reason", "damaged: cut short"),
        ("blue/002.jpg", "label is a class", "label", "green"),
        ("brown/003.jpg", "licence is known", "licence", ""),
        ("blue/004.jpg", "large enough", "short_side", "20"),
        ("brown/005.jpg", "not a strip", "aspect", "9"),
        ("blue/006.jpg", "not too dark", "brightness", "3.25"),
        ("brown/007.jpg", "not too bright", "brightness", "254"),
        ("blue/008.jpg", "has contrast", "contrast", "1"),
        ("brown/009.jpg", "sharp", "sharpness", "5.5"),
        ("blue/010.jpg", "has detail", "entropy", "0.5"),
        ("blue/016.jpg", "under one label", "labels_of_pixels", "2"),
        ("blue/020.jpg", "not an exact copy", "copy_of", "blue/018.jpg"),
        ("brown/021.jpg", "under one label", "labels_of_pixels", "2"),
        ("brown/021.jpg", "not an exact copy", "copy_of", "blue/016.jpg"),
    ]


def test_the_copy_that_has_a_licence_is_the_one_kept() -> None:
    sha256 = {"sha256": "0" * 64}
    copy_of = pool(6, r0=sha256 | {"licence": None}, r2=sha256, r4=sha256)["copy_of"]
    assert copy_of.dropna().to_dict() == {0: "blue/002.jpg", 4: "blue/002.jpg"}
    copy_of = pool(6, r0=sha256 | {"licence": None}, r2=sha256 | {"licence": None})["copy_of"]
    assert copy_of.dropna().to_dict() == {2: "blue/000.jpg"}


def test_the_copy_whose_licence_is_accepted_is_the_one_kept_and_the_others_are_named() -> None:
    sha256 = {"sha256": "0" * 64}
    copy_of = pool(6, r0=sha256 | {"licence": "CC-BY-NC-4.0"}, r2=sha256 | {"licence": "CC-BY-4.0"})["copy_of"]
    assert copy_of.dropna().to_dict() == {0: "blue/002.jpg"}


def licensed(tmp_path: Path, *families: str) -> list[tuple[str, str, str, str, str]]:
    params = PARAMS.model_copy(update={"snapshot": PARAMS.snapshot.model_copy(update={"licences": list(families)})})
    table = pool(
        120, params, r1={"licence": "CC-BY-NC-4.0"}, r2={"licence": "CC-BY-SA-3.0-DE"}, r3={"licence": "CC0-1.0"},
        r4={"licence": "All rights reserved"}, r5={"licence": None}, r6={"licence": "CC BY-ND 2.0"},
    )  # fmt: skip
    return [(one.id, one.expectation, one.column, one.value, one.limit) for one in judged(table, tmp_path, params)]


def test_a_licence_that_is_not_accepted_is_refused_with_the_policy(tmp_path: Path) -> None:
    limit = "must be one of cc0, by, by-sa, own"
    assert licensed(tmp_path, "cc0", "by", "by-sa") == [
        ("brown/001.jpg", "licence is accepted", "refused_licence", "CC-BY-NC-4.0", limit),
        ("blue/004.jpg", "licence is accepted", "refused_licence", "All rights reserved", limit),
        ("brown/005.jpg", "licence is known", "licence", "", "must be given"),
        ("blue/006.jpg", "licence is accepted", "refused_licence", "CC BY-ND 2.0", limit),
    ]


def test_who_accepts_unknown_licences_accepts_pictures_without_one(tmp_path: Path) -> None:
    assert [row[0] for row in licensed(tmp_path, "cc0", "unknown")] == ["brown/001.jpg", "blue/002.jpg", "blue/006.jpg"]


def test_a_good_pool_passes_and_every_expectation_meant_is_evaluated(tmp_path: Path) -> None:
    judge = Judge(PARAMS, tmp_path)
    table = data_contract.with_outcome(split.divide(pool(), set(), PARAMS), PARAMS.base.classes)
    assert judge.failures(table) == []
    assert judge.broken(table) == []
    assert judge.meant == len(data_contract.of_images(PARAMS)) + len(data_contract.of_pool(PARAMS)) == 31
    assert (tmp_path / "index.html").is_file()


def test_an_expectation_that_great_expectations_drops_is_a_bug_and_not_a_pass(tmp_path: Path) -> None:
    judge = Judge(PARAMS, tmp_path)
    judge.of_images.append(judge.of_images[0])
    with pytest.raises(RuntimeError, match="13 expectations evaluated, 14 meant"):
        judge.failures(pool())


def test_an_expectation_that_cannot_be_evaluated_is_a_bug_and_not_a_pass(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"could not be evaluated: \['sharp'\]"):
        Judge(PARAMS, tmp_path).failures(pool().drop(columns="sharpness"))


@pytest.mark.parametrize(
    ("table", "params", "line"),
    [
        (pool(0), PARAMS, "artifacts/collect: no pictures in the pool; add pictures to data/<class>/"),
        (
            pool(**each(range(40), sharpness=1.0)),
            PARAMS,
            r"reports/validate/rejected.csv: 40 of 120 images rejected \(33%\), must be at most 20%; "
            r"most often failed: sharp \(40\), e.g. blue/000.jpg; correct them or raise validate.max_rejected_share",
        ),
        (
            pool(**each(range(120), label="blue")),
            PARAMS,
            "data: all accepted pictures are of class blue, a classifier needs two; add pictures to data/brown/",
        ),
        (
            pool(**each(range(1, 110, 2), label="blue")),
            PARAMS,
            "pictures of class brown: 5, must be at least 20; add pictures to data/brown/",
        ),
        (
            pool(**each(range(1, 61, 2), label="blue")),
            limited(min_class_balance=0.8),
            "the rarest class, of its even share: 0.5, must be at least 80%; correct them or lower validate.min_class_balance",
        ),
        (
            pool(**each(range(0, 20, 2), sha256="0" * 64)),
            PARAMS,
            "share of unique pixels: 0.925, must be at least 95%",
        ),
        (pool(**each(range(120), **UNREADABLE)), PARAMS, r"120 of 120 images rejected \(100%\)"),
        (
            pool(**each(range(27), eyes=0.0), r27=UNREADABLE),
            PARAMS,
            "reports/validate/nothing_found.csv: share of pictures in which an eye is found: 0.7731, must be at least 80%; "
            "add pictures that show an eye, lower validate.min_found_share, or set preprocess.crop: none$",
        ),
    ],
)
def test_the_stage_stops_with_one_line(tmp_path: Path, table: pd.DataFrame, params: Params, line: str) -> None:
    with pytest.raises(DataError, match=line) as stopped:
        judged(table, tmp_path, params)
    assert "\n" not in str(stopped.value)
    assert (tmp_path / "index.html").is_file()


def test_a_class_without_any_accepted_picture_is_named(tmp_path: Path) -> None:
    three = PARAMS.model_copy(update={"base": PARAMS.base.model_copy(update={"classes": ["blue", "brown", "green"]})})
    with pytest.raises(DataError, match=r"data: pictures of class green: none accepted, .*add pictures to data/green/"):
        judged(pool(), tmp_path, three)


def test_a_near_duplicate_in_another_split_is_set_aside_and_named() -> None:
    table = pool()
    parts = [split.own(sha256, PARAMS.base.seed, PARAMS.split) for sha256 in table["sha256"]]
    tested = parts.index("test")
    alike = (place for place, part in enumerate(parts) if part == "train" and place % 2 == tested % 2)
    trained = next(alike)
    table.loc[trained, "phash"] = table["phash"][tested]
    divided = split.divide(table, set(), PARAMS)
    (aside,) = rejected.set_aside(divided)
    assert (aside.id, aside.value) == (table["id"][trained], f"test: {table['id'][tested]}")
    assert rejected.told_aside(divided) == (
        ", 1 set aside: near-duplicates of pictures in a more held-out split (split.near_duplicate_distance)"
    )


def test_what_looks_the_same_under_two_labels_is_kept_out_and_both_are_named(tmp_path: Path) -> None:
    table = pool()
    table.loc[5, "phash"] = table["phash"][4]
    divided = split.divide(table, set(), PARAMS)
    one, other = rejected.set_aside(divided)
    assert (one.id, one.expectation, one.value) == ("blue/004.jpg", rejected.CONFLICT, "brown: brown/005.jpg")
    assert (other.id, other.value) == ("brown/005.jpg", "blue: blue/004.jpg")
    assert "2 kept out: each looks the same as one under another label" in rejected.told_aside(divided)
    with pytest.raises(
        DataError, match=r"at least 200; .*, 2 kept out: each looks the same as one under another label"
    ):
        judged(table, tmp_path, limited(min_per_class=200))


def test_rejected_csv_has_the_same_bytes_each_time(tmp_path: Path) -> None:
    failures = [Failure("blue/a,b.jpg", "blue", "sharp", "sharpness", "5.5", "must be at least 35")]
    rejected.write(tmp_path, failures)
    assert (tmp_path / rejected.FILE).read_bytes() == (
        b'id,label,expectation,column,value,limit\n"blue/a,b.jpg",blue,sharp,sharpness,5.5,must be at least 35\n'
    )


def test_a_picture_in_which_no_eye_is_found_is_listed_and_not_rejected(tmp_path: Path) -> None:
    table = split.divide(pool(r3={"eyes": 0.0}, r4=UNREADABLE), {"blue/004.jpg"}, PARAMS)
    assert judged(pool(r3={"eyes": 0.0}), tmp_path) == []
    rejected.write_nothing_found(tmp_path, table)
    assert (
        tmp_path / rejected.NOTHING_FOUND
    ).read_text() == f"id,label,split\nbrown/003.jpg,brown,{table['split'][3]}\n"


def test_where_no_eyes_are_sought_none_is_missed(tmp_path: Path) -> None:
    whole = PARAMS.model_copy(update={"preprocess": PARAMS.preprocess.model_copy(update={"crop": "none"})})
    table = pool(params=whole, **each(range(120), **dict.fromkeys(columns.COLUMNS)))
    assert judged(table, tmp_path, whole) == []
    rejected.write_nothing_found(tmp_path, table.assign(split="train"))
    assert (tmp_path / rejected.NOTHING_FOUND).read_text() == "id,label,split\n"
