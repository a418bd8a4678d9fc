"""The command line's edge: help with an example for each, exit codes, one line for a failure, and speed."""

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from irisline.cli import app

COMMANDS = [command.name for command in app.app.registered_commands]


def irisline(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "irisline.cli.app", *words], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(command: str) -> None:
    shown = CliRunner().invoke(app.app, [command, "--help"])
    assert shown.exit_code == 0
    assert f"Example: irisline {command}" in re.sub(r"\s+", " ", shown.output)


def test_an_expected_failure_is_one_line_and_code_1(project: Path) -> None:
    failed = irisline("versions")
    assert failed.returncode == 1
    assert failed.stdout == ""
    assert re.fullmatch(r"irisline: params\.yaml: not found .*\n", failed.stderr)


@pytest.mark.parametrize(
    "words",
    [
        ["promote", "three"],
        ["live-at"],
        ["fly"],
        ["promote", "--force"],
        ["predict", "a.jpg", "--workspace", "--version", "1"],
    ],
)
def test_a_usage_error_is_code_2(words: list[str], project: Path) -> None:
    assert CliRunner().invoke(app.app, words).exit_code == 2


@pytest.mark.slow
def test_help_is_quick_because_heavy_libraries_stay_out(project: Path) -> None:
    heavy = "{'mlflow', 'torch', 'pandas', 'numpy', 'onnxruntime', 'pyarrow'}"
    probe = f"import sys, irisline.cli.app; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", probe], check=False).returncode == 0
    started = time.monotonic()
    assert irisline("--help").returncode == 0
    assert time.monotonic() - started < 5


def test_an_interrupt_is_code_130_and_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(app.app.registered_commands[1], "callback", interrupted)
    shown = CliRunner().invoke(app.app, [str(COMMANDS[1])])
    assert (shown.exit_code, shown.output) == (130, "")
