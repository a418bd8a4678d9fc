"""From the bytes of pictures to answers: the only prediction path, for evaluation, the command line and the service.

Owns decoding limits, the square, the network's run, calibration and the decision to be unsure. Knows nothing of
registries, and imports nothing that the serving image must not carry.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from irisline.data import images
from irisline.errors import ModelError
from irisline.model import bundle, calibration, runtime
from irisline.model.bundle import Precision
from irisline.model.runtime import Device, Runtime
from irisline.params import Preprocess

BATCH = 32


@dataclass(frozen=True)
class Prediction:
    """An answer about one picture. Unsure answers carry the reason; their label is the likeliest all the same."""

    label: str
    probabilities: dict[str, float]
    confidence: float
    unsure: bool
    reason: str | None


class Classifier:
    """A model with its preprocessing and calibration."""

    def __init__(self, runner: Runtime, facts: dict[str, object], calibrated: calibration.Calibration) -> None:
        self.runtime, self.calibration = runner, calibrated
        self.classes: list[str] = list(facts["classes"])  # type: ignore[call-overload]
        self.preprocess = Preprocess.model_validate(facts["preprocess"])
        self.digest = str(facts["digest"])
        self.max_side, self.max_pixels = int(str(facts["max_side"])), int(str(facts["max_pixels"]))

    @classmethod
    def load(cls, *folders: Path, device: Device = "cpu", precision: Precision = "float32", threads: int = 0) -> Self:
        """Give the classifier whose files lie in these folders; raise MissingInput or ModelError when they do not."""
        facts_file, calibrated = bundle.find("model.json", folders), bundle.locate("calibration.json", folders)
        runner = runtime.choose(folders, device, precision, threads)
        try:
            facts = json.loads(facts_file.read_text())
            found = calibration.read(calibrated) if calibrated else calibration.NONE
            return cls(runner, facts, found)
        except (ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{facts_file.parent}: not a model of this program: {error}; publish it anew") from error

    @property
    def precision(self) -> Precision:
        """The precision that the network runs in."""
        return self.runtime.precision

    def prepare(self, data: bytes) -> images.Pixels:
        """Give the network's input for one picture, uint8 (3, size, size); raise UnreadableImage."""
        return images.square(
            images.decode(data, self.max_side, self.max_pixels), self.preprocess.size, self.preprocess.fit
        )

    def logits(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Give the network's raw outputs, float32 (n, classes), for uint8 (n, 3, size, size)."""
        return self.runtime.logits(pixels)

    def predict(self, pictures: Sequence[bytes]) -> list[Prediction]:
        """Give one answer per picture; raise UnreadableImage for the first that cannot be decoded."""
        return [self.answer(row) for row in self.logits_of(pictures)]

    def logits_of(self, pictures: Iterable[bytes]) -> Iterator[NDArray[np.float32]]:
        """Give each picture's logits, float32 (classes,), in batches behind the scenes; memory stays bounded."""
        pending = iter(pictures)
        while batch := [self.prepare(data) for data in islice(pending, BATCH)]:
            yield from self.logits(np.stack(batch))

    def answer(self, logits: NDArray[np.float32]) -> Prediction:
        """Give the answer that one picture's logits, float32 (classes,), stand for."""
        probabilities = calibration.softmax(logits[None] / self.calibration.temperature)[0]
        best = int(probabilities.argmax())
        confidence = float(probabilities[best])
        unsure = confidence < self.calibration.unsure_threshold
        reason = f"confidence {confidence:.2f} is below {self.calibration.unsure_threshold:.2f}" if unsure else None
        shares = {name: float(share) for name, share in zip(self.classes, probabilities, strict=True)}
        return Prediction(self.classes[best], shares, confidence, unsure, reason)
