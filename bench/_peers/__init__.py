"""The other ways to serve the same model, each written as its own guide advises. They share the classifier, nothing else."""

import json
import os
from dataclasses import asdict
from pathlib import Path

from irisline.inference import identity
from irisline.inference.classifier import Classifier

CORES = len(os.sched_getaffinity(0))
MODEL = "BENCH_MODEL"


def load(folder: Path | None = None) -> Classifier:
    """Return the classifier of a folder, else of the one in BENCH_MODEL, as the service loads it: one thread for each run."""
    folder = folder or Path(os.environ[MODEL])
    return Classifier.load(folder, precision=identity.verify(folder).precision, threads=1)


def told(classifier: Classifier, data: bytes) -> str:
    """Return the answer about one picture as JSON."""
    (answer,) = classifier.predict([data])
    return json.dumps(asdict(answer), separators=(",", ":"))
