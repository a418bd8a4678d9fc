"""The recorded list fetched again: what changed is named, what is gone is kept, and the pool stays what it was."""

import subprocess
import sys
from pathlib import Path

import pytest

from irisline.collection.snapshot import replay, snapshot
from irisline.core.errors import MissingInput
from irisline.core.params import Params
from irisline.dataset import sources_table
from tests.collection.snapshot.made import contents, listed, settings, works
from tests.fakes.pictures import content
from tests.fakes.reply import Reply
from tests.fakes.web import Web
from tests.planted import CLASSES, picture, saved


@pytest.fixture
def recorded(connected: Web) -> Params:
    """Return params, and a pool that a snapshot has filled with two pictures of each class."""
    wanting = listed(connected, [work for label in CLASSES for work in works(label, 0, 1)])
    snapshot.run(wanting, print, lambda: None)
    connected.forget()
    return wanting


def pictures() -> list[Path]:
    return sorted(Path("data").glob("*/*"))


def test_the_same_bytes_leave_the_pool_as_it_is(recorded: Params, connected: Web) -> None:
    before = contents()
    for _ in range(2):
        replayed = replay.run(recorded)
        assert [(one.web, one.pool, one.is_well) for one in replayed] == [("same", "in the pool", True)] * 4
        assert contents() == before
    assert len(connected.asked("pictures")) == 8
    assert connected.asked("openverse") == []
    assert list(Path("artifacts/scratch").iterdir()) == [Path("artifacts/scratch/locks")]


def test_an_id_whose_bytes_changed_is_named_and_the_pool_keeps_the_recorded(recorded: Params, connected: Web) -> None:
    before = contents()
    connected.answer_next("pictures", Reply(200, saved(picture("brown")), "image/jpeg"))
    changed = [one for one in replay.run(recorded) if not one.is_well]
    assert [(one.web, one.pool) for one in changed] == [("changed", "in the pool")]
    assert f"data/{changed[0].id}" in before
    assert contents() == before


def test_a_dead_link_is_served_from_the_pool_and_told(recorded: Params, connected: Web) -> None:
    connected.answer_next("pictures", Reply(404))
    (gone,) = [one for one in replay.run(recorded) if one.web == "gone"]
    assert (gone.pool, gone.is_well) == ("in the pool", True)
    assert gone.detail.startswith("dead: ")


def test_what_the_pool_lacks_is_put_back(recorded: Params) -> None:
    before = contents()
    removed, spoiled = pictures()[:2]
    removed.unlink()
    spoiled.write_bytes(b"spoiled")
    assert sorted(one.id for one in replay.run(recorded) if one.pool == "fetched") == [
        name.relative_to("data").as_posix() for name in (removed, spoiled)
    ]
    assert contents() == before


def test_two_lines_with_the_same_bytes_are_both_put_back(recorded: Params) -> None:
    table = Path("data/sources.csv")
    lines = sources_table.read(table)
    line = next(line for line in lines if sources_table.is_fetched(line) and line.get("image_url"))
    twin = line | {"id": line["id"].replace(".jpg", "-twin.jpg")}
    sources_table.write(table, [*lines, twin])
    Path("data", line["id"]).unlink()
    put_back = {one.id: one.pool for one in replay.run(recorded)}
    assert put_back[line["id"]] == put_back[twin["id"]] == "fetched"
    assert Path("data", line["id"]).read_bytes() == Path("data", twin["id"]).read_bytes()


def test_what_both_have_lost_is_lost(recorded: Params, connected: Web) -> None:
    pictures()[0].unlink()
    connected.answer_next("pictures", *[Reply(410)] * 4)
    (lost,) = [one for one in replay.run(recorded) if not one.is_well]
    assert (lost.web, lost.pool) == ("gone", "lost")
    assert not pictures()[0].name.startswith(lost.id)


@pytest.mark.slow
def test_what_both_have_lost_comes_from_the_cache_of_dvc(recorded: Params, connected: Web) -> None:
    subprocess.run([sys.executable, "-m", "dvc", "init", "--quiet", "--no-scm"], check=True)
    snapshot.pin()
    pinned, before = Path("data.dvc").read_bytes(), contents()
    removed, spoiled = pictures()[:2]
    removed.unlink()
    spoiled.unlink()
    spoiled.write_bytes(b"spoiled")
    connected.answer_next("pictures", *[Reply(404)] * 4)
    replayed = replay.run(recorded)
    assert sorted(one.pool for one in replayed) == ["from DVC", "from DVC", "in the pool", "in the pool"]
    assert all(one.is_well for one in replayed)
    assert contents() == before
    snapshot.pin()
    assert Path("data.dvc").read_bytes() == pinned


def test_only_what_a_search_recorded_is_replayed(recorded: Params, connected: Web) -> None:
    table = Path("data/sources.csv")
    own = [
        {"id": "blue/mine.jpg", "licence": "own"},
        {"id": "blue/urls-1", "status": "dead", "image_url": connected.url},
    ]
    sources_table.write(table, [*sources_table.read(table), *own])
    assert len(replay.run(recorded)) == 4
    assert len(connected.asked("pictures")) == 4


def test_pictures_of_this_machine_are_read_again(project: Path) -> None:
    for label in CLASSES:
        Path("mine", label).mkdir(parents=True)
        Path("mine", label, "eye 1.jpg").write_bytes(content(works(label, 0)[0]))
    wanting = settings(snapshot__sources=["folder", "drawn"], snapshot__folder="mine", snapshot__per_class=2)
    snapshot.run(wanting, print, lambda: None)
    assert {one.web for one in replay.run(wanting)} == {"same"}
    Path("mine/blue/eye 1.jpg").write_bytes(content(works("blue", 1)[0]))
    assert [one.id.split("-")[0] for one in replay.run(wanting) if one.web == "changed"] == ["blue/folder"]


def test_without_a_recorded_list_there_is_nothing_to_replay(project: Path) -> None:
    with pytest.raises(MissingInput, match=r"^data/sources.csv: no recorded list here; type make data, or irisline"):
        replay.run(settings())
