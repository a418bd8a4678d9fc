"""The bare loop: decode, square, run the network; threads and batches as a server has them, and no server.

A process of its own, as a server is: it is told on standard input how to work, and answers with a line for each turn.
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

from bench import _project
from irisline.inference.classifier import Classifier


class Ceiling:
    """The process, asked for turns."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def turn(self, threads: int, batch: int, seconds: float) -> tuple[float, float]:
        """Work for so long; give images a second, and the median seconds of a batch."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps([threads, batch, seconds]) + "\n")
        self._process.stdin.flush()
        rate, each = json.loads(self._process.stdout.readline())
        return rate, each


@contextmanager
def running(model: Path, pictures: Sequence[bytes], folder: Path) -> Iterator[Ceiling]:
    """Yield the bare loop of a version over pictures, which are put into a folder for it."""
    for place, data in enumerate(pictures):
        (folder / f"{place:04d}.jpg").write_bytes(data)
    words = [sys.executable, "-m", "bench._ceiling", str(model), str(folder)]
    with subprocess.Popen(
        words,
        env=_project.environment(),
        text=True,
        start_new_session=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        yield Ceiling(process)
        assert process.stdin
        process.stdin.close()


def main() -> None:
    """Take turns until nobody asks any more."""
    from bench import _peers

    model, folder = map(Path, sys.argv[1:])
    classifier = _peers.load(model)
    pictures = [file.read_bytes() for file in sorted(folder.glob("*.jpg"))]
    for line in sys.stdin:
        print(json.dumps(_turn(classifier, pictures, *json.loads(line))), flush=True)


def _turn(
    classifier: Classifier, pictures: Sequence[bytes], threads: int, batch: int, seconds: float
) -> tuple[Any, ...]:
    taken: list[list[float]] = [[] for _ in range(threads)]
    started = time.perf_counter()
    working = [
        threading.Thread(target=_loop, args=(classifier, pictures, batch, started + seconds, own)) for own in taken
    ]
    for thread in working:
        thread.start()
    for thread in working:
        thread.join()
    every = [each for own in taken for each in own]
    return batch * len(every) / (time.perf_counter() - started), median(every)


def _loop(classifier: Classifier, pictures: Sequence[bytes], batch: int, end: float, taken: list[float]) -> None:
    for number in count(step=batch):
        if (started := time.perf_counter()) >= end:
            return
        chosen = [pictures[at % len(pictures)] for at in range(number, number + batch)]
        classifier.outputs_of([classifier.look(data) for data in chosen])
        taken.append(time.perf_counter() - started)


if __name__ == "__main__":
    main()
