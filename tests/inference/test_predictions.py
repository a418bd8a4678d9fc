"""From logits to answers: eyes to a person, people to a picture, and when to be unsure."""

import numpy as np
import pytest

from irisline.dataset.crops import Place, View
from irisline.eyes.wording import WORDING
from irisline.inference import predictions
from irisline.inference.calibration import Calibration
from irisline.inference.out_of_distribution import Gallery
from irisline.inference.predictions import Reader
from irisline.inference.runtime import Outputs

READER = Reader(["blue", "brown"], WORDING, Calibration(1.0, 0.8))
PIXELS = np.stack([np.full((8, 8), level, np.uint8) for level in (150, 110, 90)])  # skin
BLUE, BROWN, DOUBTFUL = (3.0, 0.0), (0.0, 3.0), (0.2, 0.0)


def seen(*people: int) -> list[View]:
    """Return a view of an eye for each person named."""
    return [View(PIXELS, person, Place(0.1 * number, 0.5, 0.02)) for number, person in enumerate(people)]


def logits(*rows: tuple[float, float]) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 2)


def given(*rows: tuple[float, float]) -> Outputs:
    """Return the outputs of a network from before there were features."""
    return Outputs(logits(*rows), np.zeros((len(rows), 0), np.float32))


def test_both_eyes_make_one_answer_and_each_has_its_own() -> None:
    answer = READER.picture(seen(0, 0), given(BLUE, DOUBTFUL))
    assert (answer.label, answer.unsure, answer.reason) == ("blue", False, None)
    assert answer.confidence == pytest.approx(1 / (1 + np.exp(-1.6)))
    (person,) = answer.subjects
    assert [eye.place.x for eye in person.regions] == [0.0, 0.1]
    assert person.regions[0].probabilities["blue"] == pytest.approx(1 / (1 + np.exp(-3)))
    assert person.probabilities == answer.probabilities


def test_a_doubt_by_a_hair_is_told_with_as_many_digits_as_show_it() -> None:
    reader = Reader(["blue", "brown"], WORDING, Calibration(1.0, 0.8178))
    assert reader.picture(seen(0), given((1.5, 0.0))).reason == "confidence 0.8176 is below 0.8178"


def test_without_an_eye_it_is_unsure_whatever_the_threshold() -> None:
    answer = Reader(["blue", "brown"], WORDING, Calibration(1.0, 0.0)).picture([], given())
    assert (answer.unsure, answer.reason, answer.subjects) == (True, WORDING.nothing_found, ())
    assert answer.probabilities == {"blue": 0.5, "brown": 0.5}


def test_one_blue_and_one_brown_eye_are_told() -> None:
    answer = READER.picture(seen(0, 0), given(BLUE, BROWN))
    assert (answer.unsure, answer.reason) == (True, "one eye looks blue, the other brown")
    doubtful = READER.picture(seen(0, 0), given(BROWN, DOUBTFUL))
    assert doubtful.reason is None
    assert doubtful.label == "brown"


def test_a_grey_picture_says_nothing_of_colours() -> None:
    grey = [View(np.full((3, 8, 8), 120, np.uint8), 0, Place(0.5, 0.5, 0.1))]
    answer = READER.picture(grey, given(BLUE))
    assert (answer.unsure, answer.reason) == (True, "no colour in the picture")


def test_people_who_differ_leave_the_picture_unsure_and_are_told_one_by_one() -> None:
    answer = READER.picture(seen(0, 0, 1), given(BLUE, BLUE, BROWN))
    assert (answer.label, answer.unsure, answer.reason) == ("blue", True, "2 people with different answers")
    assert [(person.label, person.unsure) for person in answer.subjects] == [("blue", False), ("brown", False)]
    alike = READER.picture(seen(0, 1), given(BLUE, BLUE))
    assert (alike.label, alike.unsure, len(alike.subjects)) == ("blue", False, 2)


