"""A project of a bench's own: its folder, and commands that run there as a stranger's would. Knows nothing of what they do."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
OURS = ("MLFLOW", "IRISLINE", "DVC", "COV_")  # settings of the person at work, which a measurement must not follow


@contextmanager
def scratch() -> Iterator[Path]:
    """Yield an empty folder that is gone afterwards; TMPDIR says where."""
    with TemporaryDirectory(prefix="irisline-bench-") as folder:
        yield Path(folder)


def bare(folder: Path) -> Path:
    """Return a folder that is enough of a project to run stages in: the shipped params.yaml."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "params.yaml", folder)
    return folder


def environment(code: Path = ROOT) -> dict[str, str]:
    """Return a stranger's environment: this Python's commands, the code of one checkout, no store named."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    path = f"{BIN}{os.pathsep}{kept['PATH']}"
    return kept | {"PATH": path, "PYTHONPATH": str(code), "DO_NOT_TRACK": "1", "DVC_NO_ANALYTICS": "1"}


def run(*words: str, folder: Path, code: Path = ROOT) -> str:
    """Run a command in a folder and give what it prints; raise SystemExit with its output when it fails."""
    done = subprocess.run(words, cwd=folder, env=environment(code), capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"bench: {' '.join(words)} gave {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout
