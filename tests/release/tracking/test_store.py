"""Where the store is, how it is made, and what its failures say."""

import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from irisline.core.errors import Busy, ReleaseError
from irisline.core.params import Params
from irisline.release.promotion import registry
from irisline.release.publishing import publishing
from irisline.release.tracking import mlflow_ui, registry_lock, store, versions
from tests.release.conftest import Train


def test_it_lies_in_the_project(project: Path) -> None:
    assert store.address() == f"sqlite:///{project}/mlflow.db"
    client = store.client()
    made = client.get_experiment(store.experiment(client, "eye-colour"))
    assert made.artifact_location == (project / "mlartifacts").as_uri()


def test_an_experiment_in_a_copy_uses_the_projects_own(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = project / ".dvc" / "tmp" / "exps" / "tmpabc"
    copy.mkdir(parents=True)
    monkeypatch.chdir(copy)
    assert store.address() == f"sqlite:///{project}/mlflow.db"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://ada:secret@mlflow.example.org/x", "https://mlflow.example.org/x"),
        ("https://ada:se@cret@mlflow.example.org:5000/@x", "https://mlflow.example.org:5000/@x"),
        ("postgresql://ada:secret@db:5432/mlflow", "postgresql://ada:***@db:5432/mlflow"),
        ("postgresql://ada:se@cret@db/mlflow", "postgresql://ada:***@db/mlflow"),
        ("postgresql://ada:se@cret@db:port/mlflow", "postgresql://db:port/mlflow"),
        ("sqlite:////tmp/a b/mlflow.db", "sqlite:////tmp/a b/mlflow.db"),
    ],
)
def test_a_password_is_never_shown(address: str, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    assert store.shown_address() == shown


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://ada:secret@mlflow.example.org/x", "https://mlflow.example.org/x"),
        ("postgresql://ada:secret@db:5432/mlflow", "postgresql://db:5432/mlflow"),
    ],
)
def test_it_is_shown_where_no_database_library_is(address: str, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    for absent in ("sqlalchemy", "sqlalchemy.engine", "sqlalchemy.exc"):
        monkeypatch.setitem(sys.modules, absent, None)
    assert store.shown_address() == shown


@pytest.mark.parametrize("address", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///file:a?uri=true"])
def test_an_address_without_a_database_file_is_said(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    with pytest.raises(ReleaseError, match=r"names no database file; write it as sqlite:////folder/mlflow\.db"):
        store.client()


def test_a_database_without_its_driver_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "postgresql://ada:secret@127.0.0.1:9/mlflow")
    with pytest.raises(ReleaseError, match=r"ada:\*\*\*@127.*No module named 'psycopg2?'; install it, or correct"):
        store.client()


def test_a_file_in_place_of_the_files_folder_is_a_warning(
    train: Train, settings: Params, capsys: pytest.CaptureFixture[str]
) -> None:
    train()
    Path(store.FILES).write_text("in the way")
    publishing.publish_or_warn(settings)
    said = capsys.readouterr().err
    assert said.startswith("not published: MLflow at sqlite:///")
    assert (said.count("\n"), "mlartifacts" in said) == (1, True)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["50% of things", "as %41 is A", "why? #1 @home"])
def test_a_folder_may_be_called_anything(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / name
    home.mkdir()
    monkeypatch.chdir(home)
    client = store.client()
    run = client.create_run(store.experiment(client, "eye-colour")).info.run_id
    client.log_text(run, "kept", "a.txt")
    assert (home / store.DATABASE).is_file()
    assert next((home / store.FILES).rglob("a.txt")).read_text() == "kept"


def test_who_is_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    assert store.user() == "ada@bench"
    monkeypatch.delenv("IRISLINE_USER")
    assert "@" in store.user()


def test_a_damaged_database_is_said_at_once(project: Path) -> None:
    Path("mlflow.db").write_bytes(b"not a database at all" * 100)
    started = time.monotonic()
    with pytest.raises(
        ReleaseError, match=r"mlflow\.db: damaged; restore a copy, or move it away and type irisline publish"
    ):
        store.client()
    assert time.monotonic() - started < 2


def test_a_database_cut_off_while_it_was_made_is_said(project: Path) -> None:
    Path("mlflow.db").write_bytes(b"")
    with pytest.raises(ReleaseError, match="damaged"):
        store.client()


def test_a_locked_database_is_said(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "PATIENCE", 0.2)
    with closing(sqlite3.connect("mlflow.db")) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(Busy, match="another program holds the database; let it end"):
            store.client()
    store.client()


def test_bugs_keep_their_traceback() -> None:
    with pytest.raises(ZeroDivisionError), store.one_line_failures():
        raise ZeroDivisionError


FIRST_USE = """
import sys
from irisline.release.tracking import store
client = store.client()
store.experiment(client, sys.argv[1])
print(client.get_experiment_by_name(sys.argv[1]).name)
"""


@pytest.mark.slow
def test_first_use_by_many_at_once_makes_one_whole_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mlflow.db.partial").write_bytes(b"what a killed first use left")
    names = ["one", "two", "three"]
    many = [
        subprocess.Popen([sys.executable, "-c", FIRST_USE, name], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
        for name in names
    ]
    assert [process.communicate(timeout=120)[0].strip() for process in many] == names
    monkeypatch.chdir(tmp_path)
    assert {found.name for found in store.client().search_experiments()} == {"Default", *names}
    assert not Path("mlflow.db.partial").exists()


@pytest.fixture
def server(
    tmp_path_factory: pytest.TempPathFactory, empty_store: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """Yield the address of an MLflow server that keeps the files too, as a team has it."""
    home, port = tmp_path_factory.mktemp("server"), free_port()
    shutil.copyfile(empty_store, home / "mlflow.db")
    words = ["--backend-store-uri", f"sqlite:///{home}/mlflow.db", "--artifacts-destination", str(home / "files")]
    command = [sys.executable, "-m", "mlflow", "server", *words, "--port", str(port), "--workers", "1"]
    monkeypatch.setenv("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
    address = f"http://127.0.0.1:{port}"
    with (home / "log").open("w") as log, subprocess.Popen(command, cwd=home, stderr=log, stdout=log) as process:
        try:
            wait_for(f"{address}/health")
            monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
            yield address
        finally:
            process.terminate()


@pytest.mark.slow
def test_a_server_serves_as_well_as_a_file(
    train: Train, settings: Params, server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for weight in (0.05, 0.06):
        train(weight=weight)
        publishing.publish(settings)
    assert not publishing.publish(settings).changed
    registry.promote(settings, 1)
    registry.promote(settings)
    registry.rollback(settings)
    assert versions.aliases_of(store.client(), "eye-colour") == {"champion": 1, "previous": 2}
    assert [entry.change.after for entry in registry.history(settings)[0]] == [1, 2, 1]
    assert registry.classifier(settings)[0].number == 1
    assert not Path("mlartifacts").exists()
    with registry_lock.held(store.client(), "eye-colour.lock", "test"), pytest.raises(Busy, match="ada@bench is at it"):
        registry.promote(settings, 2)
    mlflow_ui.serve(settings, port=1)
    assert f"{server}/#/experiments/1/runs?workflowType=machine_learning" in capsys.readouterr().out


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(address: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(address, timeout=2).close()
            return
        except OSError:
            assert time.monotonic() < deadline, f"{address} does not answer"
            time.sleep(0.2)
