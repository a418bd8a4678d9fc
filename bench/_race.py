"""Servers and the bare loop that take turns at the same pictures; each answer is checked. Knows nothing of claims."""

import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from bench import _ceiling, _contenders, _load, _servers
from bench._ceiling import Ceiling
from bench._contenders import Answer, Contender
from bench._load import Answered
from bench._peers import CORES
from bench._servers import Server
from bench._store import Store

MAX_BATCH = 8  # as the service has it
TOLERANCE = 1e-4  # of a probability


@dataclass(frozen=True)
class Turn:
    """What a contender did in its seconds."""

    rate: float  # images a second
    typical: float  # median seconds of an answer; of a batch, without a server
    slow: float = math.nan  # 99 of 100 answers took less
    wrong: int = 0  # answers that failed or were not what they should be


class Race:
    """All contenders, running."""

    def __init__(
        self, ceiling: Ceiling, servers: Sequence[Server], right: Mapping[str, list[Answer]], seconds: float
    ) -> None:
        self._ceiling, self._right, self._seconds = ceiling, right, seconds
        self._servers = {server.contender.name: server for server in servers}

    def bare(self, clients: int) -> Turn:
        """Let the bare loop work as so many clients let a server work: on all cores, in batches of what would wait."""
        threads = min(CORES, clients)
        return Turn(*self._ceiling.turn(threads, min(MAX_BATCH, math.ceil(clients / threads)), self._seconds))

    def one_by_one(self) -> Turn:
        """Let the bare loop work on all cores, one picture after the other."""
        return Turn(*self._ceiling.turn(CORES, 1, self._seconds))

    def ask(self, name: str, clients: int) -> Turn:
        """Let so many clients ask a server."""
        server = self._servers[name]
        with server.alone():
            started = time.perf_counter()
            answers = _load.run(server.port, server.requests, clients, _load.until(self._seconds))
            rate = len(answers) / (time.perf_counter() - started)
        seconds = [answered.seconds for answered in answers]
        wrong = sum(not is_right(server.contender, answered, self._right[name]) for answered in answers)
        return Turn(rate, median(seconds), float(np.quantile(seconds, 0.99)), wrong)

    def own_cost(self, clients: int) -> float:
        """Return the seconds of a core that the load itself takes for a request, measured on a server that does nothing."""
        server = self._servers[_contenders.NOTHING]
        with server.alone():
            started = time.process_time()
            answers = _load.run(server.port, server.requests, clients, _load.until(self._seconds))
            return (time.process_time() - started) / len(answers)


@contextmanager
def between(store: Store, pictures: Sequence[bytes], folder: Path, seconds: float) -> Iterator[Race]:
    """Yield the race of every contender, once all of them answer; each stands still when it is not its turn."""
    with ExitStack() as stack:
        ceiling = stack.enter_context(_ceiling.running(store.folder(_contenders.VERSION), pictures, folder))
        servers = [
            stack.enter_context(_servers.running(contender, pictures, folder / f"server-{place}"))
            for place, contender in enumerate(_contenders.every(store))
        ]
        for server in servers:
            server.wait()
        for server in servers:
            server.rest()
        contenders = [server.contender for server in servers]
        right = {one.name: _contenders.expected(one, store, _contenders.VERSION, pictures) for one in contenders}
        yield Race(ceiling, servers, right, seconds)


def is_right(contender: Contender, answered: Answered, right: Sequence[Answer]) -> bool:
    """Return whether a request was answered, with what is right for its picture."""
    try:
        said = contender.answer(json.loads(answered.body))
        known = right[answered.asked]
    except (ValueError, KeyError, TypeError, IndexError):
        return False
    near = said.keys() == known.keys() and all(abs(said[name] - known[name]) <= TOLERANCE for name in known)
    return near and answered.status == 200
