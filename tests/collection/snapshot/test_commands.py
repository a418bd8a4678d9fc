"""irisline snapshot as a person types it: a table, what to do next, one line for a failure, and no heavy library."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.collection.snapshot.made import listed, works
from tests.fakes.reply import Reply
from tests.fakes.web import Web
from tests.imports import ROOT
from tests.planted import CLASSES, document

CHANGES = {
    "snapshot__sources": ["urls"],
    "snapshot__urls": "urls.csv",
    "snapshot__per_class": 2,
    "execution__workers": 1,
}


@pytest.fixture
def ready(connected: Web) -> Web:
    """Return the fake web to a project with DVC and a list of pictures."""
    subprocess.run([sys.executable, "-m", "dvc", "init", "--quiet", "--no-scm"], check=True)
    listed(connected, [*works("blue", 0, 1, 2), *works("brown", 0, 23)])  # 2 is a copy of 1, 23 is dead
    Path("params.yaml").write_text(yaml.safe_dump(document(**CHANGES)))
    return connected


def irisline(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "irisline.cli.app", "snapshot", *words], capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip


@pytest.mark.slow
def test_a_snapshot_is_shown_as_a_table_and_the_last_line_says_what_is_next(ready: Web) -> None:
    planned = irisline("--dry-run")
    assert planned.stdout.splitlines()[1].startswith("blue\turls\tCC-BY-2.0\t")
    assert planned.stdout.splitlines()[-1].startswith("would fetch 2 of blue, 2 of brown first")
    assert not Path("data").exists()
    done = irisline()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "class\tprovider\tfound\tknown\tfetched\trefused",
        "blue\turls\t3\t0\t2\tnone",
        "brown\turls\t2\t0\t1\t1 dead",
        "brown: 1 of 2 pictures, and nobody has another; add queries (snapshot.queries.brown), sources or licences for more",
        "look at reports/snapshot/<class>.png, and at refused.csv there; then type make repro",
        'to keep this pool, type git commit --all --message="A snapshot": data.dvc pins it',
    ]
    assert Path("data.dvc").is_file()
    assert Path("reports/snapshot/refused.csv").read_text().splitlines()[1].endswith(",dead,answers 404 Not Found")
    again = irisline("--json")
    assert json.loads(again.stdout)["changed"] is False
    assert json.loads(again.stdout)["short"] == {"brown": 1}
    assert json.loads(again.stdout)["unanswered"] == []


@pytest.mark.slow
def test_a_replay_names_what_changed_and_ends_with_1(ready: Web) -> None:
    irisline()
    same = irisline("--replay")
    assert (same.returncode, same.stdout) == (0, "3 recorded pictures: 3 same; recorded bytes: 3 in the pool\n")
    ready.answer_next("pictures", Reply(200, b"<html>gone</html>", "image/jpeg"))
    gone = irisline("--replay")
    assert gone.returncode == 0
    assert "\tgone\tin the pool\tnot_a_picture: " in gone.stdout
    table = Path("data/sources.csv")
    table.write_text(table.read_text().replace(digest(table), "0" * 64))  # what its address gave when it was recorded
    changed = irisline("--replay", "--json")
    assert changed.returncode == 1
    assert [one["web"] for one in json.loads(changed.stdout)].count("changed") == 1


def digest(table: Path) -> str:
    return next(cell for cell in table.read_text().splitlines()[1].split(",") if len(cell) == 64)


def test_a_failure_is_one_line_and_the_other_providers_go_on(ready: Web) -> None:
    changes = CHANGES | {"snapshot__sources": ["pexels"]}
    Path("params.yaml").write_text(yaml.safe_dump(document(**changes)))
    failed = irisline()
    assert failed.returncode == 1
    told, last = failed.stderr.splitlines()
    assert told.startswith("snapshot: pexels: refused: its terms forbid")
    assert last == "irisline: no source answers, so nothing was changed; see the lines above"


@pytest.mark.slow
def test_of_a_source_that_failed_nobody_says_that_it_has_no_more(ready: Web) -> None:
    Path("params.yaml").write_text(yaml.safe_dump(document(**CHANGES | {"snapshot__sources": ["pexels", "urls"]})))
    assert "brown: 1 of 2 pictures, and who answers has no other; add queries" in irisline().stdout
    for words in (("--json",), ("--json", "--dry-run")):
        assert json.loads(irisline(*words).stdout)["unanswered"] == ["pexels"]


def test_a_replay_with_other_wishes_is_a_usage_error(project: Path) -> None:
    assert irisline("--replay", "--dry-run").returncode == 2


@pytest.mark.slow
def test_no_heavy_library_is_loaded(ready: Web) -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from irisline.cli import app as cli; "
        "assert CliRunner().invoke(cli.app, ['snapshot', '--dry-run']).exit_code == 0; "
        "assert CliRunner().invoke(cli.app, ['snapshot']).exit_code == 0; "
        "print(*sorted({name.split('.')[0] for name in sys.modules}))"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert "imagehash" in done.stdout.split()  # the run was a whole one
    assert not set(done.stdout.split()) & {"torch", "fastai", "mlflow", "great_expectations", "dvc", "pandas"}
    assert all(Path("data", label).is_dir() for label in CLASSES)
