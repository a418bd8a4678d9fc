"""Cold and no-op `dvc repro` in a fresh clone. The peers: the stages' own work, and `dvc status`.

The stages' own work is what irisline.core.stage counts: from the call of the stage's function to its end, publishing to the
local MLflow store within. Starting Python, imports at the top of files, and all that DVC does are not own work.
"""

import os
from contextlib import chdir
from functools import partial
from pathlib import Path

from bench import _project
from bench._side_by_side import alternate, at_most, heading, number, ratio, show, timed
from irisline.core import stage

CORES = 2
STAGES = ("collect", "validate", "labels", "augment", "train", "evaluate", "publish")
UP_TO_DATE = "up to date"


def main() -> None:
    """Print the seconds of a cold run and their ratio to the stages' own, then the no-op's ratio to dvc status."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    heading("dvc repro in a fresh clone, the pool pulled, its own DVC cache and MLflow store")
    with _project.scratch() as folder:
        clone = folder / "clone"
        _project.run("git", "clone", "--quiet", str(_project.ROOT), str(clone), folder=folder)
        commit = _project.run("git", "log", "-1", "--format=%h %s", folder=clone).strip()
        print(f"  commit {commit}; what is not committed is not measured", flush=True)
        dvc = partial(_project.run, "dvc", folder=clone, code=clone)
        dvc("pull", "--quiet", "data.dvc", *map(str, clone.glob("pretrain/weights/*.dvc")))
        _cold(clone, timed(partial(dvc, "repro")))
        _no_op({"dvc repro, nothing to do": partial(dvc, "repro"), "dvc status": partial(dvc, "status", "dvc.yaml")})


def _cold(clone: Path, cold: float) -> None:
    with chdir(clone):
        own = {name: time.seconds for name, time in stage.times().items()}
    start = sum(timed(partial(_import, clone, name)) for name in STAGES)
    show({"cold dvc repro": [cold], "the stages' own work": [sum(own.values())]})
    show({f"  {name}": [own[name]] for name in STAGES})
    show({"Python's start and the stages' imports": [start], "the rest: DVC": [cold - sum(own.values()) - start]})
    at_most("cold dvc repro, seconds", cold, 180)
    at_most("cold dvc repro / the stages' own work", cold / sum(own.values()), 1.25)


def _import(clone: Path, name: str) -> None:
    _project.run("python", "-c", f"import pipelines.{name}", folder=clone, code=clone)


def _no_op(commands: dict[str, partial[str]]) -> None:
    for name, command in commands.items():
        if UP_TO_DATE not in (said := command()):
            raise SystemExit(f"bench: {name}: there was something to do\n{said}")
    seconds = alternate(commands, number("BENCH_RUNS", 9))
    show(seconds)
    at_most("no-op dvc repro / dvc status", ratio(*seconds.values()), 1.3)


if __name__ == "__main__":
    main()
