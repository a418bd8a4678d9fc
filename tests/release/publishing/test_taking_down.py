"""irisline take-down: what a person reads when a picture goes, and that the commands it tells take the bytes away."""

import json
import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from irisline.cli import app
from irisline.core import paths
from irisline.core.params import Params
from irisline.dataset import shards
from irisline.release.promotion import registry
from irisline.release.publishing import publishing
from irisline.release.tracking import store, versions
from tests.release.conftest import Train, fill, put_golden, put_model

BIN = Path(sys.executable).parent


def typed(*words: str) -> Result:
    return CliRunner().invoke(app.app, ["take-down", *words, "--reason", "asked by mail"])


def answered(*words: str) -> Any:
    result = typed(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture
def own(train: Train, settings: Params) -> Params:
    """Return the params of a project whose pool is what versions 1, the champion, and 2 were made from; 2 lacks blue/0.jpg."""
    return collect(train, settings)


@pytest.fixture(scope="module")
def collected_once(tmp_path_factory: pytest.TempPathFactory, empty_store: Path, settings: Params) -> Path:
    """Return the folder of such a project."""
    home = tmp_path_factory.mktemp("collected")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.setenv("IRISLINE_USER", "ada@bench")
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        fill(empty_store, settings)
        collect(partial(put_model, settings), settings)
    return home


@pytest.fixture
def collected(collected_once: Path, tmp_path: Path, settings: Params, monkeypatch: pytest.MonkeyPatch) -> Params:
    """Return the params of a copy of that project; what the store holds is shared."""
    shutil.copytree(collected_once, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns(store.FILES))
    (tmp_path / store.FILES).symlink_to(collected_once / store.FILES)
    monkeypatch.chdir(tmp_path)
    return settings


def collect(train: Train, settings: Params) -> Params:
    """Fill the working directory with such a project."""
    rows = list(shards.stream(paths.ACCEPTED))
    for row in rows:
        if row["id"] == "brown/9.jpg":
            continue  # left the pool long ago
        file = paths.POOL / row["id"]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(row["image"])
    subprocess.run([sys.executable, "-m", "dvc", "init", "--quiet", "--no-scm"], check=True)
    train(weight=0.05)
    put_golden(8)  # brown/5.jpg is in it, unlike in that of version 2
    publishing.publish(settings)
    registry.promote(settings, 1)
    shards.write(paths.ACCEPTED, shards.ACCEPTED, 100, [row for row in rows if row["id"] != "blue/0.jpg"])
    train(weight=0.06)
    publishing.publish(settings)
    return settings


def test_the_versions_made_from_a_picture_are_told_and_what_to_do(collected: Params) -> None:
    shown = typed("data/blue/0.jpg")
    assert shown.exit_code == 0, shown.output
    lines = shown.stdout.splitlines()
    assert lines[0] == "removed data/blue/0.jpg"
    assert "version\taliases\ttrain\tvalid\ttest\tgolden" in lines
    assert "1\tchampion\t1\t0\t0\t0" in lines
    assert not [line for line in lines if line.startswith("2\t")]
    told = lines[lines.index("what to do next") + 1 :]
    assert [line.split()[0] for line in told] == ["make", "git", "dvc", "dvc", "rm", "python", "mlflow", "mlflow"]
    assert told[0].endswith("; version 1 is live and may hold it, until another is promoted")
    assert not Path("data/blue/0.jpg").exists()


def test_what_looks_alike_is_named_and_stays(collected: Params) -> None:
    shown = typed("blue/0.jpg")  # pictures of one colour all have the same perceptual hash
    assert "looks like blue/0.jpg and stays: blue/10.jpg, blue/12.jpg" in shown.stdout
    assert Path("data/blue/10.jpg").exists()


def test_a_program_gets_the_same_and_gets_it_again(collected: Params) -> None:
    found = answered("brown/5.jpg")
    assert (found["kind"], found["changed"]) == ("id", True)
    assert [(one["version"], one["aliases"], one["test"], one["golden"]) for one in found["versions"]] == [
        (2, ["challenger"], ["brown/5.jpg"], []),
        (1, ["champion"], ["brown/5.jpg"], ["brown/5.jpg"]),
    ]
    wanted = [one for one in found["to_do"] if "is among its golden pictures" in one["why"]]
    assert len(wanted) == 1
    again = answered("brown/5.jpg")
    assert (again["changed"], again["removed"], again["versions"]) == (False, [], found["versions"])
    assert len(again["to_do"]) == len(found["to_do"])
    nothing = typed("brown/99.jpg")
    assert (nothing.exit_code, nothing.stderr) == (1, "brown/99.jpg: no picture of the pool\n")
    assert "which is no id, address or sha256" in str(typed("brown").exception)


def test_an_address_the_pool_lacks_is_a_failure_that_says_it_is_remembered(collected: Params) -> None:
    url = "https://example.org/999.jpg"
    told = typed(url)
    assert (told.exit_code, told.stdout) == (1, "")
    assert told.stderr == f"{url}: no picture of the pool; it is remembered, and will never be fetched\n"
    assert typed(url).stderr == f"{url}: no picture of the pool; it was remembered before\n"


def test_a_page_tells_the_versions_of_a_picture_that_left_the_pool_before(collected: Params) -> None:
    shown = typed("http://www.example.org/9/")
    assert shown.exit_code == 0
    assert shown.stderr.endswith("no picture of the pool; it is remembered, and will never be fetched\n")
    assert "1\tchampion\t0\t1\t0\t0" in shown.stdout


def test_a_version_that_says_nothing_of_its_pictures_is_told_as_unknown(collected: Params) -> None:
    store.client().delete_model_version_tag("eye-colour", "2", versions.PICTURES)
    shown = typed("blue/2.jpg").stdout
    assert "2\tchallenger\tunknown: its pictures were not recorded when it was published\t-\t-\t-" in shown
    assert "1\tchampion\t0\t1\t0\t0" in shown


def test_a_store_out_of_reach_is_told_and_the_picture_goes_all_the_same(
    collected: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    told = typed("blue/0.jpg")
    assert told.exit_code == 1
    assert not Path("data/blue/0.jpg").exists()
    assert "which versions hold it is not known: MLflow at http://127.0.0.1:9: cannot be reached" in told.stderr
    assert "no registered version" not in told.stdout
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert [one["version"] for one in answered("blue/0.jpg")["versions"]] == [1]


def test_a_reason_is_needed(collected: Params) -> None:
    result = CliRunner().invoke(app.app, ["take-down", "blue/0.jpg"])
    assert result.exit_code == 2
    assert "--reason" in result.stderr
    assert Path("data/blue/0.jpg").exists()


@pytest.mark.slow
def test_the_commands_that_are_told_take_a_version_and_its_bytes_out_of_mlflow(own: Params) -> None:
    run_id = registry.find(own, 1).run_id
    found = answered("brown/5.jpg")
    registry.promote(own, 2, reason="without it", force=True)
    commands = [one["command"] for one in found["to_do"]]
    first = next(place for place, one in enumerate(found["to_do"]) if one["why"].startswith("version 1 "))
    for command in commands[first : first + 3]:
        environment = os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
        environment.pop("MLFLOW_TRACKING_URI", None)  # MLflow has put it there, and a person's shell lacks it
        subprocess.run(["bash", "-ec", command], check=True, env=environment, capture_output=True)
    assert [version.number for version in registry.listing(own)] == [2]
    assert [str(file) for file in Path("mlartifacts").rglob("*") if file.is_file() and run_id in str(file)] == []
    golden = {file.parts[2] for file in Path("mlartifacts").rglob("*.jpg")}
    assert len(golden) == 1  # version 2's
    assert [entry.change.after for entry in registry.history(own)[0]] == [2, 1]
