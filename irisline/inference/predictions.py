"""What an answer is, and how the regions of a subject and the subjects of a picture come to one.

Arithmetic on a network's outputs and what they are of. Knows nothing of how they come about, nor of files.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irisline.core.domain import Wording
from irisline.dataset.crops import Place, View
from irisline.inference import calibration
from irisline.inference.calibration import Calibration
from irisline.inference.out_of_distribution import Features, Gallery, Neighbour
from irisline.inference.reasons import Reason, ReasonCode
from irisline.inference.runtime import Outputs

Logits = NDArray[np.float32]


@dataclass(frozen=True)
class Region:
    """A part of a picture that was looked at: where it is, and the probability of each class."""

    place: Place
    probabilities: dict[str, float]


@dataclass(frozen=True)
class Subject:
    """The answer about one of the subjects of a picture, by the regions that are its own."""

    label: str
    probabilities: dict[str, float]
    confidence: float
    unsure: bool
    reason: str | None
    regions: tuple[Region, ...]
    distance: float | None = None
    reason_code: ReasonCode | None = None
    value: float | None = None  # that was compared with the limit
    limit: float | None = None


@dataclass(frozen=True)
class Prediction:
    """An answer about one picture. Unsure answers carry the reason; their label is the likeliest all the same.

    It is the answer about the nearest of its subjects, unless the others are told otherwise; a whole picture has none.
    """

    label: str
    probabilities: dict[str, float]
    confidence: float
    unsure: bool
    reason: str | None
    subjects: tuple[Subject, ...] = ()
    distance: float | None = None  # cosine, to the nearest training pictures; None where there are none to compare with
    reason_code: ReasonCode | None = None
    value: float | None = None  # that was compared with the limit
    limit: float | None = None


class Reader:
    """Reads outputs as answers, by the classes, the wording, the calibration and the training pictures of a model."""

    def __init__(
        self, classes: Sequence[str], words: Wording, calibrated: Calibration, gallery: Gallery | None = None
    ) -> None:
        self.classes, self.words, self.calibration, self.gallery = list(classes), words, calibrated, gallery

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
            nothing = Reason(ReasonCode.NOTHING_FOUND, self.words.nothing_found)
            return answer if views else replace(answer, **_told(nothing))
        numbers = sorted({view.subject for view in views})
        subjects = tuple(self._subject(views, outputs, number) for number in numbers)
        nearest = subjects[0]
        reason = _reason(nearest) or self._clash(subjects)
        return Prediction(
            nearest.label,
            nearest.probabilities,
            nearest.confidence,
            **_told(reason),
            subjects=subjects,
            distance=nearest.distance,
        )

    def nearest(self, views: Sequence[View], outputs: Outputs) -> list[Neighbour]:
        """Return the training pictures nearest to the nearest subject; none without a view, or where none are kept."""
        return self.gallery.nearest(outputs.features[_of(0, views)]) if self.gallery and views else []

    def shares(self, logits: Logits) -> dict[str, float]:
        """Return the probability of each class, for logits float32 (classes,)."""
        probabilities = calibration.softmax(logits[None] / self.calibration.temperature)[0]
        return {name: float(share) for name, share in zip(self.classes, probabilities, strict=True)}

    def _subject(self, views: Sequence[View], outputs: Outputs, number: int) -> Subject:
        own = _of(number, views)
        logits = outputs.logits[own]
        answer = self.answer(logits.mean(axis=0), outputs.features[own])
        places = zip((views[index].place for index in own), logits, strict=True)
        regions = tuple(Region(place, self.shares(of_region)) for place, of_region in places if place)
        colourless = self._colourless([views[index] for index in own])
        reason = self._disagreement(regions) or colourless or _reason(answer)
        return Subject(
            answer.label,
            answer.probabilities,
            answer.confidence,
            **_told(reason),
            regions=regions,
            distance=answer.distance,
        )

    def _out_of_distribution(self, distance: float | None) -> Reason | None:
        limit = self.calibration.max_distance
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

    def _disagreement(self, regions: Sequence[Region]) -> Reason | None:
        """Say that regions of a subject are of two classes, each surely so."""
        labels = [max(each.probabilities, key=each.probabilities.__getitem__) for each in regions]
        sure = all(max(each.probabilities.values()) >= self.calibration.unsure_threshold for each in regions)
        one, *others = dict.fromkeys(labels)
        if not sure or not others:
            return None
        return Reason(ReasonCode.REGIONS_DISAGREE, self.words.regions_disagree.format(one, others[0]))

    def _colourless(self, views: Sequence[View]) -> Reason | None:
        """Say that a picture is in grey, where colours must be told."""
        most, least = (
            max(float(np.percentile(np.ptp(view.pixels, axis=0), 95)) for view in views),
            self.words.least_colour,
        )
        return Reason(ReasonCode.NO_COLOUR, "no colour in the picture", most, least) if most < least else None

    def _clash(self, subjects: Sequence[Subject]) -> Reason | None:
        """Say that subjects differ, each surely so: then no one answer is about the picture."""
        labels = {subject.label for subject in subjects if not subject.unsure}
        if len(labels) < 2:
            return None
        return Reason(ReasonCode.SUBJECTS_DISAGREE, self.words.subjects_disagree.format(len(subjects)))


def combined(views: Sequence[View], logits: Logits) -> Logits:
    """Return the logits of a picture, float32 (classes,): the mean over the nearest subject's views; zeros without a view."""
    nearest = _of(0, views)
    mean: Logits = logits[nearest].mean(axis=0) if nearest else np.zeros(logits.shape[1], np.float32)
    return mean


def _told(reason: Reason | None) -> dict[str, Any]:
    """Return what an answer tells of a reason."""
    if reason is None:
        return {"unsure": False, "reason": None}
    told = {"reason_code": reason.code, "value": reason.value, "limit": reason.limit}
    return {"unsure": True, "reason": reason.sentence, **told}


def _reason(answer: Prediction | Subject) -> Reason | None:
    """Return the reason that an answer tells."""
    if answer.reason is None or answer.reason_code is None:
        return None
    return Reason(answer.reason_code, answer.reason, answer.value, answer.limit)


def _apart(one: float, other: float, digits: int) -> tuple[str, str]:
    """Return two numbers that differ with so many digits, or as many more as show it."""
    while (told := (f"{one:.{digits}f}", f"{other:.{digits}f}"))[0] == told[1]:
        digits += 1
    return told


def _of(subject: int, views: Sequence[View]) -> list[int]:
    return [index for index, view in enumerate(views) if view.subject == subject]
