"""Which precision the CPU serves: int8 if and only if it is faster and answers alike, else float32, with the reason.

Owns the comparison and its stopwatch. Knows nothing of how int8 is made.
"""

import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np

from irisline.evaluation import evaluate, metrics
from irisline.evaluation.evaluate import Answers
from irisline.inference.classifier import Classifier
from irisline.networks.bundle import NETWORKS, Precision

TELLING = 1.05  # times as fast; less is within what the stopwatch errs by
BATCHES = (1, 8)  # a request alone, and what waits under load
SECONDS = 1.0  # of measuring, for each size of batch
LEAST_PAIRS, MOST_PAIRS = 5, 100


@dataclass(frozen=True)
class Choice:
    """The precision the CPU serves, why, and what int8 did; None where it could not be made."""

    chosen: Precision
    reason: str
    speed_ratio: float | None = None  # how many times as fast int8 is, on one thread
    changed_answers: int | None = None  # on the test split: another label, or unsure in one of the two only
    test_images: int | None = None
    int8_error_rate: float | None = None
    int8_ece: float | None = None

    def as_json(self) -> str:
        """Return the choice as precision.json holds it."""
        return json.dumps(asdict(self), indent=2) + "\n"


def choose_for(folders: Sequence[Path], failure: str | None, test: Answers, rows: Path, max_changed: float) -> Choice:
    """Return the choice for the model of these folders: failure says why it has no int8, else it lies there.

    test holds its float32 answers on the test split of a folder of rows.
    """
    if failure:
        return Choice("float32", failure)
    int8 = Classifier.load(*folders, precision="int8")
    theirs = evaluate.answers(int8, rows, "test")
    speed, changed, count = speed_ratio(*folders), changes(test, theirs), len(test.ids)
    chosen, reason = choose(speed, changed, count, max_changed)
    seen = theirs.of_seen()
    ece = metrics.expected_calibration_error(seen.probabilities(int8.calibration.temperature), seen.truth)
    return Choice(chosen, reason, speed, changed, count, float(seen.wrong.mean()), ece)


def choose(speed: float, changed: int, count: int, max_changed: float) -> tuple[Precision, str]:
    """Return the precision and the reason: int8 is so many times as fast, and so many of count answers are others."""
    limit = f"{changed} of {count} test answers, limit is {max_changed:.1%} (gate.max_changed_answers)"
    if changed > max_changed * count:
        return "float32", f"int8 changes {limit}"
    if speed < TELLING:
        return "float32", f"int8 is {speed:.2f} times as fast on one thread, needs {TELLING}"
    return "int8", f"{speed:.1f} times as fast as float32 on one thread, changes {limit}"


def changes(ours: Answers, theirs: Answers) -> int:
    """Return how many answers differ between two runs over the same pictures: by label or by unsure."""
    other_label = ours.logits.argmax(axis=1) != theirs.logits.argmax(axis=1)
    return int((other_label | (ours.unsure != theirs.unsure)).sum())


def speed_ratio(*folders: Path) -> float:
    """Return how many times as fast int8 is as float32 on one thread, for the size of batch where it gains least."""
    float32, int8 = (Classifier.load(*folders, precision=each, threads=1) for each in NETWORKS)
    size = int8.preprocess.size
    batches = [np.zeros((count, 3, size, size), np.uint8) for count in BATCHES]  # what it shows costs no time
    return min(times_as_fast(partial(float32.logits, batch), partial(int8.logits, batch)) for batch in batches)


def times_as_fast(
    slow: Callable[[], object], fast: Callable[[], object], clock: Callable[[], float] = time.thread_time
) -> float:
    """Return how many times as fast the second call is: the median of pairs that alternate, after one pair to warm up.

    The clock is this thread's own processor time, which other programs do not add to.
    """
    _pair(slow, fast, clock)
    started = clock()
    ratios: list[float] = []
    while len(ratios) < LEAST_PAIRS or (len(ratios) < MOST_PAIRS and clock() - started < SECONDS):
        ratios.append(_pair(slow, fast, clock))
    return statistics.median(ratios)


def _pair(slow: Callable[[], object], fast: Callable[[], object], clock: Callable[[], float]) -> float:
    times = [clock()]
    for call in (slow, fast):
        call()
        times.append(clock())
    return (times[1] - times[0]) / (times[2] - times[1])
