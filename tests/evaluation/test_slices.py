"""The test split in slices: who falls in which, what is counted, and that few pictures are said to be few."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest

from irisline.dataset import shards
from irisline.domains.slices import CUTS
from irisline.evaluation import slices
from irisline.evaluation.evaluate import Answers
from irisline.evaluation.metrics import share_interval
from irisline.evaluation.slices import Slice
from tests import planted

TONES = [-70.0, 9.9, 10.0, 40.9, 41.0, 80.0, None]


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """Return rows of which a training picture and all but one test picture have facts; the last was not seen."""
    made = [planted.row("blue", f"test-{number}", "test") | {"skin_tone": tone} for number, tone in enumerate(TONES)]
    shards.write(tmp_path, shards.ACCEPTED, 100, [planted.row("blue", "train-0", "train") | {"light": 3.0}, *made])
    return tmp_path


@pytest.fixture
def test_split() -> Answers:
    """Return answers, blue but for the second; the third and the one not seen are unsure."""
    ids = [f"blue/test-{number}.jpg" for number in range(len(TONES))]
    logits = np.array([[2.0, 0], [0, 2], [2, 0], [2, 0], [2, 0], [2, 0], [0, 0]])
    seen, unsure = np.array([True] * 6 + [False]), np.array([False, False, True, False, False, False, True])
    return Answers(ids, ids, np.zeros(7, int), logits, seen, unsure, np.zeros(7))


def test_a_picture_is_in_the_slice_of_its_fact_and_only_facts_that_some_have_cut(
    rows: Path, test_split: Answers
) -> None:
    assert slices.of(test_split, rows) == [
        Slice("skin tone", "dark", pictures=2, wrong=1, answered=2),
        Slice("skin tone", "intermediate", pictures=2, wrong=0, answered=1),
        Slice("skin tone", "light", pictures=2, wrong=0, answered=2),
    ]


def test_no_facts_no_slices(tmp_path: Path, test_split: Answers) -> None:
    shards.write(tmp_path, shards.ACCEPTED, 9, [planted.row("blue", f"test-{n}", "test") for n in range(len(TONES))])
    assert slices.of(test_split, tmp_path) == []


def test_every_cut_names_one_group_more_than_it_has_limits_and_a_fact_of_the_row() -> None:
    for cut in CUTS:
        assert len(cut.names) == len(cut.limits) + 1
        assert list(cut.limits) == sorted(cut.limits)
        assert cut.fact in shards.ACCEPTED.names


def test_the_table_has_shares_with_their_intervals_and_none_of_no_pictures() -> None:
    full, empty = csv.DictReader(
        io.StringIO(slices.table([Slice("light", "warm", 20, 2, 15), Slice("light", "cold", 0, 0, 0)]))
    )
    assert (full["error_rate"], full["coverage"]) == ("0.100000", "0.750000")
    assert float(full["error_rate_low"]) == pytest.approx(share_interval(2, 20)[0], abs=1e-6)
    assert empty == dict.fromkeys(empty, "") | {
        "by": "light",
        "slice": "cold",
        "pictures": "0",
        "wrong": "0",
        "answered": "0",
    }


@pytest.mark.parametrize("found", [[], [Slice("light", "warm", 20, 2, 15), Slice("light", "cold", 9, 0, 0)]])
def test_the_forest_is_a_picture_and_the_same_each_time(found: list[Slice]) -> None:
    assert slices.draw(found).startswith(b"\x89PNG")
    assert slices.files(found)[slices.FOREST] == slices.draw(found)


def test_fewer_than_ten_are_few() -> None:
    assert [Slice("light", "warm", count, 0, 0).few for count in (9, 10)] == [True, False]
