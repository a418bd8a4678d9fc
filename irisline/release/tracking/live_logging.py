"""A training run that people can watch in MLflow. A store out of reach costs a warning, never the training.

The training starts this beside itself, and tells it a JSON document a line: {"params", "key"}, then {"step", "metrics"} after
each epoch, at the end {"digest"} or {"failed"}. Without either, the run stays open: the training was interrupted.
"""

import json
import math
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from irisline.core import class_names, console
from irisline.core.errors import ReleaseError
from irisline.core.params import Params, parse
from irisline.release.tracking import lineage, store

if TYPE_CHECKING:
    from mlflow import MlflowClient

TRAIN_KEY = "irisline.train_key"
MODEL_DIGEST = "irisline.model_digest"
CURVES = "train"
BATCH = 100
LONGEST = 6000  # signs that MLflow keeps of a param: a list of a hundred classes may be longer

# What the trained model depends on. The rest may still change before this run is published.
_TRAINING_SECTIONS = ("base", "preprocess", "train")


class LiveRun:
    """The MLflow run of a training under way. No method raises when the store fails: that is said once, then left."""

    def __init__(self) -> None:
        self.client: MlflowClient | None = None
        self.run_id = ""

    def epoch(self, step: int, metrics: dict[str, float]) -> None:
        """Log the numbers of one epoch, counted from 0."""
        self._try(lambda client: log_step(client, self.run_id, step, metrics))

    def finish(self, model_digest: str) -> None:
        """Say which model came out, and end the run; publishing completes it later."""

        def end(client: "MlflowClient") -> None:
            client.set_tag(self.run_id, MODEL_DIGEST, model_digest)
            client.set_terminated(self.run_id, "FINISHED")

        self._try(end)

    def fail(self) -> None:
        """End the run as one whose training has failed."""
        self._try(lambda client: client.set_terminated(self.run_id, "FAILED"))

    def _begin(self, params: Params, key: str) -> None:
        self.client = store.client()
        self._try(lambda client: self._start_or_go_on(client, params, key))

    def _start_or_go_on(self, client: "MlflowClient", params: Params, key: str) -> None:
        experiment = store.experiment(client, params.base.name)
        cut_off = client.search_runs([experiment], f"tags.`{TRAIN_KEY}` = '{key}' and attributes.status = 'RUNNING'")
        if cut_off:
            self.run_id = cut_off[0].info.run_id
            return
        tags = {TRAIN_KEY: key, **lineage.run_tags()}
        self.run_id = client.create_run(experiment, tags=tags, run_name=run_name(params)).info.run_id
        log_params(client, self.run_id, flat({name: part(params, name) for name in _TRAINING_SECTIONS}))

    def _try(self, work: Callable[["MlflowClient"], None]) -> None:
        if self.client is None:
            return
        try:
            with store.one_line_failures():
                work(self.client)
        except ReleaseError as error:
            self._give_up(error)

    def _give_up(self, error: ReleaseError) -> None:
        self.client = None
        console.fail(f"train goes on without MLflow: {error}; afterwards, irisline publish completes the run")


def live_run(params: Params, key: str) -> LiveRun:
    """Return the run of this training; one that was cut off, of the same key and still open, goes on. Never raises."""
    run = LiveRun()
    try:
        run._begin(params, key)
    except ReleaseError as error:
        run._give_up(error)
    return run


def run_name(params: Params) -> str:
    """Return the name people see in the list of runs; an experiment of DVC's brings its own."""
    return os.environ.get("DVC_EXP_NAME") or f"{params.train.arch} {params.train.epochs} epochs"


def part(params: Params, name: str) -> Any:
    """Return one section of the params as plain values."""
    return params.model_dump(by_alias=True)[name]


def flat(document: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the leaves of a nested document by their dotted name; a name that MLflow does not take is written otherwise."""
    leaves: dict[str, Any] = {}
    for name, value in document.items():
        key = prefix + class_names.key(name)
        if isinstance(value, dict):
            leaves |= flat(value, f"{key}.")
        else:
            leaves[key] = value
    return leaves


def log_params(client: "MlflowClient", run_id: str, values: dict[str, Any]) -> None:
    """Log params; those logged before with the same value are left as they are."""
    from mlflow.entities import Param

    for some in _batches([Param(key, str(value)[:LONGEST]) for key, value in values.items()]):
        client.log_batch(run_id, params=some)


def set_tags(client: "MlflowClient", run_id: str, values: dict[str, str]) -> None:
    """Set tags in one request."""
    from mlflow.entities import RunTag

    client.log_batch(run_id, tags=[RunTag(key, value) for key, value in values.items()])


def log_step(client: "MlflowClient", run_id: str, step: int, metrics: dict[str, float], group: str = CURVES) -> None:
    """Log one point of each curve; a number that is not finite is left out."""
    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    finite = {name: value for name, value in metrics.items() if math.isfinite(value)}
    for some in _batches([Metric(f"{group}/{name}", value, now, step) for name, value in finite.items()]):
        client.log_batch(run_id, metrics=some)


def _batches(entries: list[Any]) -> Iterator[list[Any]]:
    """Yield so many at a time as MLflow takes of params in one request; of a hundred classes there are more."""
    return (entries[start : start + BATCH] for start in range(0, len(entries), BATCH))


def main() -> None:
    """Log what a training tells on standard input, until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a person's Ctrl-C is for the training
    told = (json.loads(line) for line in sys.stdin if line.endswith("\n"))  # a killed training leaves half of one
    first = next(told, None)
    if first is None:
        return
    run = live_run(parse(first["params"]), first["key"])
    for news in told:
        if "metrics" in news:
            run.epoch(news["step"], news["metrics"])
        elif "digest" in news:
            run.finish(news["digest"])
        else:
            run.fail()


if __name__ == "__main__":
    main()
