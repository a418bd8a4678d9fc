"""What a stranger does, as typed: clone, make repro, a variation, promotion, rollback. The README's transcript."""

import json

import pytest
from mlflow import MlflowClient
from mlflow.entities import FileInfo

from irisline.core import params, paths
from irisline.dataset import shards
from irisline.training.schedule import phases
from tests.clones import Clone

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """Return a clone in which make repro has run once, with the shipped pool and params."""
    made = Clone.of_the_project(tmp_path_factory.mktemp("journey"))
    made.said["repro"] = made.make("repro").stdout
    return made


@pytest.fixture
def store(clone: Clone) -> MlflowClient:
    return MlflowClient(f"sqlite:///{clone.folder}/mlflow.db")


def test_make_repro_ends_with_a_champion_and_a_summary(clone: Clone, store: MlflowClient) -> None:
    assert "eye-colour version 1 (champion); live: 1" in clone.said["repro"]
    for stage in ("collect", "validate", "labels", "augment", "train", "evaluate", "publish"):
        assert f"\n{stage} " in clone.said["repro"]
    assert "95 % interval" in clone.said["repro"]
    assert int(store.get_model_version_by_alias("eye-colour", "champion").version) == 1


def test_the_run_holds_all_that_people_browse(clone: Clone, store: MlflowClient) -> None:
    experiment = store.get_experiment_by_name("eye-colour")
    (run,) = store.search_runs([experiment.experiment_id])
    assert run.data.params["train.init"] == "rendered"
    epochs = sum(phase.epochs for phase in phases(params.read(clone.folder / "params.yaml").train, 1))
    assert len(store.get_metric_history(run.info.run_id, "train/train_loss")) == epochs
    assert run.data.tags["irisline.git_commit"] == clone.git("rev-parse", "HEAD").strip()
    assert run.data.tags["irisline.git_dirty"] == "no"
    assert run.inputs.dataset_inputs
    assert "test pictures wrong" in run.data.tags["mlflow.note.content"]
    files = {str(file.relative_to(clone.folder / "reports")) for file in (clone.folder / "reports").rglob("*.png")}
    files.remove("validate/refused.png")  # no run holds what was refused
    logged = {file.path for file in _all_files(store, run.info.run_id)}
    assert all(any(path.endswith(file.split("/")[-1]) for path in logged) for file in files if "assets" not in file)
    assert any(path.endswith("index.html") for path in logged)


def test_a_second_make_repro_changes_nothing_and_says_so(clone: Clone, store: MlflowClient) -> None:
    before = clone.git("status", "--porcelain"), _versions(store)
    again = clone.make("repro").stdout
    assert "Nothing has changed" in again
    assert (clone.git("status", "--porcelain"), _versions(store)) == before


def test_a_variation_becomes_version_2_is_promoted_and_rolled_back(clone: Clone, store: MlflowClient) -> None:
    changes = ("train.epochs=1", "train.init=scratch", "augment.variants=1", "evaluate.perturbations=[mirror]")
    clone.run("dvc", "exp", "run", *(word for change in changes for word in ("-S", change)))
    assert _versions(store) == [1, 2]
    assert "scratch" in clone.run("dvc", "exp", "show", "--csv").stdout
    assert "error_rate" in clone.run("dvc", "metrics", "diff").stdout
    clone.run("irisline", "promote", "2", "--force", "--reason", "to show a rollback")
    assert int(store.get_model_version_by_alias("eye-colour", "champion").version) == 2
    clone.run("irisline", "rollback", "--reason", "worse on friends")
    assert int(store.get_model_version_by_alias("eye-colour", "champion").version) == 1
    told = json.loads(clone.run("irisline", "history", "--json").stdout)
    assert [entry["after"] for entry in told] == [1, 2, 1]


def test_pages_of_dvc_plots_open_without_a_network(clone: Clone) -> None:
    clone.run("dvc", "plots", "diff")
    page = (clone.folder / "dvc_plots" / "index.html").read_text()
    assert "<script src=" not in page
    assert "vega" in page


def test_the_champion_predicts(clone: Clone) -> None:
    pictures = ["data/blue/blue-0001.jpg", "data/blue/blue-0003.jpg", "data/brown/brown-0001.jpg"]
    told = json.loads(clone.run("irisline", "predict", *pictures, "--json").stdout)
    assert told["model"] == "version 1"
    assert [answer["file"] for answer in told["answers"]] == pictures
    assert all(set(answer["probabilities"]) == {"blue", "brown"} for answer in told["answers"])
    trained_on = {row["id"] for row in shards.of_split(clone.folder / paths.ACCEPTED, "train")}
    for answer in told["answers"]:
        assert {near["id"] for near in answer["nearest"]} <= trained_on
        assert len(answer["nearest"]) == (3 if answer["subjects"] else 0)


def _versions(store: MlflowClient) -> list[int]:
    return sorted(int(version.version) for version in store.search_model_versions("name = 'eye-colour'"))


def _all_files(store: MlflowClient, run: str, folder: str | None = None) -> list[FileInfo]:
    files: list[FileInfo] = []
    for entry in store.list_artifacts(run, folder):
        files += _all_files(store, run, entry.path) if entry.is_dir else [entry]
    return files
