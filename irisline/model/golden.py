"""The golden set: pictures kept with a version, and the answers they got, in each precision, when it was registered.

Asked again before a version is promoted, rolled back to, or served. Knows nothing of registries.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from irisline.errors import ModelError
from irisline.model import bundle
from irisline.model.answers import Person, Prediction
from irisline.model.bundle import ANSWERS, Precision
from irisline.model.calibration import Calibration
from irisline.model.classifier import Classifier

# Of a probability: other processors round differently, other models differ by far more. In int8 what is rounded the other
# way is a whole step off.
TOLERANCE: dict[Precision, float] = {"float32": 1e-4, "int8": 2e-2}


def replay(classifier: Classifier, folder: Path, name: str) -> int:
    """Ask a version's golden pictures again; give how many, raise ModelError when an answer is another now."""
    answers = json.loads(bundle.find(ANSWERS[classifier.precision], [folder]).read_text())
    pictures = [(folder / "golden" / answer["file"]).read_bytes() for answer in answers]
    limit = TOLERANCE[classifier.precision]
    if not answers:
        raise ModelError(f"{name}: its golden set is empty; publish it anew")
    for answer, now in zip(answers, classifier.predict(pictures), strict=True):
        drift = max(abs(now.probabilities[label] - share) for label, share in answer["probabilities"].items())
        close = any(gap <= limit for gap in _gaps(now, classifier.calibration))  # rounding may make it sure or unsure
        if not drift <= limit or (now.unsure != answer["unsure"] and not close):  # nor a number that is none
            changed = (
                f"unsure is {str(now.unsure).lower()} now" if drift <= limit else f"by {drift:.2g}, limit {limit:g}"
            )
            raise ModelError(
                f"{name}: answers {answer['file']} of its golden set differently than when it was registered "
                f"({changed}); other code or another onnxruntime is at work here: irisline lineage names its own"
            )
    return len(answers)


def _gaps(answer: Prediction, calibrated: Calibration) -> Iterator[float]:
    """Give how far from its limit is all that has a say in whether an answer is unsure: the picture, its people, their eyes."""
    whole: tuple[Prediction | Person, ...] = (answer, *answer.people)
    eyes = (max(eye.probabilities.values()) for person in answer.people for eye in person.eyes)
    yield from (abs(each - calibrated.unsure_threshold) for each in (*(one.confidence for one in whole), *eyes))
    if calibrated.unlike_distance is not None:
        yield from (abs(one.distance - calibrated.unlike_distance) for one in whole if one.distance is not None)
