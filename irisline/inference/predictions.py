"""What an answer is, and how the eyes of a person and the people of a picture come to one.

Arithmetic on a network's outputs and what they are of. Knows nothing of how they come about, nor of files.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irisline.dataset.crops import Place, View
from irisline.eyes.finder import NO_EYE
from irisline.inference import calibration
from irisline.inference.calibration import Calibration
from irisline.inference.out_of_distribution import Features, Gallery, Neighbour
from irisline.inference.reasons import Reason, ReasonCode
from irisline.inference.runtime import Outputs

LEAST_COLOUR = 6  # of 255, between an eye's bands where they differ most: grey pictures stored as JPEG have 0 to 2

Logits = NDArray[np.float32]


@dataclass(frozen=True)
class Eye:
    """One eye of a person: where it is, and the probability of each class."""

    place: Place
    probabilities: dict[str, float]


@dataclass(frozen=True)
class Person:
    """The answer about one of the people in a picture."""

    label: str
    probabilities: dict[str, float]
    confidence: float
    unsure: bool
    reason: str | None
    eyes: tuple[Eye, ...]
    distance: float | None = None
    reason_code: ReasonCode | None = None
    value: float | None = None  # that was compared with the limit
    limit: float | None = None


@dataclass(frozen=True)
class Prediction:
    """An answer about one picture. Unsure answers carry the reason; their label is the likeliest all the same.

    It is the answer about the nearest of its people, unless the others are told otherwise; of a whole picture, people is empty.
    """

    label: str
    probabilities: dict[str, float]
    confidence: float
    unsure: bool
    reason: str | None
    people: tuple[Person, ...] = ()
    distance: float | None = None  # cosine, to the nearest training pictures; None where there are none to compare with
    reason_code: ReasonCode | None = None
    value: float | None = None  # that was compared with the limit
    limit: float | None = None


class Reader:
    """Reads outputs as answers, by the classes, the calibration and the training pictures of a model."""

    def __init__(self, classes: Sequence[str], calibrated: Calibration, gallery: Gallery | None = None) -> None:
        self.classes, self.calibration, self.gallery = list(classes), calibrated, gallery

    def answer(self, logits: Logits, features: Features) -> Prediction:
        """Return the answer that combined logits, float32 (classes,), stand for; the features are of what they combine."""
        shares = self.shares(logits)
        label, confidence = max(shares.items(), key=lambda share: share[1])
        distance = self.gallery.distance(features) if self.gallery and len(features) else None
        reason = self._out_of_distribution(distance) or self._doubtful(confidence)
        return Prediction(label, shares, confidence, **_told(reason), distance=distance)

    def picture(self, views: Sequence[View], outputs: Outputs) -> Prediction:
        """Return the answer about a picture from its views and what the network gives of them."""
        if not views or views[0].place is None:
            answer = self.answer(combined(views, outputs.logits), outputs.features)
            return answer if views else replace(answer, **_told(Reason(ReasonCode.NOTHING_FOUND, NO_EYE)))
        people = tuple(self._person(views, outputs, number) for number in sorted({view.person for view in views}))
        nearest = people[0]
        reason = _reason(nearest) or _clash(people)
        return Prediction(
            nearest.label,
            nearest.probabilities,
            nearest.confidence,
            **_told(reason),
            people=people,
            distance=nearest.distance,
        )

    def nearest(self, views: Sequence[View], outputs: Outputs) -> list[Neighbour]:
        """Return the training pictures nearest to the nearest person; none without a view, or where none are kept."""
        return self.gallery.nearest(outputs.features[_of(0, views)]) if self.gallery and views else []

    def shares(self, logits: Logits) -> dict[str, float]:
        """Return the probability of each class, for logits float32 (classes,)."""
        probabilities = calibration.softmax(logits[None] / self.calibration.temperature)[0]
        return {name: float(share) for name, share in zip(self.classes, probabilities, strict=True)}

    def _person(self, views: Sequence[View], outputs: Outputs, number: int) -> Person:
        own = _of(number, views)
        logits = outputs.logits[own]
        answer = self.answer(logits.mean(axis=0), outputs.features[own])
        places = zip((views[index].place for index in own), logits, strict=True)
        eyes = tuple(Eye(place, self.shares(of_eye)) for place, of_eye in places if place)
        reason = self._odd_eyes(eyes) or _colourless([views[index] for index in own]) or _reason(answer)
        return Person(
            answer.label,
            answer.probabilities,
            answer.confidence,
            **_told(reason),
            eyes=eyes,
            distance=answer.distance,
        )

    def _out_of_distribution(self, distance: float | None) -> Reason | None:
        limit = self.calibration.unlike_distance
        if distance is None or limit is None or distance <= limit:
            return None
        sentence = "unlike any training picture: distance {} is above {}".format(*_apart(distance, limit, 3))
        return Reason(ReasonCode.OUT_OF_DISTRIBUTION, sentence, distance, limit)

    def _doubtful(self, confidence: float) -> Reason | None:
        limit = self.calibration.unsure_threshold
        if confidence >= limit:
            return None
        sentence = "confidence {} is below {}".format(*_apart(confidence, limit, 2))
        return Reason(ReasonCode.LOW_CONFIDENCE, sentence, confidence, limit)

    def _odd_eyes(self, eyes: Sequence[Eye]) -> Reason | None:
        """Say that a person's eyes are of two classes, each surely so."""
        labels = [max(eye.probabilities, key=eye.probabilities.__getitem__) for eye in eyes]
        sure = all(max(eye.probabilities.values()) >= self.calibration.unsure_threshold for eye in eyes)
        if not sure or len(set(labels)) < 2:
            return None
        return Reason(ReasonCode.REGIONS_DISAGREE, f"one eye looks {labels[0]}, the other {labels[1]}")


