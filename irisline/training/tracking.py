"""What a training wants of MLflow, through processes that are started by name: its run, and the weights of a version.

So a store can neither slow a training down nor end it, and no file of release/ decides what is trained.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Self

from irisline.core import console
from irisline.core.errors import ReleaseError
from irisline.core.params import Params

_LOGS = "irisline.release.tracking.live_logging"
_FETCHES = "irisline.release.promotion.initial_weights"
_PATIENCE = 60.0  # seconds that the run may take to be completed once the training is over


class LiveRun:
    """The MLflow run of a training under way. No method raises when the store fails: that is said once, then left."""

    def __init__(self, params: Params, key: str) -> None:
        self._process = subprocess.Popen([sys.executable, "-m", _LOGS], stdin=subprocess.PIPE, text=True)
        self._tell({"params": params.model_dump(mode="json", by_alias=True), "key": key})

    def epoch(self, step: int, metrics: Mapping[str, float]) -> None:
        """Log the numbers of one epoch, counted from 0."""
        self._tell({"step": step, "metrics": metrics})

    def finish(self, digest: str) -> None:
        """Say which model came out, and end the run; publishing completes it later."""
        self._tell({"digest": digest})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End the run as failed when the training raised; one that was interrupted stays open and goes on later."""
        if kind is not None and issubclass(kind, Exception):
            self._tell({"failed": True})
        try:
            with suppress(OSError):
                self._process.communicate(timeout=_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            console.fail("train: MLflow took too long; afterwards, irisline publish completes the run")

    def _tell(self, document: Mapping[str, Any]) -> None:
        assert self._process.stdin
        with suppress(OSError):  # the process has ended, and has said why
            self._process.stdin.write(json.dumps(document) + "\n")
            self._process.stdin.flush()


def initial(params: Params) -> str:
    """Return train.init with a version of the registry replaced by the file of its weights; raise ReleaseError."""
    if not params.train.init.startswith("registry:"):
        return params.train.init
    asked = params.model_dump_json(by_alias=True)
    done = subprocess.run([sys.executable, "-m", _FETCHES], input=asked, stdout=subprocess.PIPE, text=True, check=True)
    told: dict[str, str] = json.loads(done.stdout)
    if "failed" in told:
        raise ReleaseError(told["failed"])
    return told["init"]