def test_the_nearest_person_decides_and_a_doubtful_one_behind_does_not_matter() -> None:
    answer = READER.picture(seen(0, 1), given(BROWN, DOUBTFUL))
    assert (answer.label, answer.unsure) == ("brown", False)
    assert answer.subjects[1].reason == "confidence 0.55 is below 0.80"


def test_a_whole_picture_has_no_people() -> None:
    answer = READER.picture([View(PIXELS, 0, None)], given(BROWN))
    assert (answer.label, answer.subjects) == ("brown", ())


GALLERY = Gallery(np.array([[1, 0, 0]] * 12, np.float32), ["blue/1.jpg"] * 12, ["blue"] * 12, [""] * 12, [b"jpeg"] * 12)
COMPARED = Reader(["blue", "brown"], WORDING, Calibration(1.0, 0.8, 0.3), GALLERY)
LIKE, UNLIKE = (2.0, 0.5, 0.0), (0.0, 1.0, 0.0)


def compared(*rows: tuple[tuple[float, float], tuple[float, float, float]]) -> Outputs:
    return Outputs(logits(*(row[0] for row in rows)), np.array([row[1] for row in rows], np.float32).reshape(-1, 3))


def test_what_is_unlike_any_training_picture_is_unsure_and_tells_how_far_it_is() -> None:
    answer = COMPARED.picture(seen(0, 0), compared((BLUE, LIKE), (BLUE, UNLIKE)))
    assert (answer.label, answer.unsure) == ("blue", True)
    assert answer.reason == f"unlike any training picture: distance {answer.distance:.3f} is above 0.300"
    alike = COMPARED.picture(seen(0), compared((BLUE, LIKE)))
    assert (alike.unsure, alike.reason) == (False, None)
    assert alike.distance == alike.subjects[0].distance == pytest.approx(1 - 2 / np.hypot(2, 0.5), abs=1e-6)
    assert answer.distance == pytest.approx((1 + alike.distance) / 2)
    whole = COMPARED.picture([View(PIXELS, 0, None)], compared((BLUE, UNLIKE)))
    assert (whole.unsure, whole.distance) == (True, 1.0)


def test_of_several_reasons_the_plainest_is_told() -> None:
    odd = COMPARED.picture(seen(0, 0), compared((BLUE, UNLIKE), (BROWN, UNLIKE)))
    assert odd.reason == "one eye looks blue, the other brown"
    doubtful = COMPARED.picture(seen(0), compared((DOUBTFUL, UNLIKE)))
    assert doubtful.reason == "unlike any training picture: distance 1.000 is above 0.300"
    assert COMPARED.picture([], compared()).reason == WORDING.nothing_found


def test_a_bystander_unlike_any_training_picture_leaves_the_answer_alone() -> None:
    answer = COMPARED.picture(seen(0, 1), compared((BLUE, LIKE), (BROWN, UNLIKE)))
    assert (answer.unsure, answer.subjects[1].unsure) == (False, True)


def test_without_pictures_to_compare_with_there_is_no_distance() -> None:
    answer = READER.picture(seen(0), given(BLUE))
    assert (answer.distance, answer.subjects[0].distance) == (None, None)
    assert READER.nearest(seen(0), given(BLUE)) == []


def test_the_pictures_nearest_to_the_nearest_person_are_told() -> None:
    (near,) = COMPARED.nearest(seen(0, 1), compared((BLUE, UNLIKE), (BROWN, LIKE)))
    assert (near.id, near.distance) == ("blue/1.jpg", 1.0)
    assert COMPARED.nearest([], compared()) == []


def test_logits_of_a_picture_are_the_mean_over_the_nearest_person() -> None:
    assert predictions.combined(seen(0, 0, 1), logits((1, 2), (3, 4), (50, 50))).tolist() == [2, 3]
    assert predictions.combined([], logits()).tolist() == [0, 0]
