"""Downloading beside its floor and beside a peer, and its memory over many pictures and over few.

The web is a process of this machine with eight hosts. It answers after some milliseconds, as a web does: with none, whoever
keeps nothing of what it reads is an order of magnitude ahead of anyone who hashes, checks and writes it. That is shown, too,
and nothing is claimed of it. The peer is icrawler with as many threads as there are downloads at once.
"""

import shutil
from pathlib import Path
from statistics import median
from tempfile import mkdtemp

from bench import _collectors, _pictures, _project, _web
from bench._collectors import Run
from bench._side_by_side import at_least, at_most, figure, heading, number, ratio, show

Runs = dict[str, list[Run]]

MEGABYTE = 2**20
LIGHTEST, HEAVIEST = 20_000, 40_000  # bytes of a picture


def main() -> None:
    """Print the ratios."""
    count, runs, away = number("BENCH_IMAGES", 5_000), number("BENCH_RUNS", 3), number("BENCH_MILLISECONDS", 10)
    few, many = number("BENCH_FEW", 1_000), number("BENCH_MANY", 20_000)
    heading(f"Downloading: {count} pictures, {_collectors.CONCURRENCY} at once, {_collectors.PER_HOST} of one host")
    with _project.scratch() as folder:
        pictures = _laid_out(folder / "pictures", number("BENCH_DRAWN", 50))
        with _web.running(pictures, away) as port:
            far = _in_turns(("fetch_all", "bare asyncio", "icrawler"), port, count, runs, folder)
        _say(f"answers after {away} ms", far, count)
        with _web.running(pictures, 0) as port:
            near = _in_turns(("fetch_all", "bare asyncio", "bare httpx", "icrawler"), port, count, runs, folder)
            low, high = (_fetched("fetch_all", port, size, folder).peak for size in (few, many))
        _say("answers at once", near, count)
    print(f"  {low / MEGABYTE:.0f} MB at the peak of {few} pictures, {high / MEGABYTE:.0f} MB of {many}", flush=True)
    at_least("throughput / bare asyncio client's", _times(far, "bare asyncio"), 0.7)
    at_least("throughput / icrawler's", _times(far, "icrawler"), 2)
    for name in ("bare asyncio", "bare httpx", "icrawler"):
        figure(f"throughput / {name}'s, answers at once", _times(near, name))
        figure(f"CPU seconds of {name} / of fetch_all, answers at once", _times(near, name, "cpu"))
    at_most(f"memory, peak of {many} / peak of {few}", high / low, 1.2)


def _times(runs: Runs, name: str, what: str = "seconds") -> float:
    """Return how many times as long as fetch_all another takes."""
    return ratio([getattr(run, what) for run in runs[name]], [getattr(run, what) for run in runs["fetch_all"]])


def _say(title: str, runs: Runs, count: int) -> None:
    print(f"  {title}", flush=True)
    show({name: [run.seconds for run in own] for name, own in runs.items()}, count)
    worked = (f"{name} {1000 * median(run.cpu for run in own) / count:.2f}" for name, own in runs.items())
    print(f"    CPU milliseconds a picture: {', '.join(worked)}", flush=True)


def _laid_out(folder: Path, drawn: int) -> Path:
    """Return a folder of pictures of about 30 kB."""
    folder.mkdir(parents=True)
    files = _pictures.drawn(folder.with_name("drawn"), drawn, seed=1)
    for at, data in enumerate(_pictures.photographs(files, LIGHTEST, HEAVIEST)):
        (folder / f"{at:04}.jpg").write_bytes(data)
    return folder


def _in_turns(names: tuple[str, ...], port: int, count: int, runs: int, folder: Path) -> Runs:
    """Return each one's runs; they take turns, every other round backwards, after a short one that is not counted."""
    for name in names:
        _fetched(name, port, min(count, 200), folder)
    done: Runs = {name: [] for name in names}
    for turn in range(runs):
        for name in names[:: -1 if turn % 2 else 1]:
            done[name].append(_fetched(name, port, count, folder))
    return done


def _fetched(name: str, port: int, count: int, folder: Path) -> Run:
    empty = Path(mkdtemp(dir=folder))
    try:
        return _collectors.run(name, port, count, empty)
    finally:
        shutil.rmtree(empty)


if __name__ == "__main__":
    main()
