"""The pages of an evaluation: numbers, the table of answers, the gate's verdict and the figures, as files by name."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from irisline.core.params import Evaluate
from irisline.dataset import shards, tables
from irisline.evaluation import figures, metrics, per_class
from irisline.evaluation.evaluate import Answers
from irisline.inference import calibration, saliency
from irisline.inference.classifier import Classifier


def files(
    classifier: Classifier,
    test: Answers,
    folder: Path,
    limits: Evaluate,
    numbers: dict[str, float],
    verdict: dict[str, Any],
) -> dict[str, bytes]:
    """Return the files of reports/evaluate/ for the answers on the test split of a folder of rows."""
    calibrated, every = classifier.calibration, test
    test = test.of_seen()
    probabilities = test.probabilities(calibrated.temperature)
    confidence, correct = probabilities.max(axis=1), ~test.wrong
    worst = biggest_errors(classifier, test, folder, limits.biggest_errors)
    counts = metrics.confusion(probabilities.argmax(axis=1), test.truth, len(classifier.classes))
    looked_at = "Biggest errors, and what the model looked at: lit where covering it lowers the confidence most"
    return {
        "metrics.json": _json(numbers),
        "gate.json": _json(verdict),
        **per_class.files(counts, classifier.classes),
        "predictions.csv": table(classifier, every).encode(),
        "confusion_matrix.png": figures.confusion_matrix(counts, classifier.classes),
        "reliability.png": figures.reliability(probabilities, test.truth, test.probabilities()),
        "risk_coverage.png": figures.risk_coverage(
            confidence, correct, calibrated.unsure_threshold, limits.target_risk
        ),
        "biggest_errors.png": figures.mistakes(worst, f"The {len(worst)} biggest errors of the test split"),
        "saliency.png": figures.mistakes([_explained(classifier, each) for each in worst], looked_at, columns=3),
    }


def table(classifier: Classifier, test: Answers) -> str:
    """Return predictions.csv: one line per test picture."""
    calibrated, classes = classifier.calibration, classifier.classes
    probabilities = test.probabilities(calibrated.temperature)
    shares = [f"probability_{name}" for name in classes]
    columns = ["id", "sha256", "actual", "predicted", *shares, "confidence", "unsure", "loss"]
    rows = []
    losses = calibration.losses(probabilities, test.truth)
    for index, row in enumerate(probabilities):
        predicted, confidence = classes[int(row.argmax())], float(row.max())
        values = [f"{value:.6f}" for value in (*row, confidence)]
        unsure = str(bool(test.unsure[index])).lower()
        actual = classes[test.truth[index]]
        rows.append([test.ids[index], test.digests[index], actual, predicted, *values, unsure, f"{losses[index]:.6f}"])
    return tables.as_csv(columns, rows)


def biggest_errors(classifier: Classifier, test: Answers, folder: Path, count: int) -> list[figures.Mistake]:
    """Return the wrong answers of highest loss, worst first."""
    probabilities = test.probabilities(classifier.calibration.temperature)
    losses = calibration.losses(probabilities, test.truth)
    worst = sorted(np.flatnonzero(test.wrong), key=lambda index: -losses[index])[:count]
    squares = _squares(classifier, folder, {test.ids[index] for index in worst})
    return [
        figures.Mistake(
            square=squares[test.ids[index]],
            name=test.ids[index],
            actual=classifier.classes[test.truth[index]],
            predicted=classifier.classes[int(probabilities[index].argmax())],
            probability=float(probabilities[index].max()),
            loss=float(losses[index]),
        )
        for index in worst
    ]


def _explained(classifier: Classifier, mistake: figures.Mistake) -> figures.Mistake:
    return replace(mistake, heat=saliency.occlusion(classifier, mistake.square))


def _squares(classifier: Classifier, folder: Path, wanted: set[str]) -> dict[str, Any]:
    rows = shards.of_split(folder, "test") if wanted else iter(())
    return {row["id"]: classifier.square(row["image"]) for row in rows if row["id"] in wanted}


def _json(document: dict[str, Any]) -> bytes:
    return (json.dumps(document, indent=2) + "\n").encode()
