"""The edge of a stage: one line and exit 1 for what a person can fix, a traceback for a bug, one of a name at a time."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import yaml
from PIL import Image
from pyarrow import parquet as pq
from safetensors.numpy import save_file

from irisline.core import paths, stage
from irisline.core.params import Params
from tests.core.test_paths import largest_file
from tests.planted import ROOT, document

SCRIPT = """
import sys, time
from pathlib import Path
from irisline.core import stage
from irisline.core.errors import DataError
from irisline.core.params import Params

def work(params: Params) -> None:
    {body}

stage.run(work)
"""


@pytest.fixture
def root(project: Path) -> Path:
    (project / "params.yaml").write_text(yaml.safe_dump(document()))
    return project


def start(root: Path, body: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", SCRIPT.format(body=body)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=root, stdout=pipe, stderr=pipe, text=True, env={"PYTHONPATH": str(ROOT)})


def finish(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def test_an_expected_failure_is_one_line_and_exit_1(root: Path) -> None:
    code, out, err = finish(start(root, "raise DataError('data/: [too] dark, limit is 3; add light')"))
    assert (code, out, err) == (1, "", "work: data/: [too] dark, limit is 3; add light\n")


def test_a_failure_of_many_things_is_a_headline_and_a_line_for_each(root: Path) -> None:
    code, out, err = finish(start(root, "raise DataError('2 limits', ['too [dark]: a\\nb.jpg', 'too\x1bsmall'])"))
    assert (code, out, err) == (1, "", "work: 2 limits\n  too [dark]: a b.jpg\n  too\\x1bsmall\n")


def test_wrong_params_are_one_line_and_exit_1(root: Path) -> None:
    (root / "params.yaml").write_text("base: 3")
    code, _, err = finish(start(root, "pass"))
    assert code == 1
    assert err == "work: params.yaml: base: Input should be a valid dictionary or instance of Base, given 3\n"


def test_a_bug_keeps_its_traceback(root: Path) -> None:
    code, _, err = finish(start(root, "raise KeyError('bug')"))
    assert code == 1
    assert err.startswith("Traceback (most recent call last):")
    assert err.endswith("KeyError: 'bug'\n")


def test_an_interrupt_is_one_line_and_exit_130(root: Path) -> None:
    code, _, err = finish(start(root, "raise KeyboardInterrupt"))
    assert (code, err) == (130, "work: interrupted; the same command goes on from here\n")


def test_telemetry_of_every_dependency_is_off(root: Path) -> None:
    code, out, _ = finish(start(root, "import os; print(os.environ['DO_NOT_TRACK'], os.environ['HF_HUB_OFFLINE'])"))
    assert (code, out) == (0, "1 1\n")


def test_times_hold_the_seconds_of_stages_that_ended_well(root: Path) -> None:
    assert stage.times() == {}
    assert finish(start(root, "time.sleep(0.2)"))[0] == 0
    assert finish(start(root, "raise DataError('no')"))[0] == 1
    assert list(stage.times()) == ["work"]
    assert 0.2 <= stage.times()["work"].seconds < 5


@pytest.mark.parametrize(
    "spoilt", ["", "{", "[]", '{"seconds": "long", "ended": 1}', "[" * 5000, "pipe", "folder", "link"]
)
def test_a_time_that_cannot_be_read_is_not_known(spoilt: str, root: Path) -> None:
    file = root / "artifacts/scratch/times/work.json"
    file.parent.mkdir(parents=True)
    match spoilt:
        case "pipe":
            os.mkfifo(file)
        case "folder":
            file.mkdir()
        case "link":
            file.symlink_to("nowhere")
        case _:
            file.write_text(spoilt)
    assert stage.times() == {}


def test_a_second_run_waits_for_the_first(root: Path) -> None:
    body = "Path('log').open('a').write('in '); {0}; Path('log').open('a').write('out ')"
    first = start(root, body.format("[time.sleep(0.01) for _ in iter(Path('go').exists, True)]"))
    while not (root / "log").exists():
        time.sleep(0.01)
    second = start(root, body.format("pass"))
    assert second.stdout
    assert second.stdout.readline() == "work: another work is still at work here; waiting for it to end\n"
    (root / "go").touch()
    assert (finish(second)[0], finish(first)[0]) == (0, 0)
    assert (root / "log").read_text() == "in out in out "


def test_a_killed_run_leaves_no_lock(root: Path) -> None:
    killed = start(root, "Path('log').touch(); time.sleep(60)")
    while not (root / "log").exists():
        time.sleep(0.01)
    killed.kill()
    finish(killed)
    assert finish(start(root, "pass")) == (0, "", "")


def test_a_disk_that_fails_while_a_stage_works_is_one_line(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def figure(_: Params) -> None:
        with largest_file(4096):
            Image.effect_noise((200, 200), 90).save("figure.png")

    def shard(_: Params) -> None:
        with largest_file(4096):
            pq.write_table(pa.table({"bytes": list(range(100_000))}), "shard.parquet")

    def weights(_: Params) -> None:
        with largest_file(4096):
            save_file({"weights": np.ones(100_000)}, "weights.safetensors")

    shutil.copy(ROOT / "params.yaml", paths.PARAMS)
    for stage_of in (figure, shard, weights):
        with pytest.raises(SystemExit) as ended:
            stage.run(stage_of)
        said = capsys.readouterr().err
        assert (ended.value.code, said.count("\n")) == (1, 1)
        assert said.startswith(f"{stage_of.__name__}: ")
        assert said.endswith("raise it, then run the same command again\n")
