"""A snapshot that was cut off goes on where it was, and asks for nothing again; two at once do not meet."""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from irisline.collection.downloads.download import Download
from irisline.collection.snapshot import pool_change, snapshot
from irisline.collection.snapshot.journal import Journal, alone
from irisline.core import paths
from irisline.core.errors import IrislineError
from irisline.core.params import Params
from irisline.dataset import sources_table
from tests.collection.snapshot.made import contents, listed, settings, works
from tests.core.test_paths import largest_file
from tests.fakes.web import Web
from tests.planted import CLASSES

FOLDER = paths.SNAPSHOT
FILING = FOLDER / "filing"


class Cut(Exception):
    """Stands for kill -9 at a place that a test chooses."""


def cut() -> None:
    raise Cut


def few(web: Web, per_class: int = 4) -> Params:
    return listed(web, [work for label in CLASSES for work in works(label, 0, 1, 3, 4)], snapshot__per_class=per_class)


def take(settings: Params) -> snapshot.Outcome:
    return snapshot.run(settings, tell=lambda line: None, pin=lambda: None)


def fetched(folder: Path, name: str) -> Download:
    """Put a blob where a downloader would, and give its download."""
    file = folder / "blobs" / f"{name}.jpg"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"nine byte")
    return Download(f"https://images.example/{name}.jpg", "fetched", "", file, name, 9, 4, 3, "jpg")


def test_what_was_noted_is_known_again_and_a_torn_line_is_not(project: Path) -> None:
    journal = Journal(FOLDER, settings())
    whole, dead = fetched(FOLDER, "a"), Download("https://images.example/b.jpg", "dead", "answers 404")
    for download in (whole, dead, Download("https://images.example/c.jpg", "timeout", "too slow")):
        journal.note(download)
    (file,) = FOLDER.glob("downloads-*.jsonl")
    strange = [b"[]", b'{"at": "x"}', b'{"at": 1, "file": ["a"], "url": 2}', b"9" * 5000, b"[" * 5000]
    outside = fetched(FOLDER, "e")
    (FOLDER / "blobs/e.jpg").rename(FOLDER / "e.jpg")
    journal.note(outside)
    file.write_bytes(file.read_bytes().replace(b'"e.jpg"', b'"../e.jpg"') + b"\n".join(strange) + b"\n")
    file.write_bytes(file.read_bytes() + b'{"url": "https://images.example/d.jpg", "sta')
    again = Journal(FOLDER, settings())
    assert [noted.download for noted in again.known.values()] == [whole, dead]
    again.note(fetched(FOLDER, "e"))
    assert list(Journal(FOLDER, settings()).known)[-1] == "https://images.example/e.jpg"


def test_a_picture_that_is_gone_or_cut_short_is_fetched_again(project: Path) -> None:
    journal = Journal(FOLDER, settings())
    for name in "ab":
        journal.note(fetched(FOLDER, name))
    (FOLDER / "blobs" / "a.jpg").unlink()
    (FOLDER / "blobs" / "b.jpg").write_bytes(b"nine")
    assert Journal(FOLDER, settings()).known == {}


def test_downloads_under_other_limits_are_other_downloads(project: Path) -> None:
    Journal(FOLDER, settings()).note(fetched(FOLDER, "a"))
    assert Journal(FOLDER, settings(snapshot__max_bytes=5)).known == {}
    assert Journal(FOLDER, settings(snapshot__concurrency=5)).known != {}


def cut_off(web: Web, done: int) -> dict[str, bytes]:
    """Leave the project as a run does that is killed when so many files have been moved into the pool; give the whole pool.

    A run is cut at its end, and what it did last is taken back.
    """
    with pytest.raises(Cut):
        snapshot.run(few(web), print, cut)
    whole = contents()
    placed: dict[str, str] = json.loads((FILING / pool_change.PLAN).read_text())["place"]
    moved = [("sources.csv", FILING / "sources.csv"), *((name, FOLDER / "blobs" / placed[name]) for name in placed)]
    Path("data/ATTRIBUTION.md").unlink()
    for name, origin in moved[done:]:
        Path("data", name).rename(origin)
    web.forget()
    return whole


@pytest.mark.parametrize("plan", ["{", "[]", '{"place": {}, "remove": []}', '{"before": "", "place": {"a": 1}}'])
@pytest.mark.parametrize(("done", "first"), [(0, ""), (1, "type dvc checkout --force data.dvc, ")])
def test_a_plan_that_was_not_written_here_is_named_with_what_to_do(
    plan: str, done: int, first: str, connected: Web
) -> None:
    cut_off(connected, done)
    before = contents()
    (FILING / "plan.json").write_text(plan)
    advice = f"{first}remove the folder {FILING}, then type the same command again"
    with pytest.raises(IrislineError, match=rf"plan.json: not a plan that was written here .*; {advice}$"):
        take(few(connected))
    assert contents() == before


@pytest.mark.parametrize("done", range(10))
def test_cut_off_at_any_step_of_the_filing_the_pool_becomes_the_same(done: int, connected: Web) -> None:
    whole = cut_off(connected, done)
    assert contents() != whole
    assert take(few(connected)).changed
    assert contents() == whole
    assert connected.seen == []
    assert not FOLDER.exists()


def test_cut_off_before_anything_is_written_down_nothing_is_fetched_again(connected: Web) -> None:
    whole = cut_off(connected, 0)
    shutil.rmtree(FILING)
    assert take(few(connected)).changed
    assert contents() == whole
    assert connected.seen == []


def test_a_table_that_a_person_changed_meanwhile_is_not_written_over(connected: Web) -> None:
    whole = cut_off(connected, 0)
    own = {"id": "blue/mine.jpg", "licence": "own"}
    sources_table.write(Path("data/sources.csv"), [own])
    assert take(few(connected)).changed
    lines = sources_table.read(Path("data/sources.csv"))
    assert lines[0]["id"] == "blue/mine.jpg"
    assert len(lines) == 9
    assert contents().keys() == whole.keys()


