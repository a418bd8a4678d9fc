"""What others write into the store: nonsense in one version or entry is one line, and hides nothing else."""

import json
import shutil
import sqlite3
from contextlib import closing
from itertools import product
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from irisline.cli import app
from irisline.core import paths
from irisline.core.errors import IrislineError
from irisline.core.params import Params
from irisline.release.promotion import journal, registry
from irisline.release.tracking import store, version_tags, versions
from tests.release.conftest import BLUE, Train

JSON_TAGS = (
    version_tags.GATE,
    version_tags.METRICS,
    version_tags.LICENCES,
    version_tags.PROVIDERS,
    version_tags.PICTURES,
)
NONSENSE = [
    "{",
    "null",
    "[]",
    "7",
    '"text"',
    '{"passed": 1}',
    '{"error_rate": "low"}',
    "[" * 5000,
    "x" * 100_001,
    "\x1b[2J",
]
OF_ONE = (
    "promote 1",
    "rollback --to 1",
    "lineage 1",
    "predict blue.jpg --version 1",
    "bento --version 1",
    "serve --version 1",
)


def typed(line: str) -> Result:
    return CliRunner().invoke(app.app, line.split(), catch_exceptions=True)


def set_tag(number: int, name: str, text: str) -> None:
    """Write a tag as a person at the database could: MLflow's own limits do not hold there."""
    with closing(sqlite3.connect(store.DATABASE)) as database, database:
        database.execute("DELETE FROM model_version_tags WHERE version = ? AND key = ?", (number, name))
        row = ("eye-colour", number, name, text, "default")
        database.execute(
            "INSERT INTO model_version_tags (name, version, key, value, workspace) VALUES (?, ?, ?, ?, ?)", row
        )


