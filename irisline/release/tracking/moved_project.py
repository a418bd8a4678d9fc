"""The project's own store after its folder was moved or copied: MLflow writes absolute addresses, and they follow.

Knows the tables of MLflow that hold addresses, and nothing of what lies there.
"""

import sqlite3
from pathlib import Path
from urllib.parse import unquote, urlsplit

_ADDRESSES = (
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "storage_location"),
)


def follow(connection: sqlite3.Connection, files: Path) -> Path | None:
    """Let addresses in a folder of the same name elsewhere point to this one; return where it was, if it is there no more.

    What is still there and not here stays as it is, as when a database was copied without its files. A database that may
    only be read stays too.
    """
    here, gone = files.as_uri(), None
    rows = connection.execute(
        "SELECT DISTINCT artifact_location FROM experiments WHERE artifact_location LIKE 'file:%'"
    )
    for (there,) in rows.fetchall():
        if there == here or _path(there).name != files.name:
            continue
        try:
            _follow(connection, there, here)
        except sqlite3.OperationalError as error:
            if "readonly" not in str(error):
                raise
            return None
        if not _exists(there):
            gone = _path(there)
    return gone


def _follow(connection: sqlite3.Connection, there: str, here: str) -> None:
    def moved(address: str) -> str:
        now = here + address.removeprefix(there)
        return address if _exists(address) and not _exists(now) else now

    connection.create_function("moved", 1, moved)
    for table, column in _ADDRESSES:
        where = f"substr({column}, 1, {len(there) + 1}) = ?"
        connection.execute(f"UPDATE {table} SET {column} = moved({column}) WHERE {where}", (f"{there}/",))  # noqa: S608
    connection.execute("UPDATE experiments SET artifact_location = ? WHERE artifact_location = ?", (here, there))


def _exists(address: str) -> bool:
    """Return whether something is there that may be looked at."""
    try:
        return _path(address).exists()
    except (OSError, ValueError):  # in a folder of another person, or an address that makes no sense
        return False


def _path(address: str) -> Path:
    try:
        return Path(unquote(urlsplit(address).path))
    except ValueError:
        return Path("/")
