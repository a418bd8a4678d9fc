"""What publishing leaves in MLflow, and that doing it again, or after being cut off, comes to the same."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from irisline.core import class_names, params, paths
from irisline.core.errors import MissingInput
from irisline.core.params import Params
from irisline.dataset import tables
from irisline.evaluation import per_class
from irisline.release.promotion import registry
from irisline.release.publishing import descriptions, publishing, run_contents
from irisline.release.tracking import lineage, live_logging, store, versions
from tests.hostile_names import CLASSES
from tests.imports import ROOT
from tests.release.conftest import Train


def runs(settings: Params) -> list[Any]:
    client = store.client()
    return list(client.search_runs([store.experiment(client, settings.base.name)]))


def test_a_published_run_holds_params_curves_metrics_figures_docs_inputs_and_source(
    train: Train, settings: Params
) -> None:
    train(error_rate=0.125)
    published = publishing.publish(settings)
    client = store.client()
    run = client.get_run(published.run_id)
    assert run.data.params["train.epochs"] == "4"
    assert run.data.params["base.classes"] == "['blue', 'brown']"
    assert run.data.metrics["evaluate/error_rate"] == 0.125
    curve = client.get_metric_history(published.run_id, "train/valid_loss")
    assert [(point.step, point.value) for point in curve] == [(0, 0.6), (1, 0.4)]
    assert run.data.tags[lineage.POOL] == "0123456789abcdef0123456789abcdef.dir"
    assert run.data.tags["irisline.python"].startswith("3.11")
    assert "12.5% of 8 test pictures wrong" in run.data.tags["mlflow.note.content"]
    assert "[evaluate/model_card.md](#/experiments/" in run.data.tags["mlflow.note.content"]
    found = {(one.tags[0].value, one.dataset.name) for one in run.inputs.dataset_inputs}
    assert found == {(split, f"eye-colour {split}") for split in ("train", "valid", "test")}
    files = {
        file.path
        for folder in ("reports/evaluate", "reports/validate", "source", "")
        for file in client.list_artifacts(published.run_id, folder or None)
    }
    wanted = {
        "reports/evaluate/confusion_matrix.png",
        "reports/evaluate/model_card.md",
        "reports/validate/index.html",
        "source/params.yaml",
        "predictions.json",
    }
    assert wanted <= files
    assert client.load_table(store.experiment(client, "eye-colour"), "predictions.json")["id"].tolist() == [
        "blue/4.jpg"
    ]


def test_classes_of_any_name_are_whole_in_a_run(train: Train, settings: Params) -> None:
    train()
    counts = 3 * np.eye(len(CLASSES), dtype=np.int64)
    counts[0, 1] = 1
    for name, data in per_class.files(counts, CLASSES).items():
        (paths.EVALUATE_REPORT / name).write_bytes(data)
    header, rows = (
        ["id", "actual", "predicted", "confidence", "unsure"],
        [["x", name, name, "0.9", "true"] for name in CLASSES],
    )
    (paths.EVALUATE_REPORT / "predictions.csv").write_text(tables.as_csv(header, rows))
    queries = {name: ["a"] for name in CLASSES} | {f"class {number}": ["a"] for number in range(102)}
    named = settings.model_copy(update={"snapshot": settings.snapshot.model_copy(update={"queries": queries})})
    run_id = publishing.publish(named).run_id
    client = store.client()
    run = client.get_run(run_id)
    told = {
        f"evaluate/{share}/{class_names.key(name)}{end}"
        for share in per_class.SHARES
        for name in CLASSES
        for end in ENDS
    }
    assert told == {
        name for name in run.data.metrics if name.startswith(tuple(f"evaluate/{share}/" for share in per_class.SHARES))
    }
    assert run.data.metrics["evaluate/recall/light blue"] == 0.75
    assert run.data.metrics["evaluate/recall/dent_low"] == run.data.metrics["evaluate/recall/low"] == 1
    assert run.data.metrics["evaluate/recall/dent/low"] < 1
    assert {name for name in run.data.params if name.startswith("snapshot.queries.")} == {
        f"snapshot.queries.{class_names.key(name)}" for name in queries
    }
    table = client.load_table(run.info.experiment_id, "predictions.json", run_ids=[run_id])
    assert table["actual"].tolist() == list(CLASSES)
    assert not publishing.publish(named).changed


def uploaded(run_id: str, folder: str = "") -> set[str]:
    """Return the path of every file below a folder of a run's artifacts."""
    found = store.client().list_artifacts(run_id, folder)
    return {one.path for one in found if not one.is_dir}.union(
        *(uploaded(run_id, one.path) for one in found if one.is_dir)
    )


