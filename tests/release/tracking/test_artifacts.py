"""Addresses, times and rows that others write into the database: nothing outside of the store is touched, nothing is hidden."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from irisline.core.errors import IrislineError, ReleaseError
from irisline.core.params import Params
from irisline.release.promotion import journal, registry
from irisline.release.publishing import publishing
from irisline.release.signatures import signed
from irisline.release.tracking import artifacts, lineage, store, versions
from tests.release.conftest import Train
from tests.release.tracking.test_broken import set_tag, typed


def write(statement: str, *values: object) -> None:
    """Change the database as whoever may write to it could."""
    with closing(sqlite3.connect(store.DATABASE)) as database, database:
        database.execute(statement, values)


@pytest.mark.parametrize("more", ["", "?x", "#x", "/../../victim"])
def test_publish_writes_and_deletes_nothing_outside_of_the_store(more: str, train: Train, settings: Params) -> None:
    train()
    publishing.publish(settings)
    victim = Path("victim")
    victim.mkdir()
    (victim / "thesis.txt").write_text("years of work")
    address = (
        f"{victim.absolute().as_uri()}{more}" if ".." not in more else f"{Path(store.FILES).absolute().as_uri()}{more}"
    )
    write("UPDATE logged_models SET artifact_location = ?", address)
    for command in ("publish", "sign 1 --trust-verdict", "promote 1"):
        failure = typed(command).exception
        assert failure is None or isinstance(failure, IrislineError), (command, failure)
    assert [path.name for path in victim.rglob("*")] == ["thesis.txt"]


@pytest.mark.parametrize("address", ["file://[x", "file:///a?b", "file://host/a", f"file:///{'x' * 300}"])
def test_an_address_that_makes_no_sense_is_refused(address: str, project: Path) -> None:
    with pytest.raises(ReleaseError):
        artifacts.writable(address)


def test_what_is_signed_is_what_is_known_here(train: Train, settings: Params) -> None:
    train()
    publishing.publish(settings)
    run = registry.find(settings, 1).run_id
    here = lineage.source_tags()
    client = store.client()
    for name, text in ((lineage.COMMIT, "deadbeef"), (lineage.DIRTY, "no"), (lineage.POOL, "evil"),
                       (versions.PICTURES, "{")):  # fmt: skip
        client.set_tag(run, name, text)
    publishing.publish(settings)
    told = signed.verified(client, "eye-colour", versions.get(client, "eye-colour", 1)).signed.manifest
    assert told.source.git_commit == here[lineage.COMMIT]
    assert told.source.data_md5 == here[lineage.POOL]


ROWS = [
    ("UPDATE model_versions SET storage_location = ? WHERE version = 1", "http://[x"),
    ("UPDATE model_versions SET storage_location = ? WHERE version = 1", f"file:///{'x' * 300}"),
    ("UPDATE model_versions SET creation_time = ? WHERE version = 1", None),
    ("UPDATE model_versions SET creation_time = ? WHERE version = 1", 10**18),
    ("UPDATE experiments SET artifact_location = ?", "file://[x"),
]


@pytest.mark.parametrize(("statement", "value"), ROWS)
def test_a_row_of_nonsense_hides_no_other(statement: str, value: object, published: Params) -> None:
    write(statement, value)
    for command in ("versions", "lineage 1", "promote 1", "lineage 2"):
        failure = typed(command).exception
        assert failure is None or isinstance(failure, IrislineError), (command, failure)
    assert typed("versions").stdout.splitlines()[1].startswith("2\t")
    assert registry.promote(published, 2).after == 2


def test_an_address_in_a_folder_that_may_not_be_looked_into_is_followed(published: Params) -> None:
    hidden = f"file:///{'x' * 300}/{store.FILES}"  # stat of it fails, as in a folder of another person
    write("UPDATE experiments SET artifact_location = ?", hidden)
    assert typed("versions").exception is None


def test_a_lock_that_somebody_made_by_hand_is_told(published: Params) -> None:
    store.client().create_registered_model("eye-colour.lock", {"since": "yesterday"})
    failure = typed("promote 2").exception
    assert isinstance(failure, IrislineError)
    assert "is a lock that names no holder; delete it in MLflow" in str(failure)


def test_an_interval_with_one_end_is_left_out(published: Params) -> None:
    set_tag(1, versions.METRICS, '{"error_rate": 0.1, "error_rate_low": 0.0}')
    set_tag(1, signed.TAG, "none")
    assert typed("lineage 1").exception is None


def test_a_change_that_was_killed_before_its_previous_version_was_deleted_is_settled(published: Params) -> None:
    registry.promote(published, 2)
    store.client().delete_model_version("eye-colour", "1")
    journal.begin(store.client(), "eye-colour", journal.Change("promote", 2, 3, 1, "-", (), "0"))
    registry.settle(store.client(), "eye-colour")
    assert [entry.state for entry in registry.history(published)[0]] == ["cut off", "done"]


def test_a_tag_of_others_breaks_nothing(published: Params) -> None:
    set_tag(1, "note", "x" * 120_000)
    assert registry.promote(published, 1).after == 1


@pytest.mark.parametrize("kind", ["lost", "a folder"])
def test_a_signature_that_is_lost_is_made_anew(kind: str, published: Params, monkeypatch: pytest.MonkeyPatch) -> None:
    set_tag(1, signed.TAG, "0123456789abcdef")
    if kind == "a folder":
        source = store.client().get_model_version("eye-colour", "1").source.removeprefix("models:/")
        (place,) = (found for found in Path(store.FILES).rglob(f"{source}/artifacts/signed"))
        (place / "0123456789abcdef" / "manifest.json").mkdir(parents=True)
    failure = typed("promote 1").exception
    assert "its signature is not in the store; type irisline sign 1" in str(failure)
    assert typed("sign 1 --trust-verdict").exception is None
    assert registry.promote(published, 1).after == 1


def test_a_long_fault_is_a_short_line(published: Params) -> None:
    client = store.client()
    version = versions.get(client, "eye-colour", 1)
    documents = signed.verified(client, "eye-colour", version).documents
    long = json.loads(documents["model.sig"]) | {"x" * 1_000_000: 1}
    signed.attach(client, "eye-colour", version, documents | {"model.sig": json.dumps(long).encode()})
    failure = typed("promote 1").exception
    assert isinstance(failure, IrislineError)
    assert len(str(failure)) < 1000
