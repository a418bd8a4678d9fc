"""From logits to answers: eyes to a person, people to a picture, and when to be unsure."""

import numpy as np
import pytest

from irisline.data.eyes import NO_EYE
from irisline.data.views import Place, View
from irisline.model import answers
from irisline.model.answers import Reader
from irisline.model.calibration import Calibration

READER = Reader(["blue", "brown"], Calibration(1.0, 0.8))
PIXELS = np.stack([np.full((8, 8), level, np.uint8) for level in (150, 110, 90)])  # skin
BLUE, BROWN, DOUBTFUL = (3.0, 0.0), (0.0, 3.0), (0.2, 0.0)


def seen(*people: int) -> list[View]:
    """Give a view of an eye for each person named."""
    return [View(PIXELS, person, Place(0.1 * number, 0.5, 0.02)) for number, person in enumerate(people)]


def logits(*rows: tuple[float, float]) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 2)


def test_both_eyes_make_one_answer_and_each_has_its_own() -> None:
    answer = READER.picture(seen(0, 0), logits(BLUE, DOUBTFUL))
    assert (answer.label, answer.unsure, answer.reason) == ("blue", False, None)
    assert answer.confidence == pytest.approx(1 / (1 + np.exp(-1.6)))
    (person,) = answer.people
    assert [eye.place.x for eye in person.eyes] == [0.0, 0.1]
    assert person.eyes[0].probabilities["blue"] == pytest.approx(1 / (1 + np.exp(-3)))
    assert person.probabilities == answer.probabilities


def test_without_an_eye_it_is_unsure_whatever_the_threshold() -> None:
    answer = Reader(["blue", "brown"], Calibration(1.0, 0.0)).picture([], logits())
    assert (answer.unsure, answer.reason, answer.people) == (True, NO_EYE, ())
    assert answer.probabilities == {"blue": 0.5, "brown": 0.5}


def test_one_blue_and_one_brown_eye_are_told() -> None:
    answer = READER.picture(seen(0, 0), logits(BLUE, BROWN))
    assert (answer.unsure, answer.reason) == (True, "one eye looks blue, the other brown")
    doubtful = READER.picture(seen(0, 0), logits(BROWN, DOUBTFUL))
    assert doubtful.reason is None
    assert doubtful.label == "brown"


def test_a_grey_picture_says_nothing_of_colours() -> None:
    grey = [View(np.full((3, 8, 8), 120, np.uint8), 0, Place(0.5, 0.5, 0.1))]
    answer = READER.picture(grey, logits(BLUE))
    assert (answer.unsure, answer.reason) == (True, "no colour in the picture")


def test_people_who_differ_leave_the_picture_unsure_and_are_told_one_by_one() -> None:
    answer = READER.picture(seen(0, 0, 1), logits(BLUE, BLUE, BROWN))
    assert (answer.label, answer.unsure, answer.reason) == ("blue", True, "2 people with different answers")
    assert [(person.label, person.unsure) for person in answer.people] == [("blue", False), ("brown", False)]
    alike = READER.picture(seen(0, 1), logits(BLUE, BLUE))
    assert (alike.label, alike.unsure, len(alike.people)) == ("blue", False, 2)


def test_the_nearest_person_decides_and_a_doubtful_one_behind_does_not_matter() -> None:
    answer = READER.picture(seen(0, 1), logits(BROWN, DOUBTFUL))
    assert (answer.label, answer.unsure) == ("brown", False)
    assert answer.people[1].reason == "confidence 0.55 is below 0.80"


def test_a_whole_picture_has_no_people() -> None:
    answer = READER.picture([View(PIXELS, 0, None)], logits(BROWN))
    assert (answer.label, answer.people) == ("brown", ())


def test_logits_of_a_picture_are_the_mean_over_the_nearest_person() -> None:
    assert answers.combined(seen(0, 0, 1), logits((1, 2), (3, 4), (50, 50))).tolist() == [2, 3]
    assert answers.combined([], logits()).tolist() == [0, 0]
