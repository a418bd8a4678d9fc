"""A run that is killed anywhere goes on by the same command, and no half-written output is taken for whole."""

import json
import random
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


@pytest.mark.parametrize("stage", STAGES)
def test_killed_at_several_points_of_a_stage_the_same_command_goes_on(stage: str, whole: Clone, tmp_path: Path) -> None:
    clone = whole.copy(tmp_path / "clone")
    clone.forget(STAGES[STAGES.index(stage) :])
    seconds = json.loads((whole.folder / f"artifacts/scratch/times/{stage}.json").read_text())["seconds"]
    chance = random.Random(stage)
    struck = 0
    for share in (0.2, 0.6, 0.95):
        process = clone.start("dvc", "repro", stage)
        time.sleep(1.0 + seconds * share * chance.uniform(0.9, 1.1))
        struck += process.poll() is None
        kill(process)
        _no_output_is_half_written(clone, whole)
    assert struck >= 2  # else nothing was killed while it ran
    ended = clone.make("repro")
    assert "Traceback" not in ended.stdout + ended.stderr
    assert _digests(clone) == _digests(whole)


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
