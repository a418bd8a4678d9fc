"""Trainings that people can watch, and that no store can stop."""

from pathlib import Path

import pytest

from irisline.core.params import Params
from irisline.release.tracking import live_logging, store


def test_epochs_are_there_while_the_training_runs(project: Path, settings: Params) -> None:
    run = live_logging.live_run(settings, "key")
    run.epoch(0, {"train_loss": 0.7, "valid_loss": float("nan")})
    run.epoch(1, {"train_loss": 0.5, "valid_loss": 0.4})
    found = store.client().get_run(run.run_id)
    assert found.info.status == "RUNNING"
    assert found.data.metrics == {"train/train_loss": 0.5, "train/valid_loss": 0.4}
    assert found.data.params["train.arch"] == "resnet18"
    assert "gate.max_ece" not in found.data.params  # may still change before this run is published
    run.finish("abc")
    ended = store.client().get_run(run.run_id)
    assert (ended.info.status, ended.data.tags[live_logging.MODEL_DIGEST]) == ("FINISHED", "abc")


def test_a_training_that_was_killed_goes_on_in_its_run(project: Path, settings: Params) -> None:
    killed = live_logging.live_run(settings, "key")
    assert live_logging.live_run(settings, "other").run_id != killed.run_id
    again = live_logging.live_run(settings, "key")
    assert again.run_id == killed.run_id
    again.finish("abc")
    assert live_logging.live_run(settings, "key").run_id != killed.run_id


def test_a_training_that_failed_is_left_as_failed(project: Path, settings: Params) -> None:
    run = live_logging.live_run(settings, "key")
    run.fail()
    assert store.client().get_run(run.run_id).info.status == "FAILED"
    assert live_logging.live_run(settings, "key").run_id != run.run_id


def test_an_experiment_of_dvc_names_the_run(project: Path, settings: Params, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_EXP_NAME", "brave-otter")
    run = live_logging.live_run(settings, "key")
    assert store.client().get_run(run.run_id).info.run_name == "brave-otter"


def test_no_store_costs_one_line(
    project: Path, settings: Params, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    run = live_logging.live_run(settings, "key")
    run.epoch(0, {"train_loss": 0.7})
    run.finish("abc")
    said = capsys.readouterr().err
    assert said.startswith("train goes on without MLflow: MLflow at http://127.0.0.1:9: cannot be reached")
    assert said.endswith("irisline publish completes the run\n")
    assert said.count("\n") == 1


def test_a_store_lost_in_the_middle_costs_one_line(
    project: Path, settings: Params, capsys: pytest.CaptureFixture[str]
) -> None:
    run = live_logging.live_run(settings, "key")
    store.client().delete_run(run.run_id)
    run.epoch(0, {"train_loss": 0.7})
    run.epoch(1, {"train_loss": 0.6})
    assert capsys.readouterr().err.count("train goes on without MLflow") == 1
