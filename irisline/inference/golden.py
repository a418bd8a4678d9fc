"""The golden set: pictures kept with a version, and the answers they got, in each precision, when it was registered.

Asked again before a version is promoted, rolled back to, or served. Knows nothing of registries.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from irisline.core.errors import ModelError
from irisline.inference.calibration import Calibration
from irisline.inference.classifier import Classifier
from irisline.inference.predictions import Prediction, Subject
from irisline.networks import bundle, version_limits
from irisline.networks.bundle import ANSWERS, Precision

# Of a probability: other processors round differently, other models differ by far more. In int8 what is rounded the other
# way is a whole step off.
TOLERANCE: dict[Precision, float] = {"float32": 1e-4, "int8": 2e-2}


class Kept(BaseModel):
    """What a golden picture was answered."""

    model_config = ConfigDict(frozen=True, strict=True, allow_inf_nan=False)

    file: str = Field(pattern=r"^\w[\w.-]*$", max_length=255)
    probabilities: dict[str, float] = Field(min_length=1)
    unsure: bool


_KEPT = TypeAdapter(Annotated[list[Kept], Field(max_length=version_limits.FILES)])


def replay(classifier: Classifier, folder: Path, name: str) -> int:
    """Ask a version's golden pictures again; give how many, raise ModelError when an answer is another now."""
    answers = _kept(bundle.find(ANSWERS[classifier.precision], [folder]))
    files = (bundle.find(f"golden/{answer.file}", [folder]) for answer in answers)
    pictures = (version_limits.read(file, version_limits.PICTURE_BYTES) for file in files)
    limit = TOLERANCE[classifier.precision]
    if not answers:
        raise ModelError(f"{name}: its golden set is empty; publish it anew")
    for answer, now in zip(answers, classifier.predict(pictures), strict=True):
        if now.probabilities.keys() != answer.probabilities.keys():
            raise ModelError(f"{name}: answers {answer.file} of its golden set with other classes; publish it anew")
        drift = max(abs(now.probabilities[label] - share) for label, share in answer.probabilities.items())
        close = any(gap <= limit for gap in _gaps(now, classifier.calibration))  # rounding may make it sure or unsure
        if not drift <= limit or (now.unsure != answer.unsure and not close):  # nor a number that is none
            changed = (
                f"unsure is {str(now.unsure).lower()} now" if drift <= limit else f"by {drift:.2g}, limit {limit:g}"
            )
            raise ModelError(
                f"{name}: answers {answer.file} of its golden set differently than when it was registered "
                f"({changed}); other code or another onnxruntime is at work here: irisline lineage names its own"
            )
    return len(answers)


def _kept(file: Path) -> list[Kept]:
    """Return the answers that a file holds; raise ModelError when they are none."""
    try:
        return _KEPT.validate_json(version_limits.read(file))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "document"
        raise ModelError(f"{file}: {place[:80]}: {first['msg']}; publish the version anew") from error


def _gaps(answer: Prediction, calibrated: Calibration) -> Iterator[float]:
    """Yield how far from its limit is all that may make an answer unsure: the picture, its subjects, their regions."""
    whole: tuple[Prediction | Subject, ...] = (answer, *answer.subjects)
    regions = (max(each.probabilities.values()) for subject in answer.subjects for each in subject.regions)
    yield from (abs(each - calibrated.unsure_threshold) for each in (*(one.confidence for one in whole), *regions))
    if calibrated.max_distance is not None:
        yield from (abs(one.distance - calibrated.max_distance) for one in whole if one.distance is not None)