def combined(views: Sequence[View], logits: Logits) -> Logits:
    """Return the logits of a picture, float32 (classes,): the mean over the nearest person's views; zeros without a view."""
    nearest = _of(0, views)
    mean: Logits = logits[nearest].mean(axis=0) if nearest else np.zeros(logits.shape[1], np.float32)
    return mean


def _told(reason: Reason | None) -> dict[str, Any]:
    """Return what an answer tells of a reason."""
    if reason is None:
        return {"unsure": False, "reason": None}
    told = {"reason_code": reason.code, "value": reason.value, "limit": reason.limit}
    return {"unsure": True, "reason": reason.sentence, **told}


def _reason(answer: Prediction | Person) -> Reason | None:
    """Return the reason that an answer tells."""
    if answer.reason is None or answer.reason_code is None:
        return None
    return Reason(answer.reason_code, answer.reason, answer.value, answer.limit)


def _apart(one: float, other: float, digits: int) -> tuple[str, str]:
    """Return two numbers that differ with so many digits, or as many more as show it."""
    while (told := (f"{one:.{digits}f}", f"{other:.{digits}f}"))[0] == told[1]:
        digits += 1
    return told


def _of(person: int, views: Sequence[View]) -> list[int]:
    return [index for index, view in enumerate(views) if view.person == person]


def _colourless(views: Sequence[View]) -> Reason | None:
    """Say that a picture is in grey: nothing in it tells colours apart."""
    spreads = [np.percentile(np.ptp(view.pixels, axis=0), 95) for view in views]
    if max(spreads) >= LEAST_COLOUR:
        return None
    return Reason(ReasonCode.NO_COLOUR, "no colour in the picture", float(max(spreads)), LEAST_COLOUR)


def _clash(people: Sequence[Person]) -> Reason | None:
    """Say that people differ, each surely so: then no one answer is about the picture."""
    labels = {person.label for person in people if not person.unsure}
    if len(labels) < 2:
        return None
    return Reason(ReasonCode.SUBJECTS_DISAGREE, f"{len(people)} people with different answers")
