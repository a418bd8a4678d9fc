"""The lock in the registry: exclusive, released, taken over when its holder is gone."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from irisline.core.errors import Busy
from irisline.release.tracking import registry_lock, store

NAME = "eye-colour.lock"


def leave(**changes: str) -> None:
    """Leave a lock of another process behind."""
    tags = {"token": "t", "what": "promote 2", "who": "bob@far", "machine": "far", "pid": "1", "began": "7"}
    store.client().create_registered_model(NAME, {**tags, "since": str(time.time()), **changes})


def own(process: int) -> dict[str, str]:
    """Return what a lock says of a process of this machine."""
    return {"machine": registry_lock._machine(), "pid": str(process), "began": registry_lock._began(process)}


OLD = registry_lock.ABANDONED + 1


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


@pytest.mark.parametrize("since", [-OLD, 0.0, OLD])
def test_a_live_holder_here_keeps_it_whatever_the_clocks_say(since: float, project: Path) -> None:
    leave(**own(os.getppid()), since=str(time.time() + since))
    with pytest.raises(Busy, match="bob@far"), registry_lock.held(store.client(), NAME, "promote 1"):
        pass
    assert names() == [NAME]


@pytest.mark.parametrize("why", ["dead", "another has its id", "old"])
def test_an_abandoned_lock_is_taken_over(why: str, project: Path) -> None:
    if why == "dead":
        leave(**own(os.getpid()) | {"pid": str(dead_process())})
    elif why == "another has its id":
        leave(**own(os.getppid()) | {"began": "1"})
    else:
        leave(since=str(time.time() - OLD))
    with registry_lock.held(store.client(), NAME, "promote 1"):
        assert names() == [NAME]
        assert store.client().get_registered_model(NAME).tags["pid"] == str(os.getpid())
    assert names() == []


def test_a_process_that_ended_and_was_not_waited_for_is_dead(project: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        leave(**own(ended.pid))
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        with registry_lock.held(store.client(), NAME, "promote 1"):
            pass


@pytest.mark.parametrize("gone", [True, False])
def test_who_lost_the_lock_changes_nothing_more(gone: bool, project: Path) -> None:
    client = store.client()
    client.create_registered_model("eye-colour")
    with registry_lock.held(client, NAME, "promote 1") as guarded:
        guarded.set_registered_model_tag("eye-colour", "name", "before")
        client.delete_registered_model(NAME)
        if not gone:
            leave()
        changes: tuple[Callable[[], object], ...] = (
            lambda: guarded.set_registered_model_tag("eye-colour", "name", "after"),
            lambda: guarded.delete_registered_model_tag("eye-colour", "name"),
            lambda: guarded.create_experiment("journal"),
        )
        for change in changes:
            with pytest.raises(
                Busy, match=rf"^promote 1: its lock {NAME} was taken over, .* type the same command again$"
            ):
                change()
        assert guarded.get_registered_model("eye-colour").tags == {"name": "before"}
    assert names() == ["eye-colour"] if gone else ["eye-colour", NAME]


@pytest.mark.parametrize("since", ["-1", "nan", "1e999", "soon"])
def test_a_lock_of_no_time_names_no_holder(since: str, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry_lock, "UNNAMED", 0.0)
    leave(since=since)
    with pytest.raises(Busy, match="names no holder"), registry_lock.held(store.client(), NAME, "promote 1"):
        pass


def test_who_died_while_clearing_is_cleared_too(project: Path) -> None:
    leave(since=str(time.time() - OLD))
    store.client().create_registered_model(f"{NAME}.t", {"since": str(time.time() - registry_lock.BREAKING - 1)})
    with registry_lock.held(store.client(), NAME, "promote 1", patience=5):
        assert names() == [NAME]


def test_who_comes_late_to_an_abandoned_lock_leaves_the_new_one_alone(project: Path) -> None:
    leave(token="new")
    seen_before = {"token": "t", "machine": "far", "pid": "1", "since": str(time.time() - OLD)}
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

    leave(since=str(time.time() - OLD))
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