REFUSED = paths.VALIDATE_REPORT / "refused.png"
ENDS = ("", "/low", "/high")
STRAY = (
    REFUSED.as_posix(), "reports/fit_limits/still_refused.png", "reports/predict/me.png", "reports/snapshot/blue.png",
    "reports/mine/me.jpg", "reports/me.jpg",
    "reports/evaluate/me.png", "reports/evaluate/.me.png", "reports/evaluate/golden/me.jpg", "reports/train/metrics.json.jpg",
    "reports/validate/docs/me.jpg", "reports/validate/docs/static/images/me.png", "reports/validate/docs/assets/js/me.jpg",
    "reports/validate/docs/validations/me.png", "reports/labels/suspects.png/me.png", "reports/collect/.gitignore",
)  # fmt: skip


def test_nothing_that_is_not_on_the_list_enters_a_run(train: Train, settings: Params) -> None:
    train()
    paths.write_whole(paths.VALIDATE_REPORT / "docs/validations/images/validate/1/one.html", "<p>a page</p>")
    for name in STRAY:
        paths.write_whole(Path(name), b"of somebody's own")
    published = publishing.publish(settings)
    held = uploaded(published.run_id)
    assert not held & set(STRAY)
    assert {name for name in held if name.startswith("reports/")} == {
        file.as_posix() for file in run_contents.reports()
    }
    assert "reports/validate/docs/validations/images/validate/1/one.html" in held
    assert not [name for name in STRAY if name in descriptions.of_run("1", published.run_id)]
    paths.write_whole(paths.PREDICT_REPORT / "another.png", b"of somebody's own")
    assert not publishing.publish(settings).changed


def test_the_list_is_what_the_stages_report() -> None:
    listed = {folder / name.partition("/")[0] for folder, named in run_contents.REPORTS.items() for name in named}
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"].values()
    made = {
        Path(name) for stage in stages for one in (*stage.get("outs", []), *stage.get("metrics", [])) for name in one
    }
    assert listed == {path for path in made if path.is_relative_to(paths.REPORTS)} - {REFUSED}


def test_every_folder_of_reports_is_on_the_list_or_kept_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    kept_back = {paths.SNAPSHOT_REPORT, paths.FIT_LIMITS_REPORT, paths.PREDICT_REPORT}
    named = {value for name, value in vars(paths).items() if name.endswith("_REPORT")}
    assert named == {*run_contents.REPORTS} | kept_back
    there = {file for file in paths.REPORTS.rglob("*") if file.is_file() and file.name != ".gitignore"} - {REFUSED}
    assert {file for file in there if not kept_back & {*file.parents}} == set(run_contents.reports())


def test_the_sheets_of_a_snapshot_are_no_evidence(train: Train, settings: Params) -> None:
    train()
    first = publishing.publish(settings)
    paths.SNAPSHOT_REPORT.mkdir()
    (paths.SNAPSHOT_REPORT / "blue.png").write_bytes(b"the pool, for a person to look at")
    assert not publishing.publish(settings).changed
    train(weight=0.06)
    second = publishing.publish(settings)
    shown = [{file.path for file in store.client().list_artifacts(one.run_id, "reports")} for one in (first, second)]
    assert shown == [{"reports/evaluate", "reports/train", "reports/validate"}] * 2


def test_publishing_twice_changes_nothing(train: Train, settings: Params) -> None:
    train()
    first = publishing.publish(settings)
    again = publishing.publish(settings)
    assert (first.version, first.version_created, first.run_changed) == (1, True, True)
    assert (again.version, again.run_id, again.changed) == (1, first.run_id, False)
    assert len(runs(settings)) == 1
    assert registry.find(settings, 1).aliases == ("challenger",)


