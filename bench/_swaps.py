"""Versions rolled back and forth by the command that people use, while clients ask without a pause."""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from bench import _load, _project
from bench._load import Answered
from bench._servers import Server
from bench._store import Store

PATIENCE = 30.0  # seconds to wait for the other version's first answer
LOOK = 0.02
QUIET = 1.5  # seconds between two rollbacks in which nothing changes


@dataclass(frozen=True)
class Swap:
    """One rollback: its version, and when its command began, when it returned and when the last answer of the other came."""

    version: int
    began: float
    returned: float
    last_old: float

    @property
    def late(self) -> float:
        """Seconds from the command's return to the last answer of the version before."""
        return max(0.0, self.last_old - self.returned)

    def touches(self, answered: Answered) -> bool:
        """Return whether a request was under way while the versions changed."""
        return answered.sent <= max(self.returned, self.last_old) and _came(answered) >= self.began


def under_load(server: Server, store: Store, clients: int, count: int) -> tuple[list[Answered], list[Swap]]:
    """Roll back so often while so many clients ask; give all answers and the swaps."""
    answers: list[Answered] = []
    going = [True]
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(_load.run, server.port, server.requests, clients, lambda: going[0], answers)
        try:
            commands = [_roll(store, 1 + turn % 2, answers) for turn in range(count)]
            time.sleep(QUIET)
        finally:
            going[0] = False
        asking.result()
    return answers, list(_swaps(commands, answers))


def slow(answers: Sequence[Answered], swaps: Sequence[Swap]) -> tuple[float, float]:
    """Return the seconds in which 99 of 100 requests were answered: those under way while a version changed, and all others."""
    touched = [any(swap.touches(one) for swap in swaps) for one in answers]
    during = [one.seconds for one, within in zip(answers, touched, strict=True) if within]
    without = [one.seconds for one, within in zip(answers, touched, strict=True) if not within]
    return float(np.quantile(during, 0.99)), float(np.quantile(without, 0.99))


def version_of(answered: Answered) -> int:
    """Return the version that an answer names; 0 when it names none."""
    try:
        return int(json.loads(answered.body)["model"]["version"])
    except (ValueError, KeyError, TypeError):
        return 0


def _roll(store: Store, version: int, answers: Sequence[Answered]) -> tuple[int, float, float]:
    """Type the command, wait until the version answers; give it with the times of the command."""
    time.sleep(QUIET)
    began = time.perf_counter()
    words = (sys.executable, "-m", "irisline.cli.app", "rollback", "--to", str(version), "--reason", "the bench")
    _project.run(*words, folder=store.project)
    returned = time.perf_counter()
    while not answers or version_of(answers[-1]) != version:
        if time.perf_counter() > returned + PATIENCE:
            raise SystemExit(f"bench: version {version} does not answer {PATIENCE:g} s after irisline rollback")
        time.sleep(LOOK)
    return version, began, returned


def _swaps(commands: Sequence[tuple[int, float, float]], answers: Sequence[Answered]) -> Iterator[Swap]:
    ends = [began for _, began, _ in commands[1:]] + [float("inf")]
    for (version, began, returned), end in zip(commands, ends, strict=True):
        old = [_came(one) for one in answers if began <= _came(one) < end and version_of(one) != version]
        yield Swap(version, began, returned, max(old, default=began))


def _came(answered: Answered) -> float:
    return answered.sent + answered.seconds
