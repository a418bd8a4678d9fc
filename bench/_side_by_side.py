"""Contenders that take turns, their medians, and what the ratios say of a claim. Knows nothing of what is measured."""

import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

Seconds = dict[str, list[float]]


def number(name: str, default: int) -> int:
    """Return a size of the measurement: the environment variable of that name, or the default."""
    return int(os.environ.get(name, default))


def heading(title: str) -> None:
    """Print what is measured, and on what."""
    cores = len(os.sched_getaffinity(0))
    print(f"\n{title}\n{_processor()}, {cores} core{'s' * (cores > 1)}, Python {platform.python_version()}", flush=True)


def alternate(contenders: Mapping[str, Callable[[], object]], runs: int, warm_up: bool = True) -> Seconds:
    """Return the seconds of each contender's runs. They take turns, every other round backwards: drift falls on all alike.

    A round to warm up is not counted.
    """
    if warm_up:
        for contender in contenders.values():
            contender()
    seconds: Seconds = {name: [] for name in contenders}
    for turn in range(runs):
        for name in list(contenders)[:: -1 if turn % 2 else 1]:
            seconds[name].append(timed(contenders[name]))
    return seconds


def timed(work: Callable[[], object]) -> float:
    """Return the seconds of wall clock that the work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def ratio(upper: Sequence[float], lower: Sequence[float]) -> float:
    """Return the median of the rounds' ratios: both sides of each were measured right after one another."""
    return median(above / below for above, below in zip(upper, lower, strict=True))


def show(seconds: Mapping[str, Sequence[float]], images: int = 0) -> None:
    """Print the median and every run of each contender; with a count of images, also how many of them in a second."""
    for name, runs in seconds.items():
        speed = f"{images / median(runs):8.1f} images/s" if images else ""
        print(f"  {name:<44}{median(runs):9.3f} s{speed}   runs: {' '.join(f'{run:.3f}' for run in runs)}", flush=True)


def figure(what: str, measured: float) -> None:
    """Print a figure that nothing is claimed of."""
    print(f"  {what}: {measured:.3f}", flush=True)


def at_most(what: str, measured: float, limit: float) -> None:
    """Print a figure and whether it keeps below the claim."""
    _say(what, measured, f"at most {limit:g}", measured <= limit)


def at_least(what: str, measured: float, limit: float) -> None:
    """Print a figure and whether it reaches the claim."""
    _say(what, measured, f"at least {limit:g}", measured >= limit)


def _say(what: str, measured: float, limit: str, holds: bool) -> None:
    print(f"  {what}: {measured:.3f} (claim: {limit}; {'holds' if holds else 'DOES NOT HOLD'})", flush=True)


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").is_file() else []
    named = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())
