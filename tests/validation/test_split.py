import hashlib
from collections import Counter
from pathlib import Path
from random import Random

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irisline.core.errors import DataError
from irisline.core.params import Params, Split, read
from irisline.dataset import thumbnails
from irisline.validation import split

PARAMS = read(Path(__file__).parents[2] / "params.yaml")
SHARES = Split(train=0.7, valid=0.15, test=0.15, near_duplicate_distance=4)
LABELS = ("ant", "bee")


def sha(index: int) -> str:
    return hashlib.sha256(str(index).encode()).hexdigest()


# A picture: a number for its pixels, its label, and what it looks like; some look the same.
pictures = st.lists(
    st.tuples(st.integers(0, 10**6), st.sampled_from(LABELS), st.integers(0, 60)),
    max_size=60,
    unique_by=lambda picture: picture[0],
)
seeds = st.integers(0, 2**31)
Pool = list[tuple[int, str, int]]


def called(number: int, label: str) -> str:
    """Return an id without a digit: a number would make it a frame of a clip."""
    return f"{label}/{''.join('abcdefghij'[int(digit)] for digit in str(number))}.png"


def rows(pool: Pool, **more: object) -> pd.DataFrame:
    """Return a table in which a picture's looks decide its hash; given and reviewed are null unless they are named."""
    return pd.DataFrame(
        {
            "id": [called(number, label) for number, label, _ in pool],
            "label": [label for _, label, _ in pool],
            "sha256": [sha(number) for number, _, _ in pool],
            "phash": [sha(looks)[:16] for _, _, looks in pool],
            "thumbnail": [bytes(thumbnails.BYTES)] * len(pool),
            **{name: more.get(name, [None] * len(pool)) for name in ("given_group", "given_split", "reviewed")},
        }
    )


def seeded(seed: int, **split_changes: object) -> Params:
    base = PARAMS.base.model_copy(update={"seed": seed})
    return PARAMS.model_copy(update={"base": base, "split": SHARES.model_copy(update=split_changes)})


def draw(pool: Pool, seed: int, **more: object) -> dict[int, str | None]:
    found = split.divide(rows(pool, **more), set(), seeded(seed))["split"]
    names = [name if isinstance(name, str) else None for name in found]
    return dict(zip([number for number, *_ in pool], names, strict=True))


def has_enough(pool: Pool, found: dict[int, str | None], label: str, seed: int) -> bool:
    """Return whether of what stays of a class, each kind once, two drew train and one drew another split."""
    kinds = {looks: number for number, of, looks in pool if of == label and found[number]}
    own = [split.own(sha(number), seed, SHARES) for number in kinds.values()]
    return own.count("train") >= 2 and own.count("train") < len(own)


@settings(max_examples=100)
@given(pictures, st.randoms(), seeds)
def test_adding_pictures_never_moves_one_between_train_and_test(pool: Pool, random: Random, seed: int) -> None:
    old = pool[: len(pool) // 2]
    before = draw(old, seed)
    random.shuffle(pool)
    after = draw(pool, seed)
    enough = {label: has_enough(old, before, label, seed) and has_enough(pool, after, label, seed) for label in LABELS}
    for number, label, _ in old:
        if enough[label]:
            assert {before[number], after[number]} != {"train", "test"}
            assert after[number] in ("test", None) or split.own(sha(number), seed, SHARES) != "test"


def test_the_rule_holds_for_most_pools_that_are_tried() -> None:
    pool = [(number, LABELS[number % 2], number) for number in range(60)]
    tried = [(seed, label) for seed in range(20) for label in LABELS]
    assert sum(has_enough(pool, draw(pool, seed), label, seed) for seed, label in tried) == len(tried)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 10**6), st.just("ant")), min_size=3, max_size=60, unique=True), seeds)
def test_each_class_has_at_least_half_its_share_in_each_split(named: list[tuple[int, str]], seed: int) -> None:
    pool = [(number, label, number) for number, label in named]
    counts = Counter(draw(pool, seed).values())
    assert all(counts[name] >= 1 for name in split.NAMES)
    kinds = {split.own(sha(number), seed, SHARES) for number, *_ in pool}
    if kinds == set(split.NAMES) and len(pool) > 20:
        assert counts["valid"] >= round(0.15 * len(pool) / 2)


