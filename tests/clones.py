"""A clone of the project as a stranger gets it, and the commands a stranger types in it."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

import psutil
import yaml

from tests.imports import ROOT

BIN = Path(sys.executable).parent

# The smallest run that is still the whole way: seconds instead of minutes.
TINY: dict[str, dict[str, object]] = {
    "base": {"classes": ["blue", "brown"]},
    "validate": {"min_per_class": 5},
    "split": {"train": 0.5, "valid": 0.25, "test": 0.25},
    "augment": {"variants": 1},
    "preprocess": {"size": 32},
    "train": {"arch": "squeezenet1_1", "init": "scratch", "schedule": "one_cycle", "epochs": 2, "batch_size": 8},
    "evaluate": {"bootstrap_samples": 50, "biggest_errors": 2, "golden_images": 4},
    "gate": {"max_error_rate": 1.0, "max_ece": 1.0, "max_flip_rate": 1.0, "min_expected_flip_rate": 0.0},
}


class Clone:
    """A git clone with the working tree's files, its own DVC cache and its own MLflow store."""

    def __init__(self, folder: Path, **also: str) -> None:
        self.folder = folder
        self.also = also  # in the environment of all that is typed
        self.said: dict[str, str] = {}  # by make, for those who come later

    @classmethod
    def of_the_project(cls, folder: Path) -> Self:
        """Return a clone of the project as it is now."""
        made = cls(folder)
        listed = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True
        )
        for name in listed.stdout.splitlines():
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, folder / name)
        made.git("init", "--quiet", "--initial-branch=main")
        made.git("config", "user.name", "A Stranger")
        made.git("config", "user.email", "stranger@example.org")
        made.git("add", "--all")
        made.git("commit", "--quiet", "--message=clone")
        return made

    def copy(self, folder: Path) -> Self:
        """Return a copy of the clone as it stands."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return type(self)(folder, **self.also)

    @property
    def environment(self) -> dict[str, str]:
        """The stranger's environment: this Python's commands, the clone's own code, no store named."""
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("MLFLOW", "COV_", "IRISLINE", "MAKE", "MFLAGS"))
        }
        return inherited | {
            "PATH": f"{BIN}{os.pathsep}{inherited['PATH']}",
            "PYTHONPATH": str(self.folder),
            "DVC_NO_ANALYTICS": "1",
            "XDG_CONFIG_HOME": str(
                self.folder.with_name(f"{self.folder.name}.configuration")
            ),  # the stranger's own keys
            **self.also,
        }

    def run(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command in the clone; its output is on the result, and in the error when it fails."""
        done = subprocess.run(words, cwd=self.folder, env=self.environment, capture_output=True, text=True)
        if check and done.returncode:
            raise AssertionError(f"{' '.join(words)} gave {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start a command in a process group of its own, so that all of it can be killed; it writes to the log beside."""
        with self.log.open("wb") as log:
            return subprocess.Popen(
                words, cwd=self.folder, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )

    @property
    def log(self) -> Path:
        """What the command that was started last has said."""
        return self.folder.with_name(f"{self.folder.name}.log")

    def git(self, *words: str) -> str:
        """Run git."""
        return subprocess.run(["git", *words], cwd=self.folder, check=True, capture_output=True, text=True).stdout

    def make(self, target: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run make with the dependencies that are installed already."""
        return self.run("make", "--old-file=.venv/installed", f"BIN={BIN}", target, check=check)

    def change(self, changes: dict[str, dict[str, object]]) -> None:
        """Change values of params.yaml."""
        file = self.folder / "params.yaml"
        document = yaml.safe_load(file.read_text())
        for section, values in changes.items():
            document[section] |= values
        file.write_text(yaml.safe_dump(document, sort_keys=False))

    def forget(self, stages: Sequence[str]) -> None:
        """Make stages as if they had never run: no outputs, no lock, no run that DVC remembers, no store."""
        file = self.folder / "dvc.lock"
        lock = yaml.safe_load(file.read_text())
        for stage in stages:
            for out in lock["stages"].pop(stage).get("outs", []):
                _remove(self.folder / out["path"])
        file.write_text(yaml.safe_dump(lock, sort_keys=False))
        for name in (".dvc/cache/runs", "artifacts/scratch", "mlflow.db", "mlartifacts"):
            _remove(self.folder / name)

    def shrink(self, pictures: int = 60) -> None:
        """Make a run take seconds: a small pool of its own, and tiny params."""
        self.change(TINY)
        self.run("irisline", "pool", "--count", str(pictures), "--out", "data", "--seed", "7")
        self.run("dvc", "add", "--quiet", "data")
        self.run("dvc", "pull", "--quiet", *(str(file) for file in self.folder.glob("pretrain/weights/*.dvc")))
        self.git("commit", "--quiet", "--all", "--message=tiny")


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a command and all it started, at once, and wait until all of it is gone with the locks it held."""
    for _ in range(1000):
        with suppress(ProcessLookupError):  # it had ended already
            os.killpg(process.pid, signal.SIGKILL)
        if process.poll() is not None and not _run_on(process.pid):
            return
        time.sleep(0.01)
    raise AssertionError(f"what {process.args!r} started does not end")


def _run_on(group: int) -> bool:
    """Return whether any of a process group still runs: who is dead and not yet buried by its parent holds nothing."""
    for one in psutil.process_iter(["status"]):
        with suppress(ProcessLookupError):
            if os.getpgid(one.pid) == group and one.info["status"] not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD):
                return True
    return False
