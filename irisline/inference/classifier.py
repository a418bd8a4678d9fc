"""From the bytes of pictures to answers: the only prediction path, for evaluation, the command line and the service.

Owns decoding limits, what is looked at, and the network's run. Knows nothing of registries, and imports nothing that the
serving image must not carry.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr, ValidationError

from irisline.core.errors import ModelError
from irisline.core.params import Preprocess
from irisline.dataset import crops, images
from irisline.dataset.crops import View
from irisline.dataset.images import Pixels
from irisline.domains import wording
from irisline.inference import calibration, runtime
from irisline.inference.out_of_distribution import Gallery
from irisline.inference.predictions import Prediction, Reader
from irisline.inference.runtime import Device, Outputs, Runtime
from irisline.networks import bundle, version_limits
from irisline.networks.bundle import NEIGHBOURS, Precision


class Facts(BaseModel):
    """What model.json says that answers depend on."""

    model_config = ConfigDict(frozen=True)

    classes: list[Annotated[StrictStr, Field(min_length=1)]] = Field(min_length=2)
    preprocess: Preprocess
    max_side: StrictInt = Field(gt=0)
    max_pixels: StrictInt = Field(gt=0)
    digest: StrictStr


class Classifier:
    """A model with its preprocessing and calibration."""

    def __init__(
        self, runner: Runtime, facts: Facts, calibrated: calibration.Calibration, gallery: Gallery | None
    ) -> None:
        self.runtime, self.calibration = runner, calibrated
        self.classes = facts.classes
        self.preprocess, self.digest = facts.preprocess, facts.digest
        self.reader = Reader(self.classes, wording.OF[facts.preprocess.crop], calibrated, gallery)
        self.max_side, self.max_pixels = facts.max_side, facts.max_pixels

    @classmethod
    def load(cls, *folders: Path, device: Device = "cpu", precision: Precision = "float32", threads: int = 0) -> Self:
        """Return the classifier whose files lie in these folders; raise MissingInput or ModelError when they do not."""
        facts_file, calibrated = bundle.find("model.json", folders), bundle.locate("calibration.json", folders)
        compared = bundle.locate(NEIGHBOURS, folders)
        gallery = Gallery.read(compared) if compared else None
        runner = runtime.choose(folders, device, precision, threads)
        try:
            facts = Facts.model_validate(version_limits.document(facts_file))
            found = calibration.read(calibrated) if calibrated else calibration.NONE
            return cls(runner, facts, found, gallery)
        except ValidationError as error:
            first = error.errors()[0]
            why = f"{'.'.join(map(str, first['loc']))}: {first['msg']}".lstrip(": ")[:200]
            raise ModelError(f"{facts_file.parent}: not a model of this program: {why}; publish it anew") from error

    @property
    def precision(self) -> Precision:
        """The precision that the network runs in."""
        return self.runtime.precision

    def look(self, data: bytes) -> list[View]:
        """Return what the network sees of one picture, none where nothing that is sought is found; raise UnreadableImage."""
        return crops.of(images.decode(data, self.max_side, self.max_pixels), self.preprocess)

    def square(self, data: bytes) -> Pixels:
        """Return the square to show of one picture, uint8 (3, size, size): its first view, else the whole."""
        picture = images.decode(data, self.max_side, self.max_pixels)
        seen = crops.of(picture, self.preprocess)
        return seen[0].pixels if seen else images.square(picture, self.preprocess.size, self.preprocess.fit)

    def logits(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the network's raw outputs, float32 (n, classes), for uint8 (n, 3, size, size)."""
        return self.runtime.run(pixels).logits

    def predict(self, pictures: Iterable[bytes]) -> list[Prediction]:
        """Return one answer per picture; raise UnreadableImage for the first that cannot be decoded."""
        return [self.reader.picture(seen, outputs) for seen, outputs in self.read(pictures)]

    def read(self, pictures: Iterable[bytes]) -> Iterator[tuple[list[View], Outputs]]:
        """Yield each picture's views with what the network gives of them, in batches; memory stays bounded."""
        pending = iter(pictures)
        while batch := [self.look(data) for data in islice(pending, version_limits.BATCH)]:
            yield from zip(batch, self.outputs_of(batch), strict=True)

    def outputs_of(self, batch: Sequence[Sequence[View]]) -> list[Outputs]:
        """Return what the network gives of the views of each picture, version_limits.BATCH at a time: memory is bounded."""
        squares = [view.pixels for seen in batch for view in seen]
        nothing = Outputs(np.zeros((0, len(self.classes)), np.float32), np.zeros((0, 0), np.float32))
        edges = np.cumsum([len(seen) for seen in batch])[:-1]
        runs = [
            self.runtime.run(np.stack(squares[at : at + version_limits.BATCH]))
            for at in range(0, len(squares), version_limits.BATCH)
        ]
        given = Outputs(*map(np.concatenate, zip(*runs, strict=True))) if runs else nothing
        if given.logits.shape[1] != len(self.classes):
            raise ModelError(f"its network tells {given.logits.shape[1]} classes, model.json names {len(self.classes)}")
        parts = (np.split(part, edges) for part in given)
        return [Outputs(*of_picture) for of_picture in zip(*parts, strict=True)]
