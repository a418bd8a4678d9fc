"""The numbers of each class against scikit-learn, and the files they are told in."""

import csv
import io

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score

from irisline.evaluation import metrics, per_class
from tests.hostile_names import CLASSES

RNG = np.random.default_rng(5)
TRUTH = np.repeat(np.arange(len(CLASSES)), 7)
SAID = np.where(RNG.random(len(TRUTH)) < 0.6, TRUTH, RNG.integers(0, len(CLASSES), len(TRUTH)))
COUNTS = metrics.confusion(SAID, TRUTH, len(CLASSES))


def test_the_numbers_agree_with_scikit_learn() -> None:
    found = per_class.of(COUNTS, CLASSES)
    assert [each.name for each in found] == list(CLASSES)
    for name, score in (("recall", recall_score), ("precision", precision_score), ("f1", f1_score)):
        values = [getattr(each, name) for each in found]
        assert [value for value, _, _ in values] == pytest.approx(
            list(score(TRUTH, SAID, average=None, zero_division=0))
        )
        assert all(low <= value <= high for value, low, high in values)


def test_a_class_nobody_predicts_has_precision_zero() -> None:
    blue, brown = per_class.of(np.array([[1, 0], [1, 0]]), ["blue", "brown"])
    assert (brown.precision, brown.recall[0], brown.f1[0]) == ((0, 0, 1), 0, 0)
    assert (blue.precision[0], blue.recall[0], blue.wrong, brown.wrong) == (0.5, 1, 0, 1)


def test_confusions_are_told_the_most_frequent_first() -> None:
    found = per_class.confusions(np.array([[5, 2, 0], [1, 3, 2], [0, 0, 9]]), ["a", "b", "c"])
    assert [(each.actual, each.predicted, each.pictures, each.of) for each in found] == [
        ("b", "c", 2, 6), ("a", "b", 2, 7), ("b", "a", 1, 6),
    ]  # fmt: skip


def test_the_worst_are_those_with_most_errors() -> None:
    counts = np.diag(np.arange(30, 0, -1))
    counts[3, 4] = counts[8, 9] = 2
    assert [each.name for each in per_class.worst(per_class.of(counts, list(map(str, range(30)))))][:2] == ["8", "3"]
    assert len(per_class.worst(per_class.of(counts, list(map(str, range(30)))))) == per_class.SHOWN


def test_the_tables_keep_every_name_and_no_spreadsheet_runs_one() -> None:
    made = per_class.files(COUNTS, CLASSES)
    assert set(made) == {"classes.csv", "confusions.csv", "classes.png"}
    lines = list(csv.DictReader(io.StringIO(made["classes.csv"].decode())))
    assert [line["class"].removeprefix("'") if line["class"] == "'=cmd" else line["class"] for line in lines] == list(
        CLASSES
    )
    assert "\n=cmd" not in made["classes.csv"].decode()
    told = list(csv.DictReader(io.StringIO(made["confusions.csv"].decode())))
    assert sum(int(line["pictures"]) for line in told) == (SAID != TRUTH).sum()