@given(st.lists(st.integers(0, 10**6), min_size=3, max_size=40, unique=True), seeds)
def test_a_class_that_drew_its_shares_keeps_its_draws(numbers: list[int], seed: int) -> None:
    own = [split.own(sha(number), seed, SHARES) for number in numbers]
    members = [split.Member(frozenset({"ant"}), name, index / 40) for index, name in enumerate(own)]
    if all(own.count(name) >= max(1, round(len(own) * getattr(SHARES, name) / 2)) for name in split.NAMES):
        assert split.filled(members, SHARES) == own


@given(pictures, seeds)
def test_a_group_is_in_one_split_and_lost_whole_only_in_conflict(pool: Pool, seed: int) -> None:
    table = split.divide(rows(pool), set(), seeded(seed))
    for _, group in table.groupby("group"):
        assert group["split"].nunique() == 1 or group["conflict"].notna().any()
        assert group["split"].nunique() <= 1


@given(pictures, seeds)
def test_what_looks_the_same_under_two_labels_is_in_no_split(pool: Pool, seed: int) -> None:
    table = split.divide(rows(pool), set(), seeded(seed))
    labels = {looks: {label for _, label, other in pool if other == looks} for *_, looks in pool}
    clash = [len(labels[looks]) > 1 for *_, looks in pool]
    assert table["conflict"].notna().tolist() == clash
    assert table.loc[clash, "split"].isna().all()


def test_what_a_person_reviewed_stays_and_the_other_goes() -> None:
    pool = [(1, "ant", 0), (2, "bee", 0), (3, "ant", 5)]
    table = split.divide(rows(pool, reviewed=["accept by ada", None, None]), set(), seeded(1))
    assert table["conflict"].tolist()[1:] == ["ant: ant/b.png", table["conflict"][2]]
    assert table["conflict"].isna().tolist() == [True, False, True]
    assert table["split"].notna().tolist()[::2] == [True, True]


def test_off_compares_nothing() -> None:
    pool = [(number, LABELS[number % 2], 0) for number in range(20)]
    table = split.divide(rows(pool), set(), seeded(1, near_duplicate_distance=None))
    assert table["split"].notna().all()
    assert table["conflict"].isna().all()


@given(seeds)
def test_a_given_group_is_never_torn(seed: int) -> None:
    pool = [(number, LABELS[number % 2], number) for number in range(40)]
    names = [f"patient {number // 5}" for number in range(40)]
    found = draw(pool, seed, given_group=names)
    assert all(len({found[number] for number in range(first, first + 5)}) == 1 for first in range(0, 40, 5))
    assert None not in found.values()


@given(seeds)
def test_a_given_split_is_kept(seed: int) -> None:
    pool = [(number, "ant", number) for number in range(20)]
    given_split = ["train"] * 6 + ["test"] * 2 + ["valid"] + [None] * 11
    found = draw(pool, seed, given_split=given_split)
    assert [found[number] for number in range(9)] == given_split[:9]


def test_a_group_with_two_given_splits_is_told() -> None:
    pool = [(number, "ant", number) for number in range(3)]
    with pytest.raises(DataError, match=r"sources.csv: group ann is given the splits test and train; pictures of one"):
        draw(pool, 1, given_group=["ann", "ann", None], given_split=["train", "test", None])


@pytest.mark.parametrize("seed", [0, 42])
def test_shares_approach_params(seed: int) -> None:
    drawn = Counter(split.own(sha(index), seed, SHARES) for index in range(20_000))
    assert {name: drawn[name] / 20_000 for name in split.NAMES} == pytest.approx(
        {"train": 0.7, "valid": 0.15, "test": 0.15}, abs=0.01
    )


def test_the_seed_draws_anew() -> None:
    assert [split.own(sha(i), 1, SHARES) for i in range(50)] != [split.own(sha(i), 2, SHARES) for i in range(50)]


def test_the_split_of_a_picture_never_changes_between_releases() -> None:
    drawn = [split.own(sha(index), 42, SHARES) for index in range(8)]
    assert drawn == ["test", "train", "train", "test", "test", "train", "valid", "train"]


@settings(max_examples=20)
@given(st.permutations(range(30)))
def test_divide_does_not_depend_on_order(order: list[int]) -> None:
    table = rows([(number, "ant", number // 2) for number in order])
    divided = split.divide(table, {"ant/d.png"}, PARAMS).set_index("id").sort_index()
    expected = split.divide(table.sort_values("id"), {"ant/d.png"}, PARAMS).set_index("id")
    pd.testing.assert_frame_equal(divided, expected)
    assert divided.loc["ant/d.png", ["group", "split"]].isna().all()
    assert divided["rejected"].sum() == 1
