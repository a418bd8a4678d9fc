"""The pages of an evaluation of a hundred classes. The claim: each takes at most 5 s.

Counted: seconds of the processor, which a busy machine stretches less than the clock's.
"""

import resource
import time
from collections.abc import Callable

import numpy as np

from bench._side_by_side import at_most, heading, number
from irisline.evaluation import figures, metrics, per_class
from irisline.inference import calibration

PICTURES = 20  # of each class
LIMIT = 5.0  # seconds


def main() -> None:
    """Print the seconds of each part as a share of the limit, and the peak of memory."""
    classes, samples = number("BENCH_CLASSES", 102), number("BENCH_SAMPLES", 2000)
    heading(
        f"Pages of an evaluation of {classes} classes, {PICTURES * classes} pictures, {samples} draws of the bootstrap"
    )
    probabilities, truth = answers(classes)
    counts = metrics.confusion(probabilities.argmax(axis=1), truth, classes)
    names = [f"class number {index}" for index in range(classes)]
    parts: dict[str, Callable[[], object]] = {
        "metrics with intervals": lambda: metrics.with_intervals(probabilities, truth, samples, seed=0),
        "confusion matrix": lambda: figures.confusion_matrix(counts, names),
        "tables and figure of classes": lambda: per_class.files(counts, names),
    }
    for name, made in parts.items():
        before, started = _peak(), time.process_time()
        made()
        seconds = time.process_time() - started
        print(f"  {name}: {seconds:.1f} s, {_peak() - before:.0f} MB more at the peak", flush=True)
        at_most(f"{name}, seconds / {LIMIT:.0f}", seconds / LIMIT, 1.0)


def answers(classes: int) -> tuple[calibration.Floats, calibration.Labels]:
    """Return random probabilities, mostly right and often wrong towards the next class, and the true classes."""
    rng = np.random.default_rng(0)
    truth = np.arange(PICTURES * classes) % classes
    near = 1.5 * np.eye(classes)[(truth + 1) % classes] * (rng.random((len(truth), 1)) < 0.4)
    return calibration.softmax(rng.normal(0, 1, (len(truth), classes)) + 3 * np.eye(classes)[truth] + near), truth


def _peak() -> float:
    """Return the most megabytes that this process held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
