"""Attacks upon a service that runs, with good requests between them, and what came of it. Knows nothing of claims."""

import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import count, islice
from pathlib import Path
from random import Random
from typing import Any

import psutil

from bench import _attack, _hostile_requests, _hostile_wire, _load
from bench._attack import Attack, Outcome

CLIENTS = 16  # that attack at the same time
RARELY = 10  # of so many turns of all kinds, one has those that cost a second or more
GOOD = "a good picture"
BUSY = 503  # the one answer above 499 that a service may give on purpose
LOOK = 0.5  # seconds
IDLE = 0.1  # of a core: who uses less has nothing left to do
RESTS = 120.0  # seconds to wait for that
WARM_UP = 3  # turns of every kind until what is kept for good is laid out


@dataclass
class Report:
    """What came of all attacks."""

    statuses: Counter[int] = field(default_factory=Counter)  # of every answer
    silent: int = 0  # connections that got none
    faults: Counter[str] = field(default_factory=Counter)  # what must not be: which attack, and what came of it

    def add(self, attack: Attack, outcome: Outcome, right: dict[str, Any]) -> None:
        """Count what came of one attack; right is the answer to the good picture."""
        self.statuses.update(outcome.statuses)
        self.silent += not outcome.statuses
        for status in outcome.statuses:
            if status >= 500 and status != BUSY:
                self.faults[f"{attack.name}: {status}"] += 1
        if outcome.seconds >= _attack.PATIENCE:
            self.faults[f"{attack.name}: no end"] += 1
        if attack.name == GOOD and outcome.statuses != [BUSY] and answer_of(outcome) != right:
            self.faults[f"{attack.name}: {outcome.statuses} {outcome.body[:200]!r}"] += 1


def kinds(good: bytes, canary: Path, seed: int) -> list[Attack]:
    """Return one attack of every kind."""
    return [*_hostile_requests.every(good, canary), *_hostile_wire.every(good, Random(seed))]


def asked(good: bytes) -> Attack:
    """Return the request that is no attack."""
    return Attack(GOOD, (_load.post("/predict", "image/jpeg", good),))


def answer_of(outcome: Outcome) -> dict[str, Any]:
    """Return the answer without the time it took; nothing when it is none."""
    try:
        document: dict[str, Any] = json.loads(outcome.body)
    except ValueError:
        return {}
    return {name: value for name, value in document.items() if name != "ms"} if outcome.statuses == [200] else {}


def attack(port: int, attacks: Sequence[Attack], good: bytes, most: int, seed: int) -> Report:
    """Do so many attacks, by many clients at once, the kinds in turn and in an order of chance; give what came of them."""
    report, right = Report(), answer_of(_attack.strike(port, asked(good)))
    chosen = list(islice(_in_turn(attacks, asked(good), Random(seed)), most))
    with ThreadPoolExecutor(CLIENTS) as pool:
        for one, outcome in zip(chosen, pool.map(partial(_attack.strike, port), chosen), strict=True):
            report.add(one, outcome, right)
    return report


def resident(process: psutil.Process) -> int:
    """Return the bytes that a process and all it has started hold, once they have worked off what was asked.

    What several share is divided among them.
    """
    deadline = time.monotonic() + RESTS
    while _worked(process) > IDLE * LOOK and time.monotonic() < deadline:
        pass
    return sum(one.memory_full_info().pss for one in (process, *process.children(recursive=True)))


def _worked(process: psutil.Process) -> float:
    """Return the seconds of a core that all of them use within the next look."""
    all_of_it = [process, *process.children(recursive=True)]
    before = [one.cpu_times() for one in all_of_it]
    time.sleep(LOOK)
    now = [one.cpu_times() for one in all_of_it]
    seconds: float = sum(
        later.user + later.system - sooner.user - sooner.system for sooner, later in zip(before, now, strict=True)
    )
    return seconds


def _in_turn(attacks: Sequence[Attack], good: Attack, random: Random) -> Iterator[Attack]:
    for turn in count():
        chosen = [one for one in attacks if turn % RARELY == 0 or not one.rare]
        chosen += [good] * (len(chosen) // 20)
        random.shuffle(chosen)
        yield from chosen