def test_another_model_is_another_run_and_version(train: Train, settings: Params) -> None:
    train(weight=0.05)
    publishing.publish(settings)
    train(weight=0.06)
    assert publishing.publish(settings).version == 2
    train(weight=0.05)
    back = publishing.publish(settings)
    assert (back.version, back.changed) == (1, False)
    assert [version.aliases for version in registry.listing(settings)] == [(), ("challenger",)]
    assert len(runs(settings)) == 2


def test_the_run_of_a_training_is_completed_not_doubled(train: Train, settings: Params) -> None:
    live = live_logging.live_run(settings, "key")
    live.epoch(0, {"train_loss": 0.7, "valid_loss": 0.6})
    live.finish(train())
    published = publishing.publish(settings)
    assert published.run_id == live.run_id
    assert len(store.client().get_metric_history(live.run_id, "train/valid_loss")) == 2


def test_the_run_of_a_training_with_other_params_is_left_alone(train: Train, settings: Params) -> None:
    slower = settings.model_copy(update={"train": settings.train.model_copy(update={"device": "cpu"})})
    live = live_logging.live_run(slower, "key")
    live.finish(train())
    assert publishing.publish(settings).run_id != live.run_id


def test_new_limits_on_the_same_model_are_a_new_run_and_a_new_verdict_of_the_same_version(
    train: Train, settings: Params
) -> None:
    train(error_rate=0.2)
    first = publishing.publish(settings)
    document = yaml.safe_load(paths.PARAMS.read_text())
    document["gate"]["max_error_rate"] = 0.1
    paths.PARAMS.write_text(yaml.safe_dump(document))
    stricter = params.read(paths.PARAMS)
    verdict = json.loads((paths.EVALUATE_REPORT / "gate.json").read_text())
    (paths.EVALUATE_REPORT / "gate.json").write_text(json.dumps({**verdict, "passed": False}))
    second = publishing.publish(stricter)
    assert (second.version, second.version_created) == (1, False)
    assert second.run_id != first.run_id
    found = registry.find(settings, 1)
    assert found.gate is not None
    assert not found.gate["passed"]
    assert found.run_id == second.run_id


def test_the_champion_published_again_leaves_the_challenger_as_it_was(train: Train, settings: Params) -> None:
    train(weight=0.05)
    publishing.publish(settings)
    registry.promote(settings)
    train(weight=0.06)
    publishing.publish(settings)
    train(weight=0.05)
    publishing.publish(settings)
    assert versions.aliases_of(store.client(), "eye-colour") == {"champion": 1, "challenger": 2}


def test_the_lock_that_dvc_writes_after_the_stage_is_told_by_the_next_publish(train: Train, settings: Params) -> None:
    Path("dvc.lock").write_text("before evaluate has ended\n")
    train()
    publishing.publish(settings)
    store.client().set_tag(runs(settings)[0].info.run_id, lineage.DIRTY, "no")  # as if a commit stood behind it
    Path("dvc.lock").write_text("after\n")
    assert not publishing.publish(settings).changed
    wanted = hashlib.sha256(b"after\n").hexdigest()
    assert runs(settings)[0].data.tags[lineage.LOCK] == wanted
    assert registry.find(settings, 1).tags[lineage.LOCK] == wanted


