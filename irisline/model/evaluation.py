"""A classifier against a split: its answers, their calibration and measurement, and the golden set."""

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irisline import console, keyed
from irisline.data import manifest
from irisline.errors import DataError
from irisline.model import bundle, calibration, metrics
from irisline.model.answers import Prediction, combined
from irisline.model.bundle import ANSWERS, NETWORKS
from irisline.model.calibration import Calibration, Floats, Labels
from irisline.model.classifier import Classifier


@dataclass(frozen=True)
class Answers:
    """What a classifier made of the pictures of a split, in their order: logits (n, classes), truth and seen (n,).

    Not seen is a picture without a view, an eye say: its logits are zeros, and it is always unsure.
    """

    ids: list[str]
    digests: list[str]
    truth: Labels
    logits: Floats
    seen: NDArray[np.bool_]

    def given(self, calibrated: Calibration) -> NDArray[np.bool_]:
        """Give which pictures are answered without a warning, (n,)."""
        sure = self.probabilities(calibrated.temperature).max(axis=1) >= calibrated.unsure_threshold
        return np.asarray(sure & self.seen)

    def probabilities(self, temperature: float = 1.0) -> Floats:
        """Give probabilities (n, classes)."""
        return calibration.softmax(self.logits / temperature)

    @property
    def wrong(self) -> NDArray[np.bool_]:
        """Which answers are wrong, (n,)."""
        return np.asarray(self.logits.argmax(axis=1) != self.truth)


def answers(classifier: Classifier, folder: Path, split: str, without: Collection[str] = ()) -> Answers:
    """Give a classifier's answers on a split of accepted rows, without some ids; raise DataError when it has no pictures."""
    seen: list[tuple[str, str, int]] = []

    def pictures(advance: Callable[[int], None]) -> Iterator[bytes]:
        for row in (row for row in manifest.of_split(folder, split) if row["id"] not in without):
            seen.append((row["id"], row["sha256"], classifier.classes.index(row["label"])))
            yield row["image"]
            advance(1)

    with console.progress(f"answer the {split} split", None) as advance:
        read = [(combined(views, logits), bool(views)) for views, logits in classifier.read(pictures(advance))]
    if not read:
        raise DataError(f"{folder}: no pictures in the {split} split; add pictures or raise split.{split}")
    ids, digests, truth = zip(*seen, strict=True)
    logits, views = zip(*read, strict=True)
    return Answers(list(ids), list(digests), np.array(truth), np.stack(logits), np.array(views))


def measure(
    test: Answers, calibrated: Calibration, classes: Sequence[str], samples: int, seed: int
) -> dict[str, float]:
    """Give metrics.json: every metric with its interval, calibration before and after, and what unsure costs and buys."""
    probabilities = test.probabilities(calibrated.temperature)
    given = test.given(calibrated)
    found = metrics.with_intervals(probabilities, test.truth, classes, samples, seed)
    return found | {
        "ece_uncalibrated": metrics.expected_calibration_error(test.probabilities(), test.truth),
        "temperature": calibrated.temperature,
        "unsure_threshold": calibrated.unsure_threshold,
        "coverage": float(given.mean()),
        "selective_risk": float(test.wrong[given].mean()) if given.any() else 0.0,
        "baseline_error_rate": float((len(test.truth) - np.bincount(test.truth).max()) / len(test.truth)),
        "test_images": len(test.truth),
    }


def calibrate(model: Path, folder: Path, without: Collection[str], target_risk: float, target: Path) -> None:
    """Fit the calibration of a model on the valid split of a folder of rows, and write it to the target folder.

    Without the ids of labels that may be wrong: a model that is right about one would learn to doubt itself.
    """
    valid = answers(Classifier.load(model), folder, "valid", without)
    if not valid.seen.any():
        raise DataError(f"{folder}: no eye was found in any picture of the valid split; add pictures that show one")
    calibrated = calibration.fit(valid.logits[valid.seen], valid.truth[valid.seen], target_risk)
    (target / "calibration.json").write_text(calibration.as_json(calibrated))


def classifiers(*folders: Path) -> list[Classifier]:
    """Give the classifier of a model in each precision that these folders hold a network for."""
    held = (precision for precision, name in NETWORKS.items() if bundle.locate(name, folders))
    return [Classifier.load(*folders, precision=precision) for precision in held]


def keep_golden(
    answering: Sequence[Classifier], test: Answers, folder: Path, count: int, seed: int, target: Path
) -> None:
    """Write the golden set: pictures of the test split drawn by key, and the answers they got from each classifier."""
    target.mkdir()
    chosen = set(sorted(test.ids, key=lambda name: keyed.unit(seed, "golden", name))[:count])
    rows = (row for row in manifest.of_split(folder, "test") if row["id"] in chosen)
    pictures = {f"{number:04d}.jpg": row["image"] for number, row in enumerate(rows, start=1)}
    for name, picture in pictures.items():
        (target / name).write_bytes(picture)
    for classifier in answering:
        said = golden_answers(classifier, pictures)
        (target / Path(ANSWERS[classifier.precision]).name).write_text(json.dumps(said, indent=2) + "\n")


def golden_answers(classifier: Classifier, pictures: dict[str, bytes]) -> list[dict[str, Any]]:
    """Give what a classifier answers to golden pictures, by file."""
    said = classifier.predict(list(pictures.values()))
    return [{"file": name, **_of_picture(answer)} for name, answer in zip(pictures, said, strict=True)]


def _of_picture(answer: Prediction) -> dict[str, Any]:
    return {name: value for name, value in vars(answer).items() if name != "people"}


def weight(model: Path) -> tuple[float, float]:
    """Give a model's size in megabytes and its ONNX parity."""
    parity = json.loads((model / "model.json").read_text())["parity"]
    return (model / "model.onnx").stat().st_size / 1e6, float(parity)
