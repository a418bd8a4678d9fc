"""Peak memory of collect and validate over many pictures and over few. The claim: it does not grow with them.

Counted: the proportional set size (a page that several processes share is counted once) of the stage's process and all
its children, summed, looked at every 50 ms. A peak needs no median: each size runs once.
"""

import subprocess
import sys
import time
from pathlib import Path

import psutil
import yaml

from bench import _pictures, _project
from bench._side_by_side import at_most, heading, number

STAGES = ("collect", "validate")
EVERY = 0.05  # seconds between two looks
MEGABYTE = 2**20


def main() -> None:
    """Print each stage's peak at both sizes, and their ratio."""
    few, many = number("BENCH_FEW", 2_000), number("BENCH_MANY", 20_000)
    heading(f"Peak memory of collect and validate: {many} pictures against {few}")
    with _project.scratch() as folder:
        sources = _pictures.drawn(folder / "drawn", number("BENCH_DRAWN", 300), seed=1)
        project = _project.bare(folder / "project")
        _accept_what_shows_no_eye(project / "params.yaml")
        _pictures.varied(sources, project / "data", range(few))
        low = {name: peak(name, project) for name in STAGES}
        _pictures.varied(sources, project / "data", range(few, many))
        high = {name: peak(name, project) for name in STAGES}
    for name in STAGES:
        at_most(f"{name}, peak at {many} / peak at {few}", high[name] / low[name], 1.5)


def _accept_what_shows_no_eye(params: Path) -> None:
    """Let pictures in which the cut has left no eye pass: they are looked at all the same."""
    document = yaml.safe_load(params.read_text())
    document["validate"]["min_found_share"] = 0.0
    params.write_text(yaml.safe_dump(document))


def peak(name: str, project: Path) -> float:
    """Run a stage in a project; give the most bytes that it and its children held at once, and print them."""
    started = time.perf_counter()
    words = [sys.executable, "-m", f"pipelines.{name}"]
    process = subprocess.Popen(words, cwd=project, env=_project.environment(), stdout=subprocess.PIPE, text=True)
    highest = 0
    while process.poll() is None:
        highest = max(highest, _held(process.pid))
        time.sleep(EVERY)
    said = process.stdout.read().strip() if process.stdout else ""
    if process.returncode:
        raise SystemExit(f"bench: {' '.join(words)} gave {process.returncode}")
    print(f"  {said}\n    {highest / MEGABYTE:.0f} MB at the peak, {time.perf_counter() - started:.1f} s", flush=True)
    return highest


def _held(pid: int) -> int:
    try:
        stage = psutil.Process(pid)
        return sum(_proportional(process) for process in (stage, *stage.children(recursive=True)))
    except psutil.NoSuchProcess:
        return 0


def _proportional(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except (psutil.NoSuchProcess, psutil.AccessDenied):  # it has just ended
        return 0


if __name__ == "__main__":
    main()
