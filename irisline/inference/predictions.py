"""What an answer is, and how the eyes of a person and the people of a picture come to one.

Arithmetic on a network's outputs and what they are of. Knows nothing of how they come about, nor of files.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from irisline.dataset.crops import Place, View
from irisline.eyes.finder import NO_EYE
from irisline.inference import calibration
from irisline.inference.calibration import Calibration
from irisline.inference.out_of_distribution import Features, Gallery, Neighbour
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


class Reader:
    """Reads outputs as answers, by the classes, the calibration and the training pictures of a model."""

    def __init__(self, classes: Sequence[str], calibrated: Calibration, gallery: Gallery | None = None) -> None:
        self.classes, self.calibration, self.gallery = list(classes), calibrated, gallery

    def answer(self, logits: Logits, features: Features) -> Prediction:
        """Give the answer that combined logits, float32 (classes,), stand for; the features are of what they combine."""
        shares = self.shares(logits)
        label, confidence = max(shares.items(), key=lambda share: share[1])
        distance = self.gallery.distance(features) if self.gallery and len(features) else None
        reason = self._unlike(distance) or self._doubtful(confidence)
        return Prediction(label, shares, confidence, reason is not None, reason, distance=distance)

    def picture(self, views: Sequence[View], outputs: Outputs) -> Prediction:
        """Give the answer about a picture from its views and what the network gives of them."""
        if not views or views[0].place is None:
            answer = self.answer(combined(views, outputs.logits), outputs.features)
            return answer if views else replace(answer, unsure=True, reason=NO_EYE)
        people = tuple(self._person(views, outputs, number) for number in sorted({view.person for view in views}))
        nearest, clash = people[0], _clash(people)
        unsure, reason = nearest.unsure or clash is not None, nearest.reason or clash
        shares = nearest.probabilities
        return Prediction(nearest.label, shares, nearest.confidence, unsure, reason, people, nearest.distance)

    def nearest(self, views: Sequence[View], outputs: Outputs) -> list[Neighbour]:
        """Give the training pictures nearest to the nearest person; none without a view, or where there are none to compare."""
        return self.gallery.nearest(outputs.features[_of(0, views)]) if self.gallery and views else []

    def shares(self, logits: Logits) -> dict[str, float]:
        """Give the probability of each class, for logits float32 (classes,)."""
        probabilities = calibration.softmax(logits[None] / self.calibration.temperature)[0]
        return {name: float(share) for name, share in zip(self.classes, probabilities, strict=True)}

    def _person(self, views: Sequence[View], outputs: Outputs, number: int) -> Person:
        own = _of(number, views)
        logits = outputs.logits[own]
        answer = self.answer(logits.mean(axis=0), outputs.features[own])
        places = zip((views[index].place for index in own), logits, strict=True)
        eyes = tuple(Eye(place, self.shares(of_eye)) for place, of_eye in places if place)
        odd = self._odd_eyes(eyes) or _colourless([views[index] for index in own])
        unsure, reason = answer.unsure or odd is not None, odd or answer.reason
        return Person(answer.label, answer.probabilities, answer.confidence, unsure, reason, eyes, answer.distance)

    def _unlike(self, distance: float | None) -> str | None:
        limit = self.calibration.unlike_distance
        if distance is None or limit is None or distance <= limit:
            return None
        return "unlike any training picture: distance {} is above {}".format(*_told(distance, limit, 3))

    def _doubtful(self, confidence: float) -> str | None:
        threshold = self.calibration.unsure_threshold
        return "confidence {} is below {}".format(*_told(confidence, threshold, 2)) if confidence < threshold else None

    def _odd_eyes(self, eyes: Sequence[Eye]) -> str | None:
        """Say that a person's eyes are of two classes, each surely so."""
        labels = [max(eye.probabilities, key=eye.probabilities.__getitem__) for eye in eyes]
        sure = all(max(eye.probabilities.values()) >= self.calibration.unsure_threshold for eye in eyes)
        return f"one eye looks {labels[0]}, the other {labels[1]}" if sure and len(set(labels)) > 1 else None


def combined(views: Sequence[View], logits: Logits) -> Logits:
    """Give the logits of a picture, float32 (classes,): the mean over the nearest person's views; zeros without a view."""
    nearest = _of(0, views)
    mean: Logits = logits[nearest].mean(axis=0) if nearest else np.zeros(logits.shape[1], np.float32)
    return mean


def _told(one: float, other: float, digits: int) -> tuple[str, str]:
    """Give two numbers that differ with so many digits, or as many more as show it."""
    while (told := (f"{one:.{digits}f}", f"{other:.{digits}f}"))[0] == told[1]:
        digits += 1
    return told


def _of(person: int, views: Sequence[View]) -> list[int]:
    return [index for index, view in enumerate(views) if view.person == person]


def _colourless(views: Sequence[View]) -> str | None:
    """Say that a picture is in grey: nothing in it tells colours apart."""
    spreads = [np.percentile(np.ptp(view.pixels, axis=0), 95) for view in views]
    return "no colour in the picture" if max(spreads) < LEAST_COLOUR else None


def _clash(people: Sequence[Person]) -> str | None:
    """Say that people differ, each surely so: then no one answer is about the picture."""
    labels = {person.label for person in people if not person.unsure}
    return f"{len(people)} people with different answers" if len(labels) > 1 else None