NAMES = (*JSON_TAGS, version_tags.DIGEST, version_tags.PRECISION, version_tags.RUN)
SENSE = {
    *((name, "null") for name in (version_tags.GATE, version_tags.PICTURES)),
    *((name, '{"passed": 1}') for name in (version_tags.METRICS, version_tags.LICENCES, version_tags.PROVIDERS)),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_tag_of_nonsense_is_one_line_of_its_version(name: str, published: Params) -> None:
    told = registry.listing(published)[1].tags[name]
    for text in (text for text in NONSENSE if (name, text) not in SENSE):
        set_tag(1, name, text)
        _, second, first = typed("versions").stdout.splitlines()
        assert "passed" in second.split("\t")
        assert f"broken: {name}: " in first, text
        assert "type irisline publish" in first
        assert len(registry.listing(published)[1].broken) < 400
        for command in ("promote 1", "lineage 1"):
            failure = typed(command).exception
            assert isinstance(failure, IrislineError), (text, command, failure)
            assert str(failure).startswith(f"eye-colour version 1 is broken: {name}: ")
    assert registry.promote(published, 2).after == 2
    set_tag(1, name, told)
    assert not registry.listing(published)[1].broken


def test_a_version_without_our_tags_is_broken_and_hides_nothing(published: Params) -> None:
    store.client().create_model_version("eye-colour", "s3://bucket/others", None)
    third, second, first = registry.listing(published)
    assert third.broken.startswith("irisline.digest: is not there; ")
    assert not second.broken + first.broken


def test_every_command_about_a_broken_version_is_one_line(published: Params) -> None:
    Path("blue.jpg").write_bytes(BLUE)
    set_tag(1, version_tags.GATE, "{")
    for command in OF_ONE:
        failure = typed(command).exception
        assert isinstance(failure, IrislineError), (command, failure)
        assert "version 1 is broken: irisline.gate: " in str(failure)
    assert [version["broken"] is None for version in json.loads(typed("versions --json").stdout)] == [True, False]


ENTRY = ("irisline.from", "irisline.to", "irisline.previous", "irisline.gate", "irisline.why", "irisline.who")


def test_an_entry_of_nonsense_is_one_line_of_the_journal(published: Params) -> None:
    registry.promote(published, 1)
    registry.promote(published, 2)
    entry = registry.history(published)[0][1].entry_id
    with closing(sqlite3.connect(store.DATABASE)) as database:
        kept = database.execute("SELECT * FROM tags WHERE run_uuid = ?", (entry,)).fetchall()
    for name, text in product(ENTRY, (None, "{", "x" * 20_000, "-1")):
        with closing(sqlite3.connect(store.DATABASE)) as database, database:
            if text is None:
                database.execute("DELETE FROM tags WHERE run_uuid = ? AND key = ?", (entry, name))
            else:
                database.execute("UPDATE tags SET value = ? WHERE run_uuid = ? AND key = ?", (text, entry, name))
        lines = typed("history").stdout.splitlines()
        assert len(lines) == 3, (name, text)
        assert "\tpromote\t1\t2\t" in lines[1]
        readable = text is not None and name in ("irisline.why", "irisline.who") and len(text) < 10_000
        assert (f"broken: {name}: " in lines[2]) is not readable, (name, text)
        assert journal.was_live(store.client(), "eye-colour", 2)
        assert registry.live_at(published, "2999-01-01").change.after == 2
        assert json.loads(typed("history --json").stdout)[0]["state"] == "done"
        with closing(sqlite3.connect(store.DATABASE)) as database, database:
            database.execute("DELETE FROM tags WHERE run_uuid = ?", (entry,))
            database.executemany(f"INSERT INTO tags VALUES ({', '.join('?' * len(kept[0]))})", kept)


def test_an_entry_of_no_time_is_one_line(published: Params) -> None:
    registry.promote(published, 1)
    entry = registry.history(published)[0][0].entry_id
    with closing(sqlite3.connect(store.DATABASE)) as database, database:
        database.execute("UPDATE runs SET start_time = ? WHERE run_uuid = ?", (10**18, entry))
    assert "broken: " in typed("history").stdout
    assert registry.promote(published, 2).after == 2


@pytest.mark.parametrize("number", ["x", "4; drop", "-1", "1.5"])
def test_an_alias_that_names_no_number_is_no_alias(number: str, published: Params) -> None:
    registry.promote(published, 1)
    with closing(sqlite3.connect(store.DATABASE)) as database, database:
        database.execute("UPDATE registered_model_aliases SET version = ? WHERE alias = 'champion'", (number,))
    assert versions.aliases_of(store.client(), "eye-colour").get("champion") is None
    for command in ("versions", "history", "summary"):
        failure = typed(command).exception
        assert failure is None or isinstance(failure, IrislineError), (command, failure)
    assert registry.promote(published, 2).after == 2


FILES = ("model.json", "calibration.json", "golden/answers.json", "model.onnx", "neighbours.npz")
COMMANDS = (*OF_ONE[:-2], "versions", "history", "live-at 2999-01-01", "predict blue.jpg --version 2", "summary")


@pytest.mark.slow
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(
    place=st.sampled_from(
        [
            *JSON_TAGS,
            version_tags.DIGEST,
            version_tags.RUN,
            version_tags.PRECISION,
            version_tags.PRECISION_REASON,
            *FILES,
        ]
    ),
    text=st.one_of(
        st.sampled_from(NONSENSE),
        st.text(max_size=50),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["passed", "checks", "a"]), inner)
            ),
            max_leaves=5,
        ).map(json.dumps),
    ),
)
def test_whatever_is_written_no_command_ends_in_a_traceback(published: Params, place: str, text: str) -> None:
    Path("blue.jpg").write_bytes(BLUE)
    before = registry.listing(published)[1]
    text = text.replace("\0", "").encode("utf-8", "replace").decode()
    kept = versions.fetch(store.client(), "eye-colour", before)
    try:
        if place.startswith("irisline."):
            set_tag(1, place, text)
        else:
            (kept / place).write_text(text)
            digest = versions._digest(kept)
            set_tag(1, version_tags.DIGEST, digest)
            if not digest.startswith("none"):
                kept.rename(kept.with_name(digest))
                kept = kept.with_name(digest)
        for command in COMMANDS:
            failure = typed(command).exception
            assert failure is None or isinstance(failure, IrislineError | SystemExit), (place, text, command, failure)
        assert any("\t" in line and line.startswith("2\t") for line in typed("versions").stdout.splitlines())
    finally:
        for name, value in before.tags.items():
            set_tag(1, name, value)
        shutil.rmtree(kept)  # the next fetch downloads the whole version


OF_THE_WORKSPACE = {
    paths.TRAINED / "model.json": ('{"classes": [1, 2]}', '{"classes": ["a"]}', '{"max_side": true}', '{"digest": []}'),
    paths.CALIBRATED / "calibration.json": ('{"temperature": "x"}', '{"temperature": 0}', '{"unsure_threshold": null}'),
    paths.EVALUATE_REPORT / "precision.json": ('{"chosen": "int4"}', '{"reason": 7}'),
    paths.EVALUATE_REPORT / "gate.json": ('{"passed": "perhaps"}', '{"checks": [null]}'),
    paths.EVALUATE_REPORT / "metrics.json": ('{"error_rate": null}', '{"test_images": "many"}'),
}


@pytest.mark.parametrize(
    ("file", "text"),
    [(file, text) for file, texts in OF_THE_WORKSPACE.items() for text in ("null", "[]", "{", *texts)],
    ids=str,
)
def test_a_file_of_the_workspace_that_says_nonsense_is_named_in_one_line(file: Path, text: str, train: Train) -> None:
    train()
    Path("blue.jpg").write_bytes(BLUE)
    partly = text.startswith("{") and len(text) > 1
    file.write_text(json.dumps(json.loads(file.read_text()) | json.loads(text)) if partly else text)
    asks = file.parent in (paths.TRAINED, paths.CALIBRATED)
    failure = typed("predict blue.jpg --workspace --no-draw" if asks else "publish").exception
    assert isinstance(failure, IrislineError), failure
    assert str(file.parent) in str(failure)
    assert len(str(failure)) < 400