def test_what_a_person_took_out_of_the_table_meanwhile_is_not_filed(connected: Web) -> None:
    whole = cut_off(connected, 3)
    lines = sources_table.read(Path("data/sources.csv"))
    sources_table.write(Path("data/sources.csv"), [*lines[:-1], lines[-1] | {"status": "taken_down"}])
    take(few(connected))
    assert whole.keys() - contents().keys() == {f"data/{lines[-1]['id']}"}


def test_when_dvc_fails_the_next_run_files_and_pins_without_fetching(connected: Web) -> None:
    with pytest.raises(Cut):
        snapshot.run(few(connected), print, cut)
    before = contents()
    connected.forget()
    pinned: list[str] = []
    outcome = snapshot.run(few(connected), print, lambda: pinned.append("data"))
    assert (pinned, contents()) == (["data"], before)
    assert outcome.tally["blue", "urls"]["fetched"] == 4
    assert connected.seen == []
    assert not FOLDER.exists()


def test_when_dvc_refuses_it_is_one_line_and_the_pool_is_there(connected: Web) -> None:
    message = r"^data/ is changed, but dvc add data failed: you are not inside .*; correct it, then type dvc add data$"
    with pytest.raises(IrislineError, match=message):
        snapshot.run(few(connected), print, snapshot.pin)
    assert len([name for name in contents() if name.endswith(".jpg")]) == 8


def test_another_dvc_at_work_is_waited_for(project: Path) -> None:
    Path("data").mkdir()
    Path("data/1.txt").write_text("a picture")
    subprocess.run(["dvc", "init", "--no-scm", "--quiet"], check=True)
    held = {"read": {}, "write": {str(project / "data"): {"pid": os.getpid(), "cmd": "dvc add data"}}}
    lock = Path(".dvc/tmp/rwlock")
    lock.write_text(json.dumps(held))
    with pytest.raises(
        IrislineError, match=r"^data/ is changed, but dvc add data failed: .* is busy, .*; correct it, then"
    ):
        snapshot.pin(patience=0.1)
    ending = threading.Timer(1.0, paths.write_whole, [lock, "{}"])  # at once: DVC may be reading it
    ending.start()
    snapshot.pin()
    ending.join()
    assert Path("data.dvc").is_file()


@pytest.mark.parametrize("torn", ["", '{"read": {"da'])
def test_what_dvc_left_torn_when_it_was_killed_is_dropped(project: Path, torn: str) -> None:
    Path("data").mkdir()
    Path("data/1.txt").write_text("a picture")
    subprocess.run(["dvc", "init", "--no-scm", "--quiet"], check=True)
    Path(".dvc/tmp/rwlock").write_text(torn)
    snapshot.pin()
    assert Path("data.dvc").is_file()


def test_a_second_snapshot_is_told_of_the_first(connected: Web) -> None:
    code = "import sys; from irisline.collection.snapshot import journal\nwith journal.alone(): print(1, flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=-1, stdout=-1, text=True) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "1\n"
        with pytest.raises(IrislineError, match=r"^data/: another snapshot is at work here; let it end, then type"):
            take(few(connected))
        holder.communicate("\n")
    with alone():
        pass
    assert not Path("data").exists()


def test_no_room_on_the_disk_loses_nothing(connected: Web) -> None:
    wanting = few(connected)
    with largest_file(4000), pytest.raises(IrislineError, match=r"File too large; .*run the same command again$"):
        take(wanting)
    assert not Path("data").exists()
    take(few(connected))
    assert len([name for name in contents() if name.endswith(".jpg")]) == 8


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"snapshot__queries": {"blue": ["eye"]}}, r"snapshot.queries.brown: openverse needs a query; write one$"),
        ({"snapshot__queries": {"blue": ["eye"], "brown": []}}, r"snapshot.queries.brown: openverse needs a query"),
        (
            {"snapshot__queries": {"blue": ["eye"], "brown": ["eye"], "green": ["eye"]}},
            r"snapshot.queries.green: not one of base.classes \(blue, brown\); add it there or drop it here$",
        ),
    ],
    ids=["none", "empty", "no class"],
)
def test_a_class_without_a_query_is_named(project: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(IrislineError, match=message):
        take(settings(**changes))


def test_a_pool_that_is_pinned_but_not_fetched_is_not_begun_anew(connected: Web) -> None:
    Path("data.dvc").touch()
    with pytest.raises(IrislineError, match=r"^data/: not fetched yet, and data.dvc pins one; type make data first$"):
        take(few(connected))


def test_a_table_that_cannot_be_read_is_one_line_before_anything_is_asked(connected: Web) -> None:
    Path("data").mkdir()
    Path("data/sources.csv").write_text("id\n")
    with pytest.raises(IrislineError, match=r"sources.csv: no column licence"):
        take(few(connected))
    assert connected.seen == []


@pytest.mark.parametrize("spoil", [Path.mkdir, os.mkfifo, lambda file: file.symlink_to("nowhere")])
def test_a_journal_that_is_no_file_is_begun_anew(spoil: Callable[[Path], None], project: Path) -> None:
    noted = Journal(FOLDER, settings()).note(fetched(FOLDER, "a"))
    (file,) = FOLDER.glob("downloads-*.jsonl")
    file.unlink()
    spoil(file)
    journal = Journal(FOLDER, settings())
    assert journal.known == {}
    journal.note(noted.download)
    assert list(Journal(FOLDER, settings()).known) == [noted.download.url]
    assert file.is_file()
    assert not file.is_symlink()
