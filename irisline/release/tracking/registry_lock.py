"""One change of the registry at a time, whichever machine it comes from.

The lock is a registered model of a reserved name: its creation is atomic in every store of MLflow, because the name is
a primary key. Aliases alone are last-writer-wins. Knows nothing of what is done under the lock.
"""

import os
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from irisline.core.errors import Busy
from irisline.release.tracking import store

if TYPE_CHECKING:
    from mlflow import MlflowClient

ABANDONED = 600.0  # seconds: ten minutes, far above the seconds a change takes
BREAKING = 60.0  # seconds after which whoever was clearing an abandoned lock has died too
UNNAMED = 2.0  # seconds for a lock that names no holder to be gone: it was being deleted, or someone made it by hand


@contextmanager
def held(client: "MlflowClient", name: str, what: str, patience: float = 0.0) -> Iterator[None]:
    """Hold the lock of this name while the block runs; raise Busy when another holds it for longer than the patience.

    A lock whose process has died on this machine, or that is ten minutes old, is taken over. Times are in seconds.
    """
    token = uuid.uuid4().hex
    deadline = time.monotonic() + patience
    while not _take(client, name, token, what):
        holder = _holder(client, name)
        if holder and _clear(client, name, holder):
            continue
        if time.monotonic() >= deadline + (0 if holder else UNNAMED):
            raise Busy(_sentence(name, holder))
        time.sleep(0.2)
    try:
        yield
    finally:
        if (holder := _holder(client, name)) and holder["token"] == token:
            _drop(client, name)


def _take(client: "MlflowClient", name: str, token: str, what: str) -> bool:
    tags = {"token": token, "what": what, "who": store.user(), "host": socket.gethostname(), "pid": str(os.getpid())}
    return _create(client, name, {**tags, "since": str(time.time())})


def _create(client: "MlflowClient", name: str, tags: dict[str, str]) -> bool:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name, tags, description="Irisline's lock, held while a version is changed.")
    except MlflowException as error:
        if error.error_code in ("RESOURCE_ALREADY_EXISTS", "RESOURCE_DOES_NOT_EXIST"):
            return False  # the second: it existed, and was gone when MLflow looked which one it was
        raise
    return True


def _holder(client: "MlflowClient", name: str) -> dict[str, str] | None:
    from mlflow.exceptions import MlflowException

    try:
        tags = dict(client.get_registered_model(name).tags)
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return None
        raise
    try:
        float(tags.get("since", "")), int(tags.get("pid", "0"))
    except ValueError:  # deleted between the reads of its row and of its tags, or made by hand
        return None
    return tags


def _drop(client: "MlflowClient", name: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.delete_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise


def _clear(client: "MlflowClient", name: str, holder: dict[str, str]) -> bool:
    """Remove an abandoned lock; say whether it is gone.

    Two that find the same abandoned lock must not both delete: the slower would delete the quicker's new one. So the
    right to clear a token is itself a name that only one can create, and a token never returns once cleared.
    """
    if not _abandoned(holder):
        return False
    right = f"{name}.{holder['token']}"
    if not _create(client, right, {"since": str(time.time())}):
        clearing = _holder(client, right)
        if clearing and time.time() - float(clearing["since"]) > BREAKING:
            _drop(client, right)
        return False
    current = _holder(client, name)
    if current and current["token"] == holder["token"]:
        _drop(client, name)
    _drop(client, right)
    return True


def _abandoned(holder: dict[str, str]) -> bool:
    if time.time() - float(holder["since"]) > ABANDONED:
        return True
    return holder["host"] == socket.gethostname() and not _alive(int(holder["pid"]))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _sentence(name: str, holder: dict[str, str] | None) -> str:
    if holder is None:
        return f"the registered model {name} is a lock that names no holder; delete it in MLflow if nobody is at it"
    since = time.strftime("%H:%M:%S UTC", time.gmtime(float(holder["since"])))
    return f"{holder['who']} is at it ({holder['what']}, since {since}); let it end, then type the same command again"
