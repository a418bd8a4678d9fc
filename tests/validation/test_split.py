import hashlib
from collections import Counter
from pathlib import Path
from random import Random

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irisline.core.params import Split, read
from irisline.validation import split

PARAMS = read(Path(__file__).parents[2] / "params.yaml")
SHARES = Split(train=0.7, valid=0.15, test=0.15, near_duplicate_distance=4)


def sha(index: int) -> str:
    return hashlib.sha256(str(index).encode()).hexdigest()


pictures = st.lists(
    st.tuples(st.integers(0, 10**6).map(sha), st.integers(0, 8).map(str)), max_size=40, unique_by=lambda p: p[0]
)
seeds = st.integers(0, 2**31)


def draw(pool: list[tuple[str, str]], seed: int) -> dict[str, str | None]:
    sha256s, groups = [sha256 for sha256, _ in pool], [group for _, group in pool]
    return dict(zip(sha256s, split.of_groups(sha256s, groups, seed, SHARES), strict=True))


@given(pictures, st.randoms(), seeds)
def test_adding_pictures_never_moves_an_old_one(pool: list[tuple[str, str]], random: Random, seed: int) -> None:
    old = pool[: len(pool) // 2]
    before = draw(old, seed)
    random.shuffle(pool)
    after = draw(pool, seed)
    assert all(after[sha256] in (name, None) for sha256, name in before.items() if name)
    assert all(after[sha256] == "test" for sha256, name in before.items() if name == "test")


@given(pictures, seeds)
def test_a_group_is_in_one_split_and_never_lost_whole(pool: list[tuple[str, str]], seed: int) -> None:
    drawn = draw(pool, seed)
    for group in {group for _, group in pool}:
        assert len({drawn[sha256] for sha256, of in pool if of == group} - {None}) == 1


@given(pictures, seeds)
def test_the_most_held_out_split_of_a_group_wins(pool: list[tuple[str, str]], seed: int) -> None:
    for (sha256, group), name in zip(pool, draw(pool, seed).values(), strict=True):
        own = [split.own(other, seed, SHARES) for other, of in pool if of == group]
        most = next(part for part in ("test", "valid", "train") if part in own)
        assert name == (most if split.own(sha256, seed, SHARES) == most else None)


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
    table = pd.DataFrame(
        {
            "id": [f"{i}.jpg" for i in order],
            "sha256": [sha(i) for i in order],
            "phash": [f"{i // 2 * 4097:016x}" for i in order],
        }
    )
    divided = split.divide(table, {"3.jpg"}, PARAMS).set_index("id").sort_index()
    expected = split.divide(table.sort_values("id"), {"3.jpg"}, PARAMS).set_index("id")
    pd.testing.assert_frame_equal(divided, expected)
    assert divided.loc["3.jpg", ["group", "split"]].isna().all()
    assert divided["rejected"].sum() == 1