def test_nothing_compiled_is_stored(train: Train, settings: Params, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    train()
    publishing.publish(settings)
    assert list(Path("mlartifacts").rglob("pyfunc.py"))
    assert not list(Path("mlartifacts").rglob("__pycache__"))


KILLED = """
import os, signal, sys
from irisline.core import params, paths
from irisline.release.publishing import publishing, pyfunc_package, run_contents
def die(*arguments, **named): os.kill(os.getpid(), signal.SIGKILL)
module, name = sys.argv[1].split(".")
setattr({"run_contents": run_contents, "pyfunc_package": pyfunc_package, "publishing": publishing}[module], name, die)
publishing.publish(params.read(paths.PARAMS))
"""


def about(settings: Params) -> str:
    return registry.find(settings, 1).description


def test_a_version_shows_its_headline_source_and_model_card(train: Train, settings: Params) -> None:
    train(error_rate=0.125)
    publishing.publish(settings)
    commit, lock = (registry.find(settings, 1).tags[name] for name in (lineage.COMMIT, lineage.LOCK))
    assert about(settings).startswith("12.5% of 8 test pictures wrong (95 % interval 2.5% to 22.5%)\n\n")
    assert f"Commit `{commit}`, with changes that were not committed; `dvc.lock` {lock[:12]}." in about(settings)
    assert "# Model card: eye-colour\n" in about(settings)
    assert about(settings).endswith("## Metrics\n\n- right\n")


def test_a_card_that_changes_is_shown_by_the_same_version(train: Train, settings: Params) -> None:
    train()
    publishing.publish(settings)
    descriptions.CARD.write_text("# Model card: eye-colour\n\n## Metrics\n\n- reviewed\n")
    assert publishing.publish(settings).version == 1
    assert about(settings).endswith("- reviewed\n")


def test_a_card_that_is_too_long_for_a_database_is_cut_between_sections(train: Train, settings: Params) -> None:
    train()
    sections = [f"## Part {number}\n\n{'word ' * 300}\n" for number in range(5)]
    descriptions.CARD.write_text("\n".join(["# Model card: eye-colour\n", *sections]))
    publishing.publish(settings)
    assert len(about(settings)) <= 5000
    assert about(settings).count("## Part") == about(settings).count(f"{'word ' * 300}\n") == 3
    assert about(settings).endswith("More is in `reports/evaluate/model_card.md` of the run.")


@pytest.mark.slow
@pytest.mark.parametrize("step", ["run_contents._show_inputs", "pyfunc_package.log", "publishing._set_challenger"])
def test_a_publish_that_was_killed_is_completed(step: str, train: Train, settings: Params) -> None:
    train()
    killed = subprocess.run([sys.executable, "-c", KILLED, step], env=os.environ, check=False)
    assert killed.returncode == -signal.SIGKILL
    published = publishing.publish(settings)
    assert published.version == 1
    assert len(runs(settings)) == 1
    assert runs(settings)[0].info.status == "FINISHED"
    assert len(registry.listing(settings)) == 1
    assert len(store.client().load_table("1", "predictions.json")) == 1


def test_a_workspace_without_a_model_says_what_to_type(project: Path, settings: Params) -> None:
    with pytest.raises(MissingInput, match=r"not in artifacts/train or artifacts/evaluate; type dvc repro"):
        publishing.publish(settings)


def test_a_workspace_from_before_there_were_cards_says_what_to_type(train: Train, settings: Params) -> None:
    train()
    descriptions.CARD.unlink()
    with pytest.raises(MissingInput, match=r"^reports/evaluate/model_card.md: not found; type dvc repro to make it$"):
        publishing.publish(settings)


def test_a_stage_ends_well_when_the_store_is_out_of_reach(
    train: Train, settings: Params, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    train()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    publishing.publish_or_warn(settings)
    said = capsys.readouterr().err
    assert "MLflow at http://127.0.0.1:9: cannot be reached" in said
    assert "type irisline publish" in said
    assert said.count("\n") == 1


def git(*words: str) -> str:
    identity = ("-c", "user.name=ada", "-c", "user.email=ada@example.org")
    return subprocess.run(("git", *identity, *words), check=True, capture_output=True, text=True).stdout.strip()


def test_source_tags_are_refined_until_a_clean_commit_is_known(train: Train, settings: Params) -> None:
    train()
    git("init", "--quiet")
    Path(".gitignore").write_text("*\n")
    Path("dvc.lock").write_text("what a run writes does not count\n")
    Path("code.py").write_text("one\n")
    git("add", "--force", "params.yaml", ".gitignore", "dvc.lock", "code.py")
    git("commit", "--quiet", "-m", "one")
    Path("dvc.lock").write_text("written again\n")
    Path("code.py").write_text("two\n")
    run_id = publishing.publish(settings).run_id
    assert store.client().get_run(run_id).data.tags[lineage.DIRTY] == "yes"
    git("commit", "--quiet", "-m", "two", "code.py")
    publishing.publish(settings)
    clean = git("rev-parse", "HEAD")
    git("commit", "--quiet", "--allow-empty", "-m", "three")
    publishing.publish(settings)
    tags = store.client().get_run(run_id).data.tags
    assert (tags[lineage.DIRTY], tags[lineage.COMMIT]) == ("no", clean)
