"""What people see when they type: tables, JSON, exit codes."""

import json
import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from irisline.cli import app
from irisline.core import paths
from irisline.core.display_names import shown
from irisline.core.errors import GateRefused, IrislineError
from irisline.core.params import Params
from irisline.release.promotion import registry
from irisline.release.publishing import publishing
from irisline.release.tracking import store
from tests import drawn, planted
from tests.hostile_names import HOSTILE
from tests.release.conftest import BLUE, Train


def typed(*words: str) -> Result:
    return CliRunner().invoke(app.app, words, catch_exceptions=True)


def answered(*words: str) -> Any:
    result = typed(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_from_publish_to_rollback(published: Params) -> None:
    assert "version 2: is published already, nothing to do" in typed("publish").stdout
    assert "eye-colour version 1 is the champion now, the first" in typed("promote", "1").stdout
    assert "eye-colour version 1 is the champion already, nothing to do" in typed("promote", "1").stdout
    assert "version 2 is the champion now, instead of version 1" in typed("publish", "--promote").stdout
    assert "version 1 is the champion now, instead of version 2" in typed("rollback", "--reason", "worse").stdout
    assert [(entry["action"], entry["after"]) for entry in answered("history")] == [
        ("rollback", 1),
        ("promote", 2),
        ("promote", 1),
    ]
    assert [(version["version"], version["aliases"]) for version in answered("versions")] == [
        (2, ["previous"]),
        (1, ["champion"]),
    ]
    assert answered("live-at", "2999-01-01")["version"] == 1
    assert typed("live-at", "2999-01-01").stdout.startswith("version 1, since 20")


def test_a_refused_promotion_is_a_failure_but_after_publish_an_honest_verdict(train: Train) -> None:
    train(error_rate=0.45)
    after = typed("publish", "--promote")
    assert after.exit_code == 0
    assert "version 1 stays out: error_rate: 0.45 is above 0.3" in after.stderr
    assert isinstance(typed("promote").exception, GateRefused)
    assert "champion" in typed("promote", "--force", "--reason", "fair").stdout


def test_tables_are_plain_in_a_pipe(published: Params) -> None:
    header, second, first = typed("versions").stdout.splitlines()
    assert header.split("\t")[:3] == ["version", "aliases", "error rate"]
    assert second.split("\t")[:6] == ["2", "challenger", "0.0%", "0.0% to 10.0%", "passed", "float32"]
    assert first.split("\t")[:2] == ["1", "-"]


def test_a_store_without_versions_says_what_to_type(project: Path) -> None:
    assert typed("versions").stdout == "no version yet; type make repro\n"
    assert typed("history").stdout == "no version was promoted yet; type irisline promote\n"
    assert answered("versions") == []


def test_an_entry_that_is_later_than_now_is_told(published: Params) -> None:
    registry.promote(published, 1)
    assert "later than now" not in typed("history").stderr
    with closing(sqlite3.connect("mlflow.db")) as database, database:
        database.execute("UPDATE runs SET start_time = start_time + 700000")  # as of a clock that is ahead
    said = typed("history").stderr
    assert re.match(
        r"1 of these are later than now, [-\d :]+ UTC: the clock of ada@bench was ahead, or this one is", said
    )


def test_a_champion_moved_by_other_means_shows_in_the_history(published: Params) -> None:
    registry.promote(published, 1)
    store.client().set_registered_model_alias("eye-colour", "champion", "2")
    assert "the champion is 2, the journal's last is 1: it was moved by other means" in typed("history").stderr


def test_predict_answers_with_the_champion_and_names_what_it_cannot_read(published: Params) -> None:
    Path("blue.jpg").write_bytes(BLUE)
    Path("torn.jpg").write_bytes(BLUE[:100])
    result = typed("predict", "blue.jpg")
    assert isinstance(result.exception, IrislineError)
    assert "no champion yet" in str(result.exception)
    registry.promote(published, 2)
    given = answered("predict", "blue.jpg")
    assert (given["model"], given["answers"][0]["label"]) == ("version 2", "blue")
    assert given["answers"][0]["nearest"] == []  # a version from before training pictures were kept
    Path("other").mkdir()
    Path("other/blue.jpg").write_bytes(BLUE)
    os.mkfifo("pipe.jpg")
    result = typed("predict", "blue.jpg", "torn.jpg", "none.jpg", "pipe.jpg", "other/blue.jpg", "--version", "1")
    assert result.exit_code == 1
    header, blue, torn, none, pipe, again, drawn = result.stdout.splitlines()
    assert header == "file\tlabel\tconfidence\telse\tunsure"
    assert blue.split("\t")[1:] == ["blue", "1.000", "brown 0.000", "no"]
    assert torn.startswith("torn.jpg\t-\t-\t-\tunreadable: ")
    assert none.endswith("unreadable: No such file or directory")
    assert pipe.endswith("unreadable: neither a file nor a link to one")
    assert again.split("\t")[1:] == blue.split("\t")[1:]
    assert drawn == "drawn in reports/predict/"
    assert sorted(file.name for file in Path("reports/predict").iterdir()) == ["blue-2.png", "blue.png"]


def test_predict_takes_files_of_any_name(train: Train) -> None:
    train()
    Path("mine").mkdir()
    files = [Path("mine", name) for name in (*HOSTILE, os.fsdecode(b"not\xffutf-8.jpg"), "upper.png", "upper-2.png")]
    for file in files:
        file.write_bytes(BLUE)
    result = typed("predict", "--workspace", *map(str, files))
    assert result.exit_code == 0, result.exception
    assert [line.partition("\t")[0] for line in result.stdout.splitlines()[1:-1]] == [
        shown(str(file)) for file in files
    ]
    assert len(list(paths.PREDICT_REPORT.iterdir())) == len(files)
    assert [one["file"] for one in answered("predict", "--workspace", *map(str, files))["answers"]] == [
        *map(str, files)
    ]


def test_predict_tells_of_several_people_one_by_one(train: Train) -> None:
    train()
    facts = json.loads((paths.TRAINED / "model.json").read_text())
    facts["preprocess"]["crop"] = "eyes"
    (paths.TRAINED / "model.json").write_text(json.dumps(facts))
    Path("two.jpg").write_bytes(planted.saved(drawn.two_people(), quality=95))
    table = [line.split("\t") for line in typed("predict", "two.jpg", "--workspace").stdout.splitlines()[:-1]]
    assert [line[0] for line in table] == ["file", "two.jpg", "two.jpg: 1", "two.jpg: 2"]
    assert table[1][1:] == table[2][1:]  # the picture's answer is that about the nearest


def test_predict_can_ask_the_workspace(train: Train) -> None:
    train()
    Path("blue.jpg").write_bytes(BLUE)
    assert answered("predict", "blue.jpg", "--workspace")["model"] == "workspace"


def test_lineage_says_where_a_version_comes_from_and_how_to_rebuild_it(published: Params) -> None:
    found = answered("lineage", "1")
    assert found["params"]["train.epochs"] == "4"
    assert found["licences of the data"] == {"CC0-1.0": 24}
    assert found["providers of the data"] == {"drawn": 24}
    assert found["pictures"] == {"train": 8, "valid": 8, "test": 8}
    assert found["metrics, with 95 % intervals"]["error_rate"] == "0 (0 to 0.1)"
    assert found["source"]["data_md5"] == "0123456789abcdef0123456789abcdef.dir"
    assert found["to build it again"][0].startswith("no git commit was recorded")
    shown = typed("lineage", "1")
    assert shown.exit_code == 0
    assert "train.epochs\t4" in shown.stdout


def test_pool_refuses_a_folder_that_holds_files(project: Path) -> None:
    Path("full").mkdir()
    Path("full/a.jpg").write_bytes(BLUE)
    assert "full: holds files already; name a new folder" in str(
        typed("pool", "--count", "4", "--out", "full").exception
    )


def test_pool_refuses_a_file_in_its_place(project: Path) -> None:
    Path("file").write_text("kept")
    assert "file: is a file; name a new folder" in str(typed("pool", "--count", "4", "--out", "file").exception)
    assert Path("file").read_text() == "kept"


def test_doctor_changes_nothing(project: Path) -> None:
    before = sorted(project.rglob("*"))
    typed("doctor")
    assert sorted(project.rglob("*")) == before


def test_doctor_names_what_is_there_and_what_is_missing(project: Path) -> None:
    result = typed("doctor", "--json")
    assert result.exit_code == 1
    found = {finding["what"]: finding for finding in json.loads(result.stdout)}
    assert found["mlflow"]["well"]
    assert found["MLflow"]["found"].startswith("sqlite:///")
    assert found["params.yaml"]["found"] == "eye-colour: blue, brown"
    assert "weights to start from" not in found  # train.init is scratch
    assert (found["pool"]["well"], found["pool"]["advice"]) == (False, "dvc pull data.dvc")
    assert "cores" in found["device"]["found"]


def test_doctor_misses_the_weights_that_training_starts_from(project: Path, settings: Params) -> None:
    asked = settings.model_dump(by_alias=True)
    asked["train"] |= {"init": "rendered", "arch": "mobilenet_v3_small"}
    paths.PARAMS.write_text(yaml.safe_dump(asked))
    missing = "MISSING\tweights to start from\tnone here\t"
    unknown = "train.init: scratch, or another train.arch: none were made for this one"
    assert f"{missing}{unknown}" in typed("doctor").stdout.splitlines()
    paths.RENDERED.mkdir(parents=True)
    (paths.RENDERED / "mobilenet_v3_small.safetensors.dvc").touch()
    assert f"{missing}make data" in typed("doctor").stdout.splitlines()
    (paths.RENDERED / "mobilenet_v3_small.safetensors").write_bytes(b"weights")
    assert missing not in typed("doctor").stdout


def test_summary_says_what_ran_what_came_out_and_what_is_next(train: Train, settings: Params) -> None:
    train(error_rate=0.125)
    times = Path("artifacts/scratch/times")
    times.mkdir(parents=True)
    for stage, ended in (("collect", 100.0), ("train", 200.0)):
        (times / f"{stage}.json").write_text(json.dumps({"seconds": 12.34, "ended": ended}))
    assert "this model is not published; type irisline publish" in typed("summary").stdout
    publishing.publish(settings)
    shown = typed("summary", "--since", "150").stdout
    assert "collect      cached\n" in shown
    assert "train        12.3 s\n" in shown
    assert "test error rate  12.5%, 95 % interval 2.5% to 22.5%, 8 pictures" in shown
    assert "eye-colour version 1 (challenger); live: none" in shown
    assert "Nothing has changed" not in shown
    assert typed("summary", "--since", "300").stdout.startswith("Nothing has changed since the last run.\n")


def test_summary_ends_with_whether_the_model_may_be_used_and_check_is_an_exit_code(
    train: Train, settings: Params
) -> None:
    def ended() -> tuple[list[str], int]:
        result = typed("summary", "--check")
        assert typed("summary").exit_code == 0
        return result.stdout.partition("may be used")[2].strip().splitlines(), result.exit_code

    train(error_rate=0.45)
    assert ended()[0][0] == "NO: it is not published; type irisline publish --promote"
    assert typed("publish", "--promote").exit_code == 0
    lines, code = ended()
    assert (lines[0], len(lines), code) == ("NO: the gate refuses version 1", 2, 1)
    assert lines[1].startswith("  ✗ error_rate: 0.45 is above 0.3 (gate.max_error_rate): train longer")
    assert typed("promote", "--force", "--reason", "to try it").exit_code == 0
    assert ended() == (["yes: version 1 is the champion, past the gate's limits"], 0)
    train(weight=0.06, error_rate=0.05)
    publishing.publish(settings)
    assert ended() == (["NO: version 2 is not promoted; irisline promote 2 does it, or says why not"], 1)
    assert typed("promote").exit_code == 0
    assert ended() == (["yes: version 2 is the champion"], 0)
    assert typed("rollback").exit_code == 0
    assert ended() == (["NO: version 2 was live before; irisline promote 2 brings it back"], 1)


@pytest.mark.parametrize("command", ["versions", "promote", "rollback", "history", "publish"])
def test_a_store_out_of_reach_is_one_line(command: str, train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    train()
    Path("mlflow.db").write_bytes(b"garbage" * 200)
    failure = typed(command).exception
    assert isinstance(failure, IrislineError)
    assert "damaged; restore a copy" in str(failure)
    assert "\n" not in str(failure)
