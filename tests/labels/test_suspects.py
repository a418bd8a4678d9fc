"""Which labels are suspect, in which order, and what training makes of them."""

from typing import Any

import pytest

from irisline.core.params import Labels
from irisline.labels import suspects

LABELS = Labels(suspects="down_weight", threshold=0.3, min_accuracy=0.75, min_precision=0.5)


def row(name: str, confidence: float | None, **more: Any) -> dict[str, Any]:
    plain = {"id": name, "label": "blue", "suggested": "brown", "split": "train", "sha256": name, "reviewed": None}
    return plain | {"confidence": confidence} | more


def test_the_least_confidence_comes_first_and_what_was_not_judged_last() -> None:
    given = [row("a", None), row("b", 0.9), row("c", 0.1), row("d", 0.1)]
    found = suspects.ranked(given, trusted=True, threshold=0.3)
    assert [(one["id"], one["rank"], one["suspect"]) for one in found] == [
        ("c", 1, True), ("d", 2, True), ("b", 3, False), ("a", None, False),
    ]  # fmt: skip


def test_who_was_reviewed_is_not_suspect_and_nobody_is_when_the_judges_err() -> None:
    given = [row("a", 0.1, reviewed="accept by ada"), row("b", 0.1)]
    assert [one["suspect"] for one in suspects.ranked(given, trusted=True, threshold=0.3)] == [False, True]
    assert not any(one["suspect"] for one in suspects.ranked(given, trusted=False, threshold=0.3))


def test_the_threshold_is_the_first_confidence_that_is_enough() -> None:
    (found,) = suspects.ranked([row("a", 0.3)], trusted=True, threshold=0.3)
    assert not found["suspect"]


def test_counts_and_the_line_a_person_reads() -> None:
    given = [row("a", 0.1), row("b", 0.1, split="test"), row("c", 0.9, reviewed="set by ada"), row("d", None)]
    counts = suspects.metrics(suspects.ranked(given, trusted=True, threshold=0.3), 0.9, 0.8)
    assert counts == {
        "labels": 4, "judged": 3, "reviewed": 1, "suspects": 2, "suspects_in_training": 1, "accuracy": 0.9, "precision": 0.8,
    }  # fmt: skip
    assert suspects.sentence(counts, LABELS).startswith(
        "labels: 2 of 3 labels are suspect, 1 of them in training (down_weight); look at reports/labels/suspects.png"
    )


def test_where_nothing_waits_nothing_is_asked() -> None:
    counts = suspects.metrics(suspects.ranked([row("a", 0.9)], trusted=True, threshold=0.3), 0.9, 0.8)
    assert suspects.sentence(counts, LABELS) == "labels: none of 1 labels is suspect"


@pytest.mark.parametrize(
    ("accuracy", "precision", "line"),
    [
        (None, None, "labels: too few pictures of a class to judge labels by; none is suspect"),
        (
            0.6,
            None,
            "right about 60% of the labels, limit is 75% (labels.min_accuracy): too few to judge them, none is suspect",
        ),
        (
            0.9,
            0.4,
            "40% of the suspects were swapped, limit is 50% (labels.min_precision): right labels are doubted, none is suspect",
        ),
        (0.9, None, "labels: none of 0 labels is suspect"),
    ],
)
def test_why_none_is_suspect_is_said(accuracy: float | None, precision: float | None, line: str) -> None:
    assert suspects.sentence(suspects.metrics([], accuracy, precision), LABELS).endswith(line)


def test_people_read_a_table() -> None:
    found = suspects.ranked([row("b", 0.9), row("a", 0.1)], trusted=True, threshold=0.3)
    assert suspects.as_csv(found).splitlines() == [
        "rank,id,label,suggested,confidence,suspect,reviewed,split,sha256",
        "1,a,blue,brown,0.1,yes,,train,a",
        "2,b,blue,brown,0.9,,,train,b",
    ]
