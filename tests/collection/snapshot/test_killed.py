"""Killed at any moment by kill -9, the same command comes to the same pool, byte for byte, and fetches nothing twice."""

import os
import random
import shutil
import time
from pathlib import Path

import pytest

from tests.clones import Clone, kill
from tests.fakes.web import Web

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("KILLS", "10"))  # 30 by hand
AT_ONCE = 4  # downloads: so many at most are lost by a kill
WANTED = {
    "sources": ["openverse"],
    "queries": {label: [f"{label} everything", f"{label} few"] for label in ("blue", "brown")},
    "per_class": 5,
    "concurrency": AT_ONCE,
}


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    """Return a clone that has no pool yet."""
    made = Clone.of_the_project(tmp_path)
    made.change({"snapshot": WANTED})
    (made.folder / "data.dvc").unlink()
    return made


def snapshot(web: Web) -> list[str]:
    """Return the command, for a machine whose web is the fake one and whose time stands still."""
    settings = web.environment | {"SOURCE_DATE_EPOCH": "1767225600"}
    return ["env", *(f"{name}={value}" for name, value in settings.items()), "irisline", "snapshot"]


def pool(clone: Clone) -> dict[str, bytes]:
    """Return all of the pool, hidden files too, and what pins it."""
    files = [file for file in (clone.folder / "data").rglob("*") if file.is_file()]
    named = {str(file.relative_to(clone.folder)): file for file in [*files, clone.folder / "data.dvc"]}
    return {name: file.read_bytes() for name, file in named.items()}


def begin_anew(clone: Clone, web: Web) -> None:
    """Forget the pool and all that led to it."""
    for folder in ("data", "artifacts", "reports/snapshot"):
        shutil.rmtree(clone.folder / folder, ignore_errors=True)
    (clone.folder / "data.dvc").unlink(missing_ok=True)
    web.forget()


def fetched_again(web: Web) -> int:
    """Return how often a picture was asked for that had been asked for before."""
    asked = [asked.path for asked in web.asked("pictures")]
    return len(asked) - len(set(asked))


def test_killed_again_and_again_the_pool_is_the_same(clone: Clone, web: Web) -> None:
    started = time.monotonic()
    clone.run(*snapshot(web))
    seconds, chance = time.monotonic() - started, random.Random(59)
    whole = pool(clone)
    assert len([name for name in whole if name.startswith(("data/blue/", "data/brown/"))]) == 10
    begin_anew(clone, web)
    struck = at_once = 0
    while struck < KILLS:
        process = clone.start(*snapshot(web))
        time.sleep(seconds * chance.uniform(0.15, 0.85))
        if process.poll() is None:
            kill(process)
            struck, at_once = struck + 1, at_once + 1
            continue
        seconds *= 0.8  # it ends sooner than was thought
        assert process.returncode == 0, clone.log.read_text()
        assert pool(clone) == whole
        assert fetched_again(web) <= at_once * AT_ONCE
        begin_anew(clone, web)
        at_once = 0
    clone.run(*snapshot(web))
    assert pool(clone) == whole
    assert not [
        file
        for file in (clone.folder / "artifacts/scratch").rglob("*")
        if file.is_file() and not {"locks", "answers"} & set(file.parts)
    ]
