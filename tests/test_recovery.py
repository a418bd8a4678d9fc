"""A run that is killed anywhere goes on by the same command, and no half-written output is taken for whole.

Nor is a training lost because nobody could write down that it ran.
"""

import json
import random
import sqlite3
import time
from pathlib import Path

import pytest

from tests.clones import Clone, kill

pytestmark = pytest.mark.slow

STAGES = ("collect", "validate", "labels", "augment", "train", "evaluate")
OUTPUTS = tuple(f"artifacts/{stage}" for stage in STAGES)


@pytest.fixture(scope="module")
def whole(tiny: Clone, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """Give a tiny clone whose run was never interrupted."""
    clone = tiny.copy(tmp_path_factory.mktemp("whole") / "clone")
    clone.run("dvc", "repro")
    return clone


def test_killed_at_several_points_of_every_stage_the_same_commands_go_on(whole: Clone, tmp_path: Path) -> None:
    clone = whole.copy(tmp_path / "clone")
    clone.forget(STAGES)
    for stage in STAGES:
        _strike(clone, whole, stage)
        clone.make("unlocked")
        ended = clone.make("repro") if stage == STAGES[-1] else clone.run("dvc", "repro", stage)
        assert "Traceback" not in ended.stdout + ended.stderr
    assert _digests(clone) == _digests(whole)


def test_a_locked_store_costs_a_warning_and_not_the_training(whole: Clone, tmp_path: Path) -> None:
    clone = whole.copy(tmp_path / "clone")
    clone.forget(["train", "evaluate"])
    clone.run("irisline", "versions", check=False)  # makes the store
    with sqlite3.connect(clone.folder / "mlflow.db") as holder:
        holder.execute("BEGIN EXCLUSIVE")
        done = clone.run("dvc", "repro")
    assert "irisline publish" in done.stderr + done.stdout
    assert (clone.folder / "artifacts/train/model.onnx").is_file()
    assert "version 1" in clone.run("irisline", "publish").stdout


def _strike(clone: Clone, whole: Clone, stage: str) -> None:
    """Kill a stage at three points, early, halfway and late; where it ended before, it is made again and struck sooner."""
    seconds = json.loads((whole.folder / f"artifacts/scratch/times/{stage}.json").read_text())["seconds"]
    points = [seconds * share * random.Random(f"{stage} {share}").uniform(0.9, 1.1) for share in (0.2, 0.6, 0.95)]
    while points:
        clone.make("unlocked")  # as make repro does before it
        process = clone.start("dvc", "repro", stage)
        time.sleep(1.0 + points[0])
        ended = process.poll() is not None
        kill(process)
        if ended:
            assert process.returncode == 0, clone.log.read_text()
            clone.forget([stage])
            points = [point * 0.7 for point in points]
        else:
            points.pop(0)
            _no_output_is_half_written(clone, whole)


def _no_output_is_half_written(clone: Clone, whole: Clone) -> None:
    for output in OUTPUTS:
        made = clone.folder / output
        if made.exists():
            assert {file.name for file in made.iterdir()} == {file.name for file in (whole.folder / output).iterdir()}


def _digests(clone: Clone) -> dict[str, bytes]:
    """Give what a run yields, by name: the weights, the tables, the answers."""
    files = [file for output in OUTPUTS for file in (clone.folder / output).rglob("*") if file.is_file()]
    files += [clone.folder / "reports/evaluate/predictions.csv", clone.folder / "reports/validate/rejected.csv"]
    return {str(file.relative_to(clone.folder)): file.read_bytes() for file in files}
