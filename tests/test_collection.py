"""What a person does who collects from the web, as typed: search, train, fetch it all again, take a picture back."""

import csv
import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from irisline import paths
from irisline.data import manifest
from tests.clones import TINY, Clone
from tests.fakes.web import Web, running_web, web

pytestmark = pytest.mark.slow

__all__ = ["running_web", "web"]

WANTED = {
    "sources": ["openverse", "commons"],
    "queries": {label: [f"{label} everything"] for label in ("blue", "brown")},
    "per_class": 20,
    "timeout": 2.0,
}


@pytest.fixture
def clone(tmp_path: Path, web: Web) -> Clone:
    """Give a clone that takes the fake web for the web, emptied of the drawn pool as the guide says."""
    made = Clone.of_the_project(tmp_path / "clone")
    made.also = web.environment
    made.change(TINY | {"snapshot": WANTED})
    made.make("data")
    for label in ("blue", "brown"):
        shutil.rmtree(made.folder / "data" / label)
    return made


def lines(clone: Clone) -> list[dict[str, str]]:
    """Give the pictures that came from the web, as sources.csv tells them."""
    with (clone.folder / "data/sources.csv").open(newline="", encoding="utf-8") as file:
        return [line for line in csv.DictReader(file) if line["status"] == "fetched" and line["image_url"]]


def test_from_a_search_to_a_version_that_can_be_taken_back(clone: Clone, web: Web) -> None:
    table = clone.make("snapshot").stdout
    assert "class\tprovider\tfound\tknown\tfetched\trefused" in table
    fetched = lines(clone)
    assert Counter(line["id"].split("/")[0] for line in fetched) == {"blue": 20, "brown": 20}
    clone.git("commit", "--quiet", "--all", "--message=A snapshot")

    assert "eye-colour version 1 (champion); live: 1" in clone.make("repro").stdout
    licences = json.loads(clone.run("irisline", "lineage", "1", "--json").stdout)["licences of the data"]
    assert sum(licences.values()) > 30
    assert set(licences) <= {line["licence"] for line in fetched}

    replayed = clone.run("irisline", "snapshot", "--replay").stdout
    assert replayed == "40 recorded pictures: 40 same; recorded bytes: 40 in the pool\n"

    gone = next(manifest.of_split(clone.folder / paths.ACCEPTED, "train"))["id"]
    told = clone.run("irisline", "take-down", gone, "--reason", "asked by mail").stdout
    assert f"removed data/{gone}" in told
    assert "\n1\tchampion\t1\t0\t0\t0\n" in told
    web.forget()
    clone.make("snapshot")
    assert gone not in {line["id"] for line in lines(clone)}
    assert not (clone.folder / "data" / gone).exists()
