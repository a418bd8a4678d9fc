"""The edge between a stage and the shell: read params, run one function, say a failure in one line.

Knows nothing of what stages do. One stage of a name runs at a time: a stage whose parent was killed may still be at work.
"""

import atexit
import gc
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter

from irisline.core import console, locks, params, paths
from irisline.core.bounded import plain_files
from irisline.core.errors import IrislineError, UnfitFile

# Every dependency's telemetry is off, and none may reach for a hub.
QUIET = {
    "DO_NOT_TRACK": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DVC_NO_ANALYTICS": "1",
    "BENTOML_DO_NOT_TRACK": "True",
    "HF_HUB_OFFLINE": "1",
    "ORT_DISABLE_TELEMETRY": "1",
}


def collect_garbage_seldom() -> None:
    """Let this process look for cyclic garbage seldom, and not as it ends: else a third of its start and end goes into that.

    Where torch or MLflow are imported, that is a second. For commands, not for what answers for days.
    """
    gc.set_threshold(100_000, 50, 50)
    atexit.register(gc.freeze)


def run(function: Callable[[params.Params], None]) -> None:
    """Run a stage with the project's params; exit 1 with a line, and its details, when it fails as expected."""
    os.environ.update(QUIET)
    name = function.__name__.rstrip("_")
    started = time.monotonic()
    try:
        with paths.disk_errors(), _alone(name):
            function(params.read(paths.PARAMS))
            _note_time(name, time.monotonic() - started)
    except IrislineError as error:
        console.fail(f"{name}: {error}", error.details)
        sys.exit(1)
    except KeyboardInterrupt:
        console.fail(f"{name}: interrupted; the same command goes on from here")
        sys.exit(130)


@dataclass(frozen=True)
class Time:
    """How long a stage took, and when it ended, in seconds (since 1970)."""

    seconds: float
    ended: float


def times() -> dict[str, Time]:
    """Return the time each stage took when it last ran here, by name, as far as it is known."""
    return {file.stem: time for file in sorted(_times_folder().glob("*.json")) if (time := _noted(file))}


def _noted(file: Path) -> Time | None:
    """Return the time that a file notes; None when it cannot be read, for the next run notes it anew."""
    try:
        return TypeAdapter(Time).validate_json(plain_files.read(file))
    except (OSError, UnfitFile, ValueError):
        return None


@contextmanager
def _alone(name: str) -> Iterator[None]:
    lock = paths.SCRATCH / "locks" / name
    with ExitStack() as stack:
        try:
            stack.enter_context(locks.held(lock, wait=False))
        except locks.Held:
            console.say(f"{name}: another {name} is still at work here; waiting for it to end")
            stack.enter_context(locks.held(lock))
        yield


def _note_time(name: str, seconds: float) -> None:
    noted = Time(round(seconds, 3), round(time.time(), 3))
    paths.write_whole(_times_folder() / f"{name}.json", json.dumps(asdict(noted)))


def _times_folder() -> Path:
    return paths.SCRATCH / "times"
