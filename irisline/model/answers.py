"""What an answer is, and how the eyes of a person and the people of a picture come to one.

Arithmetic on logits and what they are of. Knows nothing of pixels, networks or files.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from irisline.data.eyes import NO_EYE
from irisline.data.views import Place, View
from irisline.model import calibration
from irisline.model.calibration import Calibration

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


class Reader:
    """Reads logits as answers, by the classes and the calibration of a model."""

    def __init__(self, classes: Sequence[str], calibrated: Calibration) -> None:
        self.classes, self.calibration = list(classes), calibrated

    def answer(self, logits: Logits) -> Prediction:
        """Give the answer that combined logits, float32 (classes,), stand for."""
        shares = self._shares(logits)
        label, confidence = max(shares.items(), key=lambda share: share[1])
        threshold = self.calibration.unsure_threshold
        unsure = confidence < threshold
        reason = f"confidence {confidence:.2f} is below {threshold:.2f}" if unsure else None
        return Prediction(label, shares, confidence, unsure, reason)

    def picture(self, views: Sequence[View], logits: Logits) -> Prediction:
        """Give the answer about a picture from its views and their logits, float32 (views, classes)."""
        answer = self.answer(combined(views, logits))
        if not views:
            return replace(answer, unsure=True, reason=NO_EYE)
        if views[0].place is None:
            return answer
        people = tuple(self._person(views, logits, number) for number in sorted({view.person for view in views}))
        nearest, clash = people[0], _clash(people)
        answer = Prediction(nearest.label, nearest.probabilities, nearest.confidence, nearest.unsure, nearest.reason)
        return replace(answer, unsure=answer.unsure or clash is not None, reason=answer.reason or clash, people=people)

    def _person(self, views: Sequence[View], logits: Logits, number: int) -> Person:
        of_person = [index for index, view in enumerate(views) if view.person == number]
        answer = self.answer(logits[of_person].mean(axis=0))
        places = [(views[index].place, logits[index]) for index in of_person]
        eyes = tuple(Eye(place, self._shares(of_eye)) for place, of_eye in places if place)
        odd = self._odd_eyes(eyes) or _colourless([views[index] for index in of_person])
        unsure, reason = answer.unsure or odd is not None, odd or answer.reason
        return Person(answer.label, answer.probabilities, answer.confidence, unsure, reason, eyes)

    def _odd_eyes(self, eyes: Sequence[Eye]) -> str | None:
        """Say that a person's eyes are of two classes, each surely so."""
        labels = [max(eye.probabilities, key=eye.probabilities.__getitem__) for eye in eyes]
        sure = all(max(eye.probabilities.values()) >= self.calibration.unsure_threshold for eye in eyes)
        return f"one eye looks {labels[0]}, the other {labels[1]}" if sure and len(set(labels)) > 1 else None

    def _shares(self, logits: Logits) -> dict[str, float]:
        probabilities = calibration.softmax(logits[None] / self.calibration.temperature)[0]
        return {name: float(share) for name, share in zip(self.classes, probabilities, strict=True)}


def combined(views: Sequence[View], logits: Logits) -> Logits:
    """Give the logits of a picture, float32 (classes,): the mean over the nearest person's views; zeros without a view."""
    nearest = [index for index, view in enumerate(views) if view.person == 0]
    mean: Logits = logits[nearest].mean(axis=0) if nearest else np.zeros(logits.shape[1], np.float32)
    return mean


def _colourless(views: Sequence[View]) -> str | None:
    """Say that a picture is in grey: nothing in it tells colours apart."""
    spreads = [np.percentile(np.ptp(view.pixels, axis=0), 95) for view in views]
    return "no colour in the picture" if max(spreads) < LEAST_COLOUR else None


def _clash(people: Sequence[Person]) -> str | None:
    """Say that people differ, each surely so: then no one answer is about the picture."""
    labels = {person.label for person in people if not person.unsure}
    return f"{len(people)} people with different answers" if len(labels) > 1 else None
