"""Stores that may only be read are read; what writes says in one line why it cannot, and does it once it can."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from irisline.core.params import Params
from irisline.release.promotion import registry
from irisline.release.publishing import publishing
from irisline.release.tracking import versions
from tests.release.conftest import BLUE, Train
from tests.release.tracking.test_store import free_port, wait_for


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[None]:
    """Have a file system there while the block runs."""
    done = subprocess.run(["mount", *options, folder], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("no right to mount")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def typed(*words: str) -> "subprocess.CompletedProcess[str]":
    """Type a command as people do, in a process of its own: nothing may be printed beside what it says."""
    return subprocess.run(
        [sys.executable, "-m", "irisline.cli.app", *words], capture_output=True, text=True, check=False
    )


@pytest.fixture
def read_only(train: Train, settings: Params, project: Path) -> Iterator[Path]:
    """Yield a project with two versions, the first live, on a file system that may only be read."""
    for weight in (0.05, 0.06):
        train(weight=weight)
        publishing.publish(settings)
    registry.promote(settings, 1)
    shutil.rmtree(versions._KEPT)
    Path("blue.jpg").write_bytes(BLUE)
    shutil.copytree(Path(__file__).parents[3] / "service", "service")
    with mounted(project, "--bind", str(project)):
        subprocess.run(["mount", "-o", "remount,ro,bind", project], check=True)
        os.chdir(project)  # else the folder below the mount is meant
        yield project


@pytest.mark.slow
def test_a_store_that_may_only_be_read_is_read_and_every_change_is_one_line(read_only: Path) -> None:
    for command in ("versions", "history", "lineage 1", "live-at 2999-01-01", "predict blue.jpg --no-draw", "summary"):
        done = typed(*command.split())
        assert (done.returncode, done.stderr) == (0, ""), command
    drawn = typed("predict", "blue.jpg")
    assert (drawn.returncode, drawn.stderr.count("\n")) == (0, 1)
    assert drawn.stderr.startswith("not drawn: reports/predict/")
    for command in ("publish", "promote 2", "rollback --to 2"):
        done = typed(*command.split())
        assert (done.returncode, done.stderr.count("\n")) == (1, 1), (command, done.stderr)
    assert "Read-only file system; it may only be read there; make it writable" in typed("promote", "2").stderr


@pytest.mark.slow
def test_a_store_that_may_only_be_read_is_served(read_only: Path) -> None:
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-m", "irisline.cli.app", "serve", "--version", "1", "--port", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        try:
            wait_for(f"http://127.0.0.1:{port}/readyz")
        finally:
            process.terminate()


@pytest.mark.slow
@pytest.mark.parametrize("room", [0, 40, 400])
def test_a_full_disk_at_any_time_is_one_line_and_nothing_is_lost(
    room: int, train: Train, settings: Params, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train()
    disk = project.with_name(f"{project.name}_disk")
    disk.mkdir()
    with mounted(disk, "-t", "tmpfs", "-o", "size=12m", "tmpfs"):
        shutil.copytree(project, disk, dirs_exist_ok=True)
        monkeypatch.chdir(disk)
        free = shutil.disk_usage(disk).free - room * 1024
        Path("fill").write_bytes(b"\0" * free)
        done = typed("publish")
        assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
        assert "No space left on device; free some space" in done.stderr
        Path("fill").unlink()
        assert typed("publish").returncode == 0
        assert registry.promote(settings).after == 1
        assert [version.broken for version in registry.listing(settings)] == [""]
