"""A classifier against a split: its answers, their calibration and measurement, and the golden set."""

import heapq
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from irisline.core import console, seeding
from irisline.core.bounded import plain_files
from irisline.core.errors import DataError
from irisline.core.params import Evaluate
from irisline.dataset import shards
from irisline.dataset.shards import Row
from irisline.evaluation import metrics
from irisline.inference import calibration
from irisline.inference.calibration import Calibration, Floats, Labels
from irisline.inference.classifier import Classifier
from irisline.inference.out_of_distribution import Gallery
from irisline.inference.predictions import Prediction, combined
from irisline.networks import bundle
from irisline.networks.bundle import ANSWERS, NETWORKS

MOST = 2048  # training pictures that answers are compared with, drawn by key: more cost time with every answer


@dataclass(frozen=True)
class Answers:
    """What a classifier made of the pictures of a split, in their order: logits (n, classes), the others (n,).

    Not seen is a picture without a view: its logits are zeros, which are no answer. Distances are those to
    training pictures, NaN where there is none.
    """

    ids: list[str]
    digests: list[str]
    truth: Labels
    logits: Floats
    seen: NDArray[np.bool_]
    unsure: NDArray[np.bool_]
    distances: Floats

    def of_seen(self) -> Self:
        """Return the answers about the pictures that were seen."""
        return self.where(self.seen)

    def where(self, wanted: NDArray[np.bool_]) -> Self:
        """Return the answers about some of the pictures, by a mask (n,)."""
        kept = np.flatnonzero(wanted)
        ids, digests = [self.ids[at] for at in kept], [self.digests[at] for at in kept]
        truth, logits, unsure = self.truth[kept], self.logits[kept], self.unsure[kept]
        return type(self)(ids, digests, truth, logits, self.seen[kept], unsure, self.distances[kept])

    def probabilities(self, temperature: float = 1.0) -> Floats:
        """Return probabilities (n, classes)."""
        return calibration.softmax(self.logits / temperature)

    @property
    def wrong(self) -> NDArray[np.bool_]:
        """Which pictures got no right answer, (n,): one that was not seen is never credited."""
        return np.asarray((self.logits.argmax(axis=1) != self.truth) | ~self.seen)


def answers(classifier: Classifier, folder: Path, split: str) -> Answers:
    """Return a classifier's answers on a split of accepted rows.

    Raise DataError when it has no pictures, or when nothing was seen in any of a class.
    """
    asked: list[tuple[str, str, int]] = []

    def pictures(advance: Callable[[int], None]) -> Iterator[bytes]:
        for row in shards.of_split(folder, split):
            asked.append((row["id"], row["sha256"], classifier.classes.index(row["label"])))
            yield row["image"]
            advance(1)

    with console.progress(f"answer the {split} split", None) as advance:
        read = [
            (combined(views, outputs.logits), bool(views), answer.unsure, answer.distance)
            for views, outputs in classifier.read(pictures(advance))
            for answer in [classifier.reader.picture(views, outputs)]
        ]
    if not read:
        raise DataError(f"{folder}: no pictures in the {split} split; add pictures or raise split.{split}")
    ids, digests, truth = zip(*asked, strict=True)
    logits, seen, unsure, distances = zip(*read, strict=True)
    told = np.stack(logits), np.array(seen), np.array(unsure), np.array(distances, np.float64)  # None becomes NaN
    found = Answers(list(ids), list(digests), np.array(truth), *told)
    if blind := sorted(set(truth) - set(found.of_seen().truth.tolist())):
        name = classifier.classes[blind[0]]
        words = classifier.reader.words
        raise DataError(
            f"{folder}: {words.nothing_found} in any {name} picture of the {split} split; add some that show {words.target}"
        )
    return found


def measure(test: Answers, calibrated: Calibration, samples: int, seed: int) -> dict[str, float]:
    """Return metrics.json: every metric with its interval, calibration before and after, and what unsure costs and buys.

    Of the pictures in which something was found; coverage is of all, and nothing_found counts the rest.
    """
    coverage, nothing_found = float((~test.unsure).mean()), int((~test.seen).sum())
    test = test.of_seen()
    probabilities = test.probabilities(calibrated.temperature)
    given = ~test.unsure
    found = metrics.with_intervals(probabilities, test.truth, samples, seed)
    return found | {
        "ece_uncalibrated": metrics.expected_calibration_error(test.probabilities(), test.truth),
        "temperature": calibrated.temperature,
        "unsure_threshold": calibrated.unsure_threshold,
        **_out_of_distribution(test, calibrated.max_distance),
        "coverage": coverage,
        "selective_risk": float(test.wrong[given].mean()) if given.any() else 0.0,
        "test_images": len(test.truth),
        "nothing_found": nothing_found,
    }


