"""The lock in the registry: exclusive, released, taken over when its holder is gone."""

import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from irisline.core.errors import Busy
from irisline.release.tracking import registry_lock, store

NAME = "eye-colour.lock"


def leave(**changes: str) -> None:
    """Leave a lock of another process behind."""
    tags = {"token": "t", "what": "promote 2", "who": "bob@far", "host": "far", "pid": "1", "since": str(time.time())}
    store.client().create_registered_model(NAME, {**tags, **changes})


def dead_process() -> int:
    printed = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
    ).stdout
    return int(printed)


def names() -> list[str]:
    return [model.name for model in store.client().search_registered_models()]


def test_it_is_there_while_held_and_gone_afterwards(project: Path) -> None:
    client = store.client()
    with registry_lock.held(client, NAME, "promote 1"):
        assert names() == [NAME]
        with (
            pytest.raises(Busy, match=r"ada@bench is at it \(promote 1"),
            registry_lock.held(client, NAME, "promote 2"),
        ):
            pass
    assert names() == []


def test_an_error_inside_releases_it(project: Path) -> None:
    with pytest.raises(ValueError, match="inside"), registry_lock.held(store.client(), NAME, "promote 1"):
        raise ValueError("inside")
    assert names() == []


def test_a_live_holder_elsewhere_keeps_it(project: Path) -> None:
    leave()
    with pytest.raises(Busy, match="bob@far"), registry_lock.held(store.client(), NAME, "promote 1"):
        pass
    assert names() == [NAME]


@pytest.mark.parametrize("why", ["dead", "old"])
def test_an_abandoned_lock_is_taken_over(why: str, project: Path) -> None:
    if why == "dead":
        leave(host=socket.gethostname(), pid=str(dead_process()))
    else:
        leave(since=str(time.time() - registry_lock.ABANDONED - 1))
    with registry_lock.held(store.client(), NAME, "promote 1"):
        assert names() == [NAME]
        assert store.client().get_registered_model(NAME).tags["pid"] == str(os.getpid())
    assert names() == []


def test_who_died_while_clearing_is_cleared_too(project: Path) -> None:
    leave(since=str(time.time() - registry_lock.ABANDONED - 1))
    store.client().create_registered_model(f"{NAME}.t", {"since": str(time.time() - registry_lock.BREAKING - 1)})
    with registry_lock.held(store.client(), NAME, "promote 1", patience=5):
        assert names() == [NAME]


def test_who_comes_late_to_an_abandoned_lock_leaves_the_new_one_alone(project: Path) -> None:
    leave(token="new")
    seen_before = {"token": "t", "host": "far", "pid": "1", "since": str(time.time() - registry_lock.ABANDONED - 1)}
    assert registry_lock._clear(store.client(), NAME, seen_before)
    assert names() == [NAME]


def test_patience_waits_for_the_holder(project: Path) -> None:
    leave()
    timer = threading.Timer(0.5, lambda: store.client().delete_registered_model(NAME))
    timer.start()
    with registry_lock.held(store.client(), NAME, "publish", patience=20):
        timer.join()


def test_many_threads_never_hold_it_together(project: Path) -> None:
    inside, together = [0], [0]

    def work() -> None:
        with registry_lock.held(store.client(), NAME, "publish", patience=60):
            inside[0] += 1
            together[0] = max(together[0], inside[0])
            time.sleep(0.01)
            inside[0] -= 1

    leave(since=str(time.time() - registry_lock.ABANDONED - 1))
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == [1]
    assert names() == []


def test_a_lock_that_names_no_holder_is_said_not_spun_on(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry_lock, "UNNAMED", 0.5)
    store.client().create_registered_model(NAME)
    started = time.process_time()
    with (
        pytest.raises(Busy, match=rf"{NAME} is a lock that names no holder"),
        registry_lock.held(store.client(), NAME, "x"),
    ):
        pass
    assert time.process_time() - started < 5
