"""One change of the registry at a time, whichever machine it comes from.

The lock is a registered model of a reserved name: its creation is atomic in every store of MLflow, because the name is
a primary key. Aliases alone are last-writer-wins. Clocks differ and laptops sleep, so a lock may be taken over from one
that goes on later: the client that a holder is given changes nothing once the lock is another's.
Knows nothing of what is done under the lock.
"""

import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from irisline.core.errors import Busy
from irisline.release.tracking import store

if TYPE_CHECKING:
    from mlflow import MlflowClient

ABANDONED = 600.0  # seconds: ten minutes, far above the seconds a change takes
BREAKING = 60.0  # seconds after which whoever was clearing an abandoned lock has died too
UNNAMED = 2.0  # seconds for a lock that names no holder to be gone: it was being deleted, or someone made it by hand
_LATEST = 253_402_300_800.0  # seconds since 1970: the year 10000
_READING = ("get_", "search_", "list_", "download_", "load_")  # how the methods of a client begin that change nothing


@contextmanager
def held(client: "MlflowClient", name: str, what: str, patience: float = 0.0) -> Iterator["MlflowClient"]:
    """Hold the lock of this name while the block runs; raise Busy when another holds it for longer than the patience.

    Yield the client to change the registry with: it raises Busy once the lock was taken over. That happens to a lock whose
    process has died on this machine, and to one of another machine that is ten minutes old. Times are in seconds.
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
        yield cast("MlflowClient", _Guarded(client, name, token, what))
    finally:
        if (holder := _holder(client, name)) and holder["token"] == token:
            _drop(client, name)


class _Guarded:
    """A client that looks, before each call that changes something, whether a lock is still held by its token."""

    def __init__(self, client: "MlflowClient", name: str, token: str, what: str) -> None:
        self._client, self._name, self._token, self._what = client, name, token, what

    def __getattr__(self, method: str) -> Any:
        found = getattr(self._client, method)
        if method.startswith(_READING) or not callable(found):
            return found

        @wraps(found)
        def guarded(*arguments: Any, **named: Any) -> Any:
            holder = _holder(self._client, self._name)
            if not holder or holder["token"] != self._token:
                raise Busy(
                    f"{self._what}: its lock {self._name} was taken over, as of one that slept or died, and it changes "
                    "nothing more; look at irisline history, then type the same command again"
                )
            return found(*arguments, **named)

        return guarded


def _take(client: "MlflowClient", name: str, token: str, what: str) -> bool:
    own = {"pid": str(os.getpid()), "began": _began(os.getpid()), "machine": _machine()}
    return _create(client, name, {"token": token, "what": what, "who": store.user(), "since": str(time.time()), **own})


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
        known = 0 <= float(tags.get("since", "")) < _LATEST and int(tags.get("pid", "0")) >= 0
    except ValueError:  # deleted between the reads of its row and of its tags, or made by hand
        return None
    return {"token": "", "who": "somebody", "what": "unknown", **tags} if known else None


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
    """Return whether a holder is gone: known of this machine's, whatever any clock says, else believed after ten minutes."""
    if holder.get("machine") == _machine():
        return _began(int(holder.get("pid", "0"))) != holder.get("began")
    return time.time() - float(holder["since"]) > ABANDONED


def _machine() -> str:
    """Return what names this machine since it was started, and in it the processes that see each other (containers)."""
    started = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{started} {Path('/proc/self/ns/pid').readlink()}"


def _began(pid: int) -> str:
    """Return when a living process began, as ticks since the machine was started (proc(5)), "" when there is none."""
    try:
        told = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    state, *others = told[told.rindex(b")") + 1 :].split()  # what stands before may hold anything
    return "" if state in (b"Z", b"X") else others[18].decode()


def _sentence(name: str, holder: dict[str, str] | None) -> str:
    if holder is None:
        return f"the registered model {name} is a lock that names no holder; delete it in MLflow if nobody is at it"
    since = time.strftime("%H:%M:%S UTC", time.gmtime(float(holder["since"])))
    return f"{holder['who']} is at it ({holder['what']}, since {since}); let it end, then type the same command again"
