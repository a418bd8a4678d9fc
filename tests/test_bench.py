"""Every bench runs at its smallest size and prints what it is for. No figure is asserted: a machine may be busy."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench import _cgroup
from tests.clones import Clone
from tests.planted import ROOT
from tests.release import conftest as releases

pytestmark = pytest.mark.slow

empty_store, settings, two_versions = releases.empty_store, releases.settings, releases.two_versions

SMALLEST = {
    "classes": {"BENCH_CLASSES": "3", "BENCH_SAMPLES": "10"},
    "collect": {
        "BENCH_DRAWN": "4",
        "BENCH_IMAGES": "16",
        "BENCH_RUNS": "1",
        "BENCH_FEW": "16",
        "BENCH_MANY": "32",
    },
    "memory": {"BENCH_DRAWN": "8", "BENCH_FEW": "60", "BENCH_MANY": "80"},
    "prediction": {"BENCH_DRAWN": "4", "BENCH_IMAGES": "8", "BENCH_RUNS": "1"},
    "training": {"BENCH_DRAWN": "4", "BENCH_BATCHES": "1", "BENCH_EPOCHS": "1", "BENCH_RUNS": "1"},
    "validation": {"BENCH_IMAGES": "100", "BENCH_SEEDS": "1"},
}
OF_A_MODEL = {  # these need a workspace with a trained model
    "bombs": {"BENCH_DRAWN": "4", "BENCH_SECONDS": "2"},
    "hostile": {"BENCH_REQUESTS": "40"},
    "serve": {"BENCH_DRAWN": "4", "BENCH_RUNS": "1", "BENCH_SECONDS": "1", "BENCH_SWAPS": "2"},
    "unsure": {"BENCH_DRAWN": "2"},
}


def _run(name: str, folder: Path, sizes: dict[str, str]) -> str:
    words = [sys.executable, "-m", f"bench.{name}"]
    done = subprocess.run(
        words, cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)} | sizes, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _ratios(printed: str) -> list[str]:
    return re.findall(r"^  (\S+(?: \S+)*): -?\d+\.\d{3}(?: \(claim: .*\))?$", printed, re.MULTILINE)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("classes", 3), ("collect", 9), ("memory", 2), ("prediction", 2), ("training", 3), ("validation", 4)],
)
def test_a_bench_prints_its_ratios(name: str, expected: int) -> None:
    assert len(_ratios(_run(name, ROOT, SMALLEST[name]))) == expected


@pytest.mark.parametrize(("name", "expected"), [("hostile", 4), ("serve", 13), ("unsure", 3)])
def test_a_bench_of_a_model_prints_its_ratios(name: str, expected: int, two_versions: Path) -> None:
    assert len(_ratios(_run(name, two_versions, OF_A_MODEL[name]))) == expected


@pytest.mark.skipif(os.getuid() != 0 or not _cgroup.ROOT.is_dir(), reason="only root makes control groups")
def test_the_bench_of_bombs_prints_its_ratios(two_versions: Path) -> None:
    assert len(_ratios(_run("bombs", two_versions, OF_A_MODEL["bombs"]))) == 9


def test_the_bench_of_repro_prints_its_ratios(tiny: Clone, tmp_path: Path) -> None:
    clone = tiny.copy(tmp_path / "clone")
    clone.run("dvc", "push", "--quiet", "data.dvc")
    clone.git("add", "--all")
    clone.git("commit", "--quiet", "--allow-empty", "--message=pool")
    assert _ratios(_run("repro", clone.folder, {"BENCH_RUNS": "1"})) == [
        "cold dvc repro, seconds",
        "cold dvc repro / the stages' own work",
        "no-op dvc repro / dvc status",
    ]


def test_every_bench_is_run_here_and_told_of_in_the_readme() -> None:
    benches = {file.stem for file in (ROOT / "bench").glob("[a-z]*.py")}
    assert benches == {*SMALLEST, *OF_A_MODEL, "repro"}
    readme = (ROOT / "bench/README.md").read_text()
    assert all(f"python -m bench.{name}" in readme for name in benches)
