"""What goes wrong at the front door: each gives one line that says what and what to do, and loses nothing."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clones import Clone


@pytest.fixture
def clone(tiny: Clone, tmp_path: Path) -> Clone:
    """Return a clone with a tiny pool, not yet run."""
    return tiny.copy(tmp_path / "clone")


def _mistyped(clone: Clone) -> None:
    clone.change({"train": {"epochs": "four"}})


def _unknown(clone: Clone) -> None:
    clone.change({"collect": {"epoch": 4}})


def _no_pool(clone: Clone) -> None:
    shutil.rmtree(clone.folder / "data")


def _empty_pool(clone: Clone) -> None:
    for label in ("blue", "brown"):
        shutil.rmtree(clone.folder / "data" / label)
        (clone.folder / "data" / label).mkdir()


def _missing_class(clone: Clone) -> None:
    shutil.rmtree(clone.folder / "data/brown")


def _strange_class(clone: Clone) -> None:
    (clone.folder / "data/green").mkdir()


def _unreadable_pool(clone: Clone) -> None:
    for picture in (clone.folder / "data/blue").iterdir():
        picture.write_bytes(b"<html>not a picture</html>")


@pytest.mark.parametrize(
    ("spoil", "stage", "line"),
    [
        (_mistyped, "collect", "collect: params.yaml: train.epochs: "),
        (_unknown, "collect", "collect: params.yaml: collect.epoch: unknown key; valid here: max_side"),
        (_no_pool, "collect", "collect: data/: no pool here; type dvc pull data.dvc"),
        (_empty_pool, "collect", "collect: data/blue/: no pictures of class blue; put some there"),
        (_missing_class, "collect", "collect: data/brown/: no pictures of class brown; put some there"),
        (
            _strange_class,
            "collect",
            "collect: data/green/: not one of base.classes (blue, brown); add it there or move it",
        ),
    ],
    ids=lambda value: value.__name__.strip("_") if callable(value) else "",
)
def test_one_line_says_what_and_what_to_do(clone: Clone, spoil: Callable[[Clone], None], stage: str, line: str) -> None:
    spoil(clone)
    assert _failure(clone, stage).startswith(line)


def test_an_unreadable_pool_stops_at_validate_and_leaves_its_report(clone: Clone) -> None:
    _unreadable_pool(clone)
    clone.run("python", "-m", "pipelines.collect")
    assert "rejected" in _failure(clone, "validate")
    assert (clone.folder / "reports/validate/rejected.csv").read_text().count("readable") >= 12


def test_a_stage_without_its_input_says_which_command_makes_it(clone: Clone) -> None:
    assert _failure(clone, "augment") == "augment: artifacts/validate: no shards here; type dvc repro to make them"
    assert _failure(clone, "evaluate").startswith("evaluate: artifacts/labels: no shards here; type dvc repro")


def test_no_room_for_an_output_is_one_line_and_leaves_nothing_half_written(clone: Clone) -> None:
    limited = "ulimit -f 16; export PYTHONDONTWRITEBYTECODE=1; exec python -m pipelines.collect"
    # Python writes half a .pyc there, and then believes it
    done = clone.run("bash", "-c", limited, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("collect: artifacts/collect: ")
    assert done.stderr.endswith("raise it, then run the same command again\n")
    assert done.stderr.count("\n") == 1
    assert not (clone.folder / "artifacts/collect").exists()


def _failure(clone: Clone, stage: str) -> str:
    done: subprocess.CompletedProcess[str] = clone.run("python", "-m", f"pipelines.{stage}", check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr.strip()


def test_a_pull_that_was_killed_goes_on_and_no_part_is_taken_for_the_pool(clone: Clone) -> None:
    clone.run("dvc", "push", "--quiet", "data.dvc")
    pulled = sorted(file.name for file in (clone.folder / "data/blue").iterdir())
    for picture in pulled[::2]:
        (clone.folder / "data/blue" / picture).unlink()
    (clone.folder / ".dvc/tmp/pulling").touch()
    (clone.folder / ".dvc/tmp/rwlock").write_text("")  # torn by the kill; DVC refuses everything because of it
    clone.make("data")
    assert sorted(file.name for file in (clone.folder / "data/blue").iterdir()) == pulled
    assert not (clone.folder / ".dvc/tmp/pulling").exists()
