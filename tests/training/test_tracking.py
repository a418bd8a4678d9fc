"""What a training wants of MLflow comes through processes of their own: nothing of the store reaches the training."""

import subprocess
import sys
from pathlib import Path

import pytest

from irisline.core.errors import ReleaseError
from irisline.core.params import Params
from irisline.release.tracking import live_logging, store
from irisline.training import tracking
from tests.release import conftest as releases

pytestmark = pytest.mark.slow

empty_store, settings, project = releases.empty_store, releases.settings, releases.project
two_versions, published = releases.two_versions, releases.published


def status(settings: Params) -> str:
    client = store.client()
    (run,) = client.search_runs([store.experiment(client, settings.base.name)])
    return str(run.info.status)


def test_the_run_holds_the_epochs_and_the_model_that_came_out(project: Path, settings: Params) -> None:
    with tracking.LiveRun(settings, "key") as live:
        live.epoch(0, {"train_loss": 0.7, "valid_loss": float("nan")})
        live.epoch(1, {"train_loss": 0.5, "valid_loss": 0.4})
        live.finish("abc")
    client = store.client()
    (run,) = client.search_runs([store.experiment(client, settings.base.name)])
    assert (run.info.status, run.data.tags[live_logging.MODEL_DIGEST]) == ("FINISHED", "abc")
    assert run.data.metrics == {"train/train_loss": 0.5, "train/valid_loss": 0.4}


@pytest.mark.parametrize(("raised", "left"), [(ValueError("diverged"), "FAILED"), (KeyboardInterrupt(), "RUNNING")])
def test_a_training_that_failed_is_told_from_one_that_goes_on(
    project: Path, settings: Params, raised: BaseException, left: str
) -> None:
    with pytest.raises(type(raised)), tracking.LiveRun(settings, "key"):
        raise raised
    assert status(settings) == left


@pytest.mark.parametrize("left", [b"", b'{"params": {"ba'], ids=["nothing", "half a line"])
def test_a_training_that_was_killed_leaves_no_traceback(left: bytes) -> None:
    words = [sys.executable, "-m", live_logging.__name__]
    done = subprocess.run(words, input=left, capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")


def test_no_store_costs_one_line_and_no_training(
    project: Path, settings: Params, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with tracking.LiveRun(settings, "key") as live:
        for step in range(1000):  # told to a process that may have ended
            live.epoch(step, {"train_loss": 0.7})
    said = capfd.readouterr().err
    assert said.startswith("train goes on without MLflow: MLflow at http://127.0.0.1:9: cannot be reached")
    assert said.count("\n") == 1


def test_a_version_gives_its_weights_or_the_line_why_not(published: Params) -> None:
    def of(init: str) -> str:
        return tracking.initial(
            published.model_copy(update={"train": published.train.model_copy(update={"init": init})})
        )

    assert Path(of("registry:1").removeprefix("file:")).read_bytes().startswith(b"weights 0.05")
    with pytest.raises(ReleaseError, match="9"):
        of("registry:9")
