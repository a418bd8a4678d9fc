"""From a search to a version, as typed, and back: fetched again, taken down, killed anywhere, hindered.

A run that is killed goes on by the same command, and no half-written output is taken for whole. Nor is a training lost because
nobody could write down that it ran.
"""

import csv
import json
import os
import random
import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from irisline.core import paths
from irisline.dataset import shards
from tests.clones import TINY, Clone, kill
from tests.fakes.web import Web

pytestmark = pytest.mark.slow

WANTED: dict[str, object] = {
    "sources": ["openverse", "commons"],
    "queries": {label: [f"{label} everything"] for label in ("blue", "brown")},
    "per_class": 20,
    "timeout": 2.0,
}
STAGES = ("collect", "validate", "labels", "augment", "train", "evaluate", "publish")
SHARES = (0.2, 0.6, 0.95)  # of a stage's time: early, halfway and late
STRIKES = int(os.environ.get("STRIKES", "0"))  # of each stage; 3 takes twenty minutes; 0 is one of some
STRUCK = STAGES if STRIKES else ("collect", "train", "publish")
OUTPUTS = tuple(f"artifacts/{stage}" for stage in STAGES if stage != "publish")


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    with Web() as running:
        yield running


@pytest.fixture(scope="module")
def whole(web: Web, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """Return a clone, emptied of the drawn pool as the guide says, filled from the web, and run without interruption."""
    made = Clone.of_the_project(tmp_path_factory.mktemp("whole") / "clone")
    made.also = web.environment
    made.change(TINY | {"snapshot": WANTED})
    made.make("data")
    for label in ("blue", "brown"):
        shutil.rmtree(made.folder / "data" / label)
    made.said = {"snapshot": made.make("snapshot").stdout}
    made.git("commit", "--quiet", "--all", "--message=A snapshot")
    made.said["repro"] = made.make("repro").stdout
    return made


@pytest.fixture
def clone(whole: Clone, tmp_path: Path) -> Clone:
    """Return a copy to change."""
    return whole.copy(tmp_path / "clone")


def from_the_web(clone: Clone) -> list[dict[str, str]]:
    """Return the pictures that came from the web, as sources.csv tells them."""
    with (clone.folder / "data/sources.csv").open(newline="", encoding="utf-8") as file:
        return [line for line in csv.DictReader(file) if line["status"] == "fetched" and line["image_url"]]


def test_a_search_becomes_a_pool_and_a_version_that_tells_its_licences(whole: Clone) -> None:
    assert "class\tprovider\tfound\tknown\tfetched\trefused" in whole.said["snapshot"]
    fetched = from_the_web(whole)
    assert Counter(line["id"].split("/")[0] for line in fetched) == {"blue": 20, "brown": 20}
    assert "eye-colour version 1 (champion); live: 1" in whole.said["repro"]
    licences = json.loads(whole.run("irisline", "lineage", "1", "--json").stdout)["licences of the data"]
    assert sum(licences.values()) > 30
    assert set(licences) <= {line["licence"] for line in fetched}


def test_all_of_it_is_still_there_when_it_is_fetched_again(clone: Clone) -> None:
    replayed = clone.run("irisline", "snapshot", "--replay").stdout
    assert replayed == "40 recorded pictures: 40 same; recorded bytes: 40 in the pool\n"


def test_a_picture_that_is_taken_down_names_its_version_and_never_comes_back(clone: Clone, web: Web) -> None:
    gone = next(shards.of_split(clone.folder / paths.ACCEPTED, "train"))["id"]
    told = clone.run("irisline", "take-down", gone, "--reason", "asked by mail").stdout
    assert f"removed data/{gone}" in told
    assert "\n1\tchampion\t1\t0\t0\t0\n" in told
    golden = json.loads((clone.folder / "artifacts/evaluate/golden/answers.json").read_text())[0]["sha256"]
    seen = next(row["id"] for row in shards.of_split(clone.folder / paths.ACCEPTED, "test") if row["sha256"] == golden)
    told = clone.run("irisline", "take-down", seen, "--reason", "asked by mail").stdout
    assert "\n1\tchampion\t0\t0\t1\t1\n" in told
    web.forget()
    clone.make("snapshot")
    assert not {gone, seen} & {line["id"] for line in from_the_web(clone)}
    assert not (clone.folder / "data" / gone).exists()


def test_killed_in_a_stage_the_same_commands_go_on(whole: Clone, clone: Clone) -> None:
    clone.forget(STAGES)
    for number, stage in enumerate(STRUCK):
        _strike(clone, whole, stage, (SHARES * 2)[number % 3 :][: STRIKES or 1])
        clone.make("recovered")
        ended = clone.make("repro") if stage == STAGES[-1] else clone.run("dvc", "repro", stage)
        assert "Traceback" not in ended.stdout + ended.stderr
    assert _digests(clone) == _digests(whole)


def test_a_locked_store_costs_a_warning_and_not_the_training(clone: Clone) -> None:
    clone.forget(["train", "evaluate", "publish"])
    clone.run("irisline", "versions", check=False)  # makes the store
    with sqlite3.connect(clone.folder / "mlflow.db") as holder:
        holder.execute("BEGIN EXCLUSIVE")
        done = clone.run("dvc", "repro")
    assert "irisline publish" in done.stderr + done.stdout
    assert (clone.folder / "artifacts/train/model.onnx").is_file()
    assert "version 1" in clone.run("irisline", "publish").stdout


def _strike(clone: Clone, whole: Clone, stage: str, shares: tuple[float, ...]) -> None:
    """Kill a stage after these shares of its time; where it ended before, it is made again and struck sooner."""
    seconds = json.loads((whole.folder / f"artifacts/scratch/times/{stage}.json").read_text())["seconds"]
    points = [seconds * share * random.Random(f"{stage} {share}").uniform(0.9, 1.1) for share in shares]
    while points:
        clone.make("recovered")  # as make repro does before it
        process = clone.start("dvc", "repro", stage)
        time.sleep(1.0 + points[0])
        ended = process.poll() is not None
        kill(process)
        if ended:
            assert process.returncode == 0, clone.log.read_text()
            clone.forget([stage])
            points = [point * 0.7 for point in points]
        else:
            points.pop(0)
            _no_output_is_half_written(clone, whole)


def _no_output_is_half_written(clone: Clone, whole: Clone) -> None:
    for output in OUTPUTS:
        made = clone.folder / output
        if made.exists():
            assert {file.name for file in made.iterdir()} == {file.name for file in (whole.folder / output).iterdir()}


def _digests(clone: Clone) -> dict[str, bytes]:
    """Return what a run yields, by name: the weights, the tables, the answers."""
    files = [file for output in OUTPUTS for file in (clone.folder / output).rglob("*") if file.is_file()]
    files += [clone.folder / "reports/evaluate/predictions.csv", clone.folder / "reports/validate/rejected.csv"]
    return {str(file.relative_to(clone.folder)): file.read_bytes() for file in files}