def _out_of_distribution(test: Answers, threshold: float | None) -> dict[str, float]:
    if threshold is None:
        return {}
    return {
        "out_of_distribution": float((test.distances > threshold).mean()),
        "out_of_distribution_distance": threshold,
    }


def calibrate(
    model: Path,
    folder: Path,
    training: Iterable[Row],
    left_out: Collection[str],
    limits: Evaluate,
    seed: int,
    target: Path,
) -> None:
    """Write the neighbours of a model, of its training rows, and its calibration on the valid split of a folder of rows.

    Temperature and threshold are fitted without the pictures whose labels are suspect: they cannot tell when it is right.
    """
    compared = gather(Classifier.load(model), training, seed)
    (target / bundle.NEIGHBOURS).write_bytes(compared.as_bytes())
    valid = answers(Classifier.load(model, target), folder, "valid").of_seen()
    known = valid.where(np.array([name not in left_out for name in valid.ids]))
    known = known if known.ids else valid
    calibrated = calibration.fit(known.logits, known.truth, limits.target_risk)
    farthest = float(np.quantile(valid.distances, 1 - limits.max_out_of_distribution))
    (target / "calibration.json").write_text(calibration.as_json(replace(calibrated, max_distance=farthest)))


def gather(classifier: Classifier, training: Iterable[Row], seed: int) -> Gallery:
    """Return the gallery of training rows: what is seen of the nearest subject in each of at most MOST, drawn by key."""
    drawn = heapq.nsmallest(MOST, training, key=lambda row: seeding.unit(seed, "neighbours", row["id"]))
    rows = sorted(drawn, key=lambda row: str(row["id"]))
    found = [
        (features, row["id"], row["label"], _credit(row), view.pixels)
        for row, (views, outputs) in zip(rows, classifier.read(row["image"] for row in rows), strict=True)
        for view, features in zip(views, outputs.features, strict=True)
        if view.subject == 0
    ]
    features, *rest = zip(*found, strict=True)
    return Gallery.of(np.stack(features), *rest)


def _credit(row: Row) -> str:
    """Say who made a picture and under which licence it is: whoever shows it must say so."""
    return ", ".join(filter(None, (row.get("author"), row.get("licence"), row.get("page_url"))))


def classifiers(*folders: Path) -> list[Classifier]:
    """Return the classifier of a model in each precision that these folders hold a network for."""
    held = (precision for precision, name in NETWORKS.items() if bundle.locate(name, folders))
    return [Classifier.load(*folders, precision=precision) for precision in held]


def keep_golden(
    answering: Sequence[Classifier], test: Answers, folder: Path, count: int, seed: int, target: Path
) -> None:
    """Write the golden set: pictures of the test split drawn by key, and the answers they got from each classifier."""
    target.mkdir()
    chosen = set(sorted(test.ids, key=lambda name: seeding.unit(seed, "golden", name))[:count])
    rows = [row for row in shards.of_split(folder, "test") if row["id"] in chosen]
    pictures = {f"{number:04d}.jpg": row["image"] for number, row in enumerate(rows, start=1)}
    for name, picture in pictures.items():
        (target / name).write_bytes(picture)
    for classifier in answering:
        answered = zip(golden_answers(classifier, pictures), rows, strict=True)
        said = [{**answer, "sha256": row["sha256"]} for answer, row in answered]  # take-down knows pictures by it
        (target / Path(ANSWERS[classifier.precision]).name).write_text(json.dumps(said, indent=2) + "\n")


def golden_answers(classifier: Classifier, pictures: dict[str, bytes]) -> list[dict[str, Any]]:
    """Return what a classifier answers to golden pictures, by file."""
    said = classifier.predict(list(pictures.values()))
    return [{"file": name, **_of_picture(answer)} for name, answer in zip(pictures, said, strict=True)]


def _of_picture(answer: Prediction) -> dict[str, Any]:
    return {name: value for name, value in vars(answer).items() if name != "subjects"}


def weight(model: Path) -> tuple[float, float]:
    """Return a model's size in megabytes and its ONNX parity."""
    parity = json.loads(plain_files.read(model / "model.json"))["parity"]
    return (model / "model.onnx").stat().st_size / 1e6, float(parity)
