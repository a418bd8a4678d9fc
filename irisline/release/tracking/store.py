"""Where runs and versions are kept: which store, made once, silent, its failures in one line.

The only place that knows MLflow's address, environment and exceptions. Knows nothing of what is kept there.
"""

import getpass
import os
import re
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from irisline.core import console, locks, paths, stage
from irisline.core.errors import Busy, IrislineError, NotFound, ReleaseError
from irisline.release.tracking import moved_project

if TYPE_CHECKING:
    from mlflow import MlflowClient

DATABASE = "mlflow.db"
FILES = "mlartifacts"
PATIENCE = 5.0  # seconds to wait for another writer of the database
UNREACHED = ("Connection", "Max retries", "timed out", "Name or service", "could not connect", "could not translate")

# Short retries: a person waits at the other end. What the caller has set already stays.
_PATIENCE = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_LOGGING_LEVEL": "CRITICAL",  # what it logs it raises too, and that is told in one line
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}


def home() -> Path:
    """Return the absolute folder the store belongs to: the project, also when DVC runs an experiment in a copy of it."""
    root = Path.cwd()
    for folder in (root, *root.parents):
        if folder.parts[-3:] == (".dvc", "tmp", "exps"):
            return folder.parents[2]
    return root


def address() -> str:
    """Return the tracking URI: MLFLOW_TRACKING_URI when set, else the project's own SQLite file."""
    return os.environ.get("MLFLOW_TRACKING_URI") or _sqlite(home() / DATABASE)


def shown_address() -> str:
    """Return the tracking URI fit for a screen: without a password."""
    try:
        return _shown_server(address()) if is_remote() else _shown_database(address())
    except (ValueError, ImportError):
        return re.sub(r"//.*@", "//", address())


def is_remote() -> bool:
    """Return whether a server keeps the files too."""
    return address().startswith(("http:", "https:"))


def client() -> "MlflowClient":
    """Return a client of the store, made first if it does not exist; raise ReleaseError when it cannot be used."""
    for name, value in _PATIENCE.items():
        os.environ.setdefault(name, value)
    os.environ.update(stage.QUIET)
    with one_line_failures():
        if address().startswith("sqlite"):
            _open_database(_database_file())
        return _connect(address())


def experiment(client: "MlflowClient", name: str) -> str:
    """Return the id of an experiment, made if it does not exist; its files lie in the project or with the server."""
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            return client.create_experiment(name, None if is_remote() else (home() / FILES).as_uri())
        except MlflowException as error:
            found = client.get_experiment_by_name(name)  # another process was quicker
            if found is None:
                raise error
    if found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    return str(found.experiment_id)


@contextmanager
def one_line_failures() -> Iterator[None]:
    """Turn what MLflow, SQLAlchemy or SQLite raise inside the block into one ReleaseError that says what to do.

    The same for a disk that is full or not writable, and for a database whose driver is not installed.
    """
    try:
        yield
    except IrislineError:
        raise
    except Exception as error:
        foreign = type(error).__module__.startswith(("mlflow.", "sqlalchemy.", "sqlite3", "requests."))
        if not foreign and not isinstance(error, OSError | ImportError):  # the disk; a database's driver
            raise
        raise _in_one_line(error) from error


def user() -> str:
    """Return who is at work: IRISLINE_USER when set, else user@host."""
    named = os.environ.get("IRISLINE_USER")
    if named:
        return named
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container may run as a number without a name
        user = f"uid-{os.getuid()}"
    return f"{user}@{socket.gethostname()}"


def _shown_server(uri: str) -> str:
    parts = urlsplit(uri)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _shown_database(uri: str) -> str:
    from sqlalchemy.engine import make_url  # absent where a service follows a server
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(uri)  # takes a password to end at its first @: the rest of it is in the host
    except ArgumentError as error:
        raise ValueError(uri) from error
    return url.set(host=(url.host or "").rpartition("@")[2] or None).render_as_string(hide_password=True)


def _connect(uri: str) -> "MlflowClient":
    import mlflow

    mlflow.set_tracking_uri(uri)
    if mlflow.get_registry_uri() != uri and "MLFLOW_REGISTRY_URI" not in os.environ:
        mlflow.set_registry_uri(uri)
    return mlflow.MlflowClient()


def _sqlite(file: Path) -> str:
    """Return the address of a database file, whatever signs its path holds."""
    from sqlalchemy.engine import URL, make_url

    plain = f"sqlite:///{file}"
    if make_url(plain).database == str(file):
        return plain
    return URL.create("sqlite", database=str(file)).render_as_string()  # escaped


def _database_file() -> Path:
    from sqlalchemy.engine import make_url

    named = make_url(address()).database
    if not named or named.startswith((":memory:", "file:")):
        raise ReleaseError(
            f"MLflow at {shown_address()}: names no database file; write it as sqlite:////folder/mlflow.db"
        )
    return Path(named).absolute()


def _open_database(file: Path) -> None:
    """Check a SQLite store before MLflow does, which would retry a damaged file for minutes; make an absent one."""
    if not file.exists():
        _create_once(file)
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=rw", uri=True, timeout=PATIENCE)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("SELECT version_num FROM alembic_version")
        gone = moved_project.follow(connection, home() / FILES) if file == home() / DATABASE else None
        connection.commit()
    if gone:
        console.fail(f"{file}: the project was moved from {gone.parent}; the addresses of its files have followed")


def _create_once(file: Path) -> None:
    """Make the tables beside the file's place, then move them there: parallel or cut-off first use cannot break it."""
    from mlflow import MlflowClient

    with locks.held(home() / paths.SCRATCH / "locks" / "store"):
        if file.exists():
            return
        partial = file.with_name(f"{file.name}.partial")
        partial.unlink(missing_ok=True)
        MlflowClient(_sqlite(partial), _sqlite(partial)).search_experiments(max_results=1)
        partial.rename(file)


def _in_one_line(error: Exception) -> ReleaseError:
    text = " ".join(str(error).split())
    place = f"MLflow at {shown_address()}"
    if "database is locked" in text:
        return Busy(f"{place}: another program holds the database; let it end, then type the same command again")
    if "not a database" in text or "malformed" in text or "no such table" in text:
        return ReleaseError(f"{place}: damaged; restore a copy, or move it away and type irisline publish")
    if "unable to open database file" in text:
        return ReleaseError(f"{place}: the database cannot be opened; mind who owns it and its folder")
    if on_disk := paths.disk_failure(error):
        return ReleaseError(f"{place}: {on_disk}")
    if getattr(error, "error_code", "") == "RESOURCE_DOES_NOT_EXIST":
        return NotFound(f"{place}: {text[:200]}")
    if any(sign in text for sign in UNREACHED):
        return ReleaseError(f"{place}: cannot be reached; start it or correct MLFLOW_TRACKING_URI, then try again")
    if isinstance(error, ImportError):
        return ReleaseError(f"{place}: {text[:200]}; install it, or correct MLFLOW_TRACKING_URI")
    return ReleaseError(f"{place}: {text[:200]}")
