"""Where work runs: this machine's processes, or a Ray cluster. Never what it yields: results keep the order of their items."""

import logging
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from loky import ProcessPoolExecutor

from irisline.core import parent_watch
from irisline.core.errors import IrislineError
from irisline.core.params import Execution

Item = TypeVar("Item")
Result = TypeVar("Result")

IDLE = 20  # seconds after which a worker without work ends
AHEAD = 8  # items in flight for each worker: enough to keep it busy, few enough to bound memory


def map_ordered(function: Callable[[Item], Result], items: Iterable[Item], execution: Execution) -> Iterator[Result]:
    """Yield function(item) for each item, in order, computed by many workers with bounded memory.

    The function must be importable by name. An exception in it reaches the caller.
    """
    workers = execution.workers or len(os.sched_getaffinity(0))
    if execution.engine == "ray":
        yield from _ray(function, items, workers)
    elif workers == 1:
        yield from map(function, items)
    else:
        yield from _processes(function, items, workers)


def _processes(function: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    # loky's workers import the function's module and no more; the standard pool's import the stage that is running.
    own = {"initializer": parent_watch.end_with, "initargs": (os.getpid(),)}
    with ProcessPoolExecutor(workers, timeout=IDLE, **own) as pool:
        yield from _windowed(lambda item: pool.submit(function, item), lambda future: future.result(), items, workers)


def _ray(function: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    try:
        import ray
    except ImportError as error:
        raise IrislineError(
            "params.yaml: execution.engine: ray is not installed; type pip install 'irisline[ray]'"
        ) from error
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nobody is told who runs what
    if not ray.is_initialized():
        ray.init(log_to_driver=False, logging_level=logging.ERROR)
    remote: Any = ray.remote(_call)
    sent = ray.put(function)

    def collect(reference: Any) -> Any:
        try:
            return ray.get(reference)
        except ray.exceptions.RayTaskError as error:
            raise error.cause from error  # its own message is a traceback

    yield from _windowed(lambda item: remote.remote(sent, item), collect, items, workers)


def _call(function: Callable[[Item], Result], item: Item) -> Result:
    """Ray takes plain functions only; this one calls any."""
    return function(item)


def _windowed(
    submit: Callable[[Item], Any], collect: Callable[[Any], Result], items: Iterable[Item], workers: int
) -> Iterator[Result]:
    waiting: deque[Any] = deque()
    for item in items:
        waiting.append(submit(item))
        if len(waiting) >= workers * AHEAD:
            yield collect(waiting.popleft())
    while waiting:
        yield collect(waiting.popleft())
