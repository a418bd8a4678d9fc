"""Labels that are planted wrong are found by models that did not see the picture, where there is enough to judge by."""

import csv

import numpy as np
import pytest

from irisline.core import seeding
from irisline.core.execution import map_ordered
from irisline.dataset import pool, shards
from irisline.labels import confident_learning, features
from irisline.labels.confident_learning import Quality
from tests import planted
from tests.imports import ROOT

CLASSES = list(planted.CLASSES)


def rows(counts: dict[str, int]) -> list[shards.Row]:
    return [
        {
            "id": f"{split}-{number}",
            "label": CLASSES[number % 2],
            "group": f"{split}-{number}",
            "sha256": f"{split}-{number}",
            "split": split,
            "reviewed": None,
        }
        for split, count in counts.items()
        for number in range(count)
    ]


def apart(given: list[shards.Row]) -> list[np.ndarray]:
    """Return features that tell the classes apart, with noise."""
    rng = seeding.generator("apart")
    return [rng.normal([6.0 * (row["label"] == "brown"), 0, 0, 0]).astype(np.float32) for row in given]


def test_planted_wrong_labels_have_the_least_confidence() -> None:
    given = rows({"train": 60, "test": 20})
    seen = apart(given)
    wrong = [given[number] for number in (3, 20, 41, 65)]
    for row in wrong:
        row["label"] = "blue" if row["label"] == "brown" else "brown"
    judged, accuracy = confident_learning.of_rows(given, seen, CLASSES, seed=1)
    least = sorted(judged, key=lambda row: row["confidence"])[:4]
    assert {row["id"] for row in least} == {row["id"] for row in wrong}
    assert all(row["suggested"] != row["label"] for row in least)
    assert accuracy == pytest.approx(0.95, abs=0.05)
    assert confident_learning.of_rows(given, seen, CLASSES, seed=1) == (judged, accuracy)


def test_swapped_labels_tell_whether_suspects_can_be_trusted() -> None:
    given = rows({"train": 200})
    sure = confident_learning.precision(given, apart(given), CLASSES, 1, threshold=0.4)
    assert sure is not None
    assert sure > 0.9
    noise = [seeding.generator("noise", row["id"]).normal(size=4).astype(np.float32) for row in given]
    doubting = confident_learning.precision(given, noise, CLASSES, 1, threshold=0.4)
    assert doubting is not None
    assert doubting < 0.3
    assert confident_learning.precision(given, apart(given), CLASSES, 1, threshold=0.0) is None


def test_what_is_held_out_has_no_say_in_what_is_trained() -> None:
    given = rows({"train": 40, "test": 20})
    seen = apart(given)
    before, _ = confident_learning.of_rows(given, seen, CLASSES, seed=1)
    for row in given[40:]:
        row["label"] = "blue"
    after, _ = confident_learning.of_rows(given, seen, CLASSES, seed=1)
    assert before[:40] == after[:40]


def test_a_held_out_picture_is_judged_without_its_own_label() -> None:
    given = rows({"train": 40, "test": 20})
    seen = apart(given)
    before, _ = confident_learning.of_rows(given, seen, CLASSES, seed=1)
    given[45]["label"] = "blue" if given[45]["label"] == "brown" else "brown"
    after, _ = confident_learning.of_rows(given, seen, CLASSES, seed=1)
    assert after[45]["confidence"] == pytest.approx(1 - before[45]["confidence"], abs=1e-5)
    assert after[45]["suggested"] == before[45]["suggested"]


def test_labels_that_are_found_wrong_have_no_say_in_the_end() -> None:
    given = rows({"train": 80})
    seen = apart(given)
    for number in range(0, 12, 2):
        given[number]["label"] = "brown"
    judged, _ = confident_learning.of_rows(given, seen, CLASSES, seed=1)
    assert max(judged[number]["confidence"] for number in range(0, 12, 2)) < 0.3  # 0.36 with them


def test_a_picture_is_not_judged_by_its_near_duplicates() -> None:
    given = rows({"train": 40})
    seen = apart(given)
    for number in range(2):  # the same wrong label on near-duplicates vouches for nothing
        given[number].update(label="blue", group="together")
        seen[number] = np.array([6, 6, 0, 0], np.float32)
    judged, _ = confident_learning.of_rows(given, seen, CLASSES, seed=1)
    assert max(row["confidence"] for row in judged[:2]) < 0.3


def test_a_picture_without_features_is_not_judged() -> None:
    given = rows({"train": 40})
    judged, accuracy = confident_learning.of_rows(given, [None, *apart(given)[1:]], CLASSES, seed=1)
    assert (judged[0]["suggested"], judged[0]["confidence"]) == (None, None)
    assert accuracy is not None
    assert sum(row["confidence"] is None for row in judged) == 1


@pytest.mark.parametrize("counts", [{}, {"test": 10}, {"train": 2, "test": 8}])
def test_too_little_to_judge_by_is_said(counts: dict[str, int]) -> None:
    given = rows(counts)
    judged, accuracy = confident_learning.of_rows(given, apart(given), CLASSES, seed=1)
    assert accuracy is None
    assert all(row["confidence"] is None for row in judged)


def test_a_class_that_the_training_split_lacks_is_not_judged_by() -> None:
    given = [row for row in rows({"train": 40, "test": 8}) if row["split"] == "test" or row["label"] == "blue"]
    assert confident_learning.of_rows(given, apart(given), CLASSES, seed=1)[1] is None


def test_the_suggested_class_is_the_likeliest() -> None:
    quality = Quality(np.array([[0.2, 0.5, 0.3], [0.9, 0.05, 0.05]]), np.array([0.2, 0.9]), 1.0)
    assert quality.suggested.tolist() == [1, 0]


@pytest.mark.slow
def test_the_wrong_labels_of_the_embedded_pool_are_found() -> None:
    """At least nine of ten, and more than six of ten that are suspect are wrong: what is promised."""
    settings = planted.settings(preprocess__crop="eyes", preprocess__size=128, execution__workers=0)
    with (ROOT / "tests" / "eyes" / "pool_answers.csv").open() as file:
        defects = {line["file"]: line["defect"] for line in csv.DictReader(file)}
    items = [
        item
        for item in pool.items(ROOT / "data", settings.base.classes, settings.collect)
        if defects.get(item.id) in (None, "wrong_label", "mixed_eyes", "no_eye")
    ]
    pictures = list(map_ordered(pool.read, items, settings.execution))
    given = [row | {"group": row["sha256"], "split": "train", "reviewed": None} for row in pictures]
    judged, accuracy = confident_learning.of_rows(
        given,
        list(features.of_pictures((row["image"] for row in given), settings)),
        settings.base.classes,
        settings.base.seed,
    )
    assert accuracy is not None
    assert accuracy > settings.labels.min_accuracy
    suspects = {
        row["id"] for row in judged if row["confidence"] is not None and row["confidence"] < settings.labels.threshold
    }
    wrong = {name for name, defect in defects.items() if defect == "wrong_label"}
    assert len(wrong) == 12
    assert len(suspects & wrong) / len(wrong) >= 0.9
    assert len(suspects & wrong) / len(suspects) >= 0.6
