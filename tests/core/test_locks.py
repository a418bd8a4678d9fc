"""A lock is one program's, until its block or the program ends."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from irisline.core import locks

HOLDING = """
import sys, time
from pathlib import Path
from irisline.core import locks
with locks.held(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_who_does_not_wait_is_told_and_who_waits_follows_a_killed_holder(tmp_path: Path) -> None:
    lock = tmp_path / "below" / "lock"
    with subprocess.Popen([sys.executable, "-c", HOLDING, str(lock)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(locks.Held), locks.held(lock, wait=False):
            pytest.fail("two hold it")
        holder.kill()
        with locks.held(lock):
            assert holder.wait(10) == -9


def test_a_lock_is_free_after_its_block_even_when_that_fails(tmp_path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(ZeroDivisionError), locks.held(tmp_path / "lock"):
        raise ZeroDivisionError
    with locks.held(tmp_path / "lock", wait=False):
        assert time.monotonic() - started < 60


def test_a_pipe_in_a_locks_place_is_a_lock_like_another(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "lock")
    with locks.held(tmp_path / "lock"), pytest.raises(locks.Held), locks.held(tmp_path / "lock", wait=False):
        pytest.fail("two hold it")
