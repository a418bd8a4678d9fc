"""Labels under review: listed until somebody decides, decided by id, told by the command line what to type next."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.testing import CliRunner

from irisline.cli import app
from irisline.core import paths
from irisline.core.errors import DataError, MissingInput
from irisline.dataset import images, shards
from irisline.labels import decisions, review
from tests.planted import CLASSES, document, picture, saved, settings

LIMITS = settings().collect


@pytest.fixture
def pool(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a pool of three pictures, two of them suspect, and what the labels stage said of it."""
    monkeypatch.setenv("IRISLINE_USER", "ada")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767225600")
    paths.PARAMS.write_text(yaml.safe_dump(document()))
    rows = []
    for rank, (name, confidence) in enumerate((("blue/1.jpg", 0.05), ("brown/1.jpg", 0.2), ("blue/2.jpg", 0.9)), 1):
        file = paths.POOL / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(saved(picture(key=rank)))
        row = {"id": name, "label": name.split("/")[0], "sha256": digest(file), "split": "train", "suggested": "brown"}
        rows.append(row | {"confidence": confidence, "suspect": confidence < 0.3, "rank": rank})
    shards.write(paths.LABELLED, shards.LABELLED, 8, rows)
    return paths.POOL


def digest(file: Path) -> str:
    return images.pixel_digest(images.decode(file.read_bytes(), LIMITS.max_side, LIMITS.max_pixels))


def irisline(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(app.app, ["labels", *words])
    assert done.exit_code == code, done.output
    return done.output


def lines() -> list[dict[str, str]]:
    with (paths.POOL / paths.LABEL_PATCHES).open(newline="") as file:
        return list(csv.DictReader(file))


def open_ids() -> list[str]:
    return [label.id for label in review.listed(CLASSES) if label.open]


def test_a_suspect_is_listed_until_somebody_decides(pool: Path) -> None:
    assert open_ids() == ["blue/1.jpg", "brown/1.jpg"]
    assert irisline().splitlines()[1] == "1\tblue/1.jpg\tblue\tbrown\t0.05\ttrain\t-"
    assert irisline("list", "--limit", "1").splitlines()[2] == "1 more: --limit 2"
    irisline("accept", "blue/1.jpg")
    assert open_ids() == ["brown/1.jpg"]
    irisline("reject", "brown/1.jpg", "--why", "no eye")
    assert irisline() == "no label waits for a decision\n"
    listed = json.loads(irisline("list", "--all", "--json"))
    assert json.loads(irisline("--all", "--json")) == listed
    assert "give it behind the verb: irisline labels list" in irisline("--json", "list", code=2)
    assert [(label["id"], label["decision"]) for label in listed] == [
        ("blue/1.jpg", "accept blue"), ("brown/1.jpg", "reject"), ("blue/2.jpg", None),
    ]  # fmt: skip
    assert (listed[0]["confidence"], listed[0]["suggested"], listed[0]["suspect"]) == (0.05, "brown", True)


def test_a_decision_says_all_that_is_asked_of_it_later(pool: Path) -> None:
    said = irisline("set", "data/blue/1.jpg", "blue/2.jpg", "brown", "--why", "looked\ntwice")
    assert said.splitlines() == [
        "blue/1.jpg: set brown",
        "blue/2.jpg: set brown",
        "data/label_patches.csv: 2 new; type dvc add data && make repro",
    ]
    assert lines()[0] == {
        "id": "blue/1.jpg", "sha256": digest(pool / "blue" / "1.jpg"), "action": "set", "label": "brown", "previous": "blue",
        "who": "ada", "when": "2026-01-01T00:00:00Z", "why": "looked twice", "confidence": "0.0500",
    }  # fmt: skip
    assert irisline("set", "blue/1.jpg", "brown") == "data/label_patches.csv: says so already, nothing to do\n"
    assert len(lines()) == 2


def test_another_decision_needs_to_say_that_it_replaces(pool: Path) -> None:
    irisline("accept", "blue/1.jpg")
    refused = CliRunner().invoke(app.app, ["labels", "set", "blue/1.jpg", "brown"])
    assert isinstance(refused.exception, DataError)
    assert "line 2 says accept blue of blue/1.jpg already (ada, " in str(refused.exception)
    irisline("set", "blue/1.jpg", "brown", "--replace")
    assert [(line["action"], line["label"]) for line in lines()] == [("set", "brown")]


def test_a_picture_under_another_name_keeps_what_is_known_of_its_pixels(pool: Path) -> None:
    (pool / "blue" / "1.jpg").rename(pool / "blue" / "renamed.jpg")
    (label,) = review.of_pictures(["blue/renamed.jpg"], CLASSES, LIMITS)
    assert (label.id, label.confidence, label.rank) == ("blue/renamed.jpg", 0.05, 1)
    (pool / "blue" / "new.jpg").write_bytes(saved(picture(key="new")))
    (label,) = review.of_pictures(["blue/new.jpg"], CLASSES, LIMITS)
    assert (label.given, label.confidence, label.suspect) == ("blue", None, False)


def test_one_wrong_id_and_nothing_is_decided(pool: Path) -> None:
    for name in ("blue/3.jpg", "sources.csv", "blue/../blue/1.jpg", "green/1.jpg"):
        with pytest.raises(MissingInput, match=r"no such picture; irisline labels lists them, as blue/<file>$"):
            review.of_pictures(["blue/1.jpg", name], CLASSES, LIMITS)
    (pool / "blue" / "broken.jpg").write_bytes(b"<html>")
    broken = CliRunner().invoke(app.app, ["labels", "accept", "blue/1.jpg", "blue/broken.jpg"])
    assert str(broken.exception).endswith("picture; it stays out already, there is nothing to decide")
    assert decisions.read(pool / paths.LABEL_PATCHES, CLASSES) == []


def test_a_label_that_is_no_class_and_a_rejection_without_a_reason_are_usage_errors(pool: Path) -> None:
    assert "'green' is not one of base.classes (blue, brown)" in irisline("set", "blue/1.jpg", "green", code=2)
    irisline("reject", "blue/1.jpg", code=2)
    irisline("set", "brown", code=2)
    assert not (pool / paths.LABEL_PATCHES).exists()


def test_before_a_run_there_is_nothing_to_list(project: Path) -> None:
    with pytest.raises(MissingInput, match=r"artifacts/labels: no shards here; type dvc repro"):
        review.listed(CLASSES)


def test_every_decision_has_help_and_an_example() -> None:
    group: Any = typer.main.get_group(app.app).commands["labels"]
    assert set(group.commands) == {"list", "accept", "reject", "set"}
    for name, command in group.commands.items():
        assert command.help, name
        assert command.epilog.startswith(f"Example: irisline labels {name}"), name
