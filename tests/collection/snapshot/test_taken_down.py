"""What was taken down stays out: no snapshot asks for it again, whatever else the project has forgotten."""

import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from irisline.collection import removal
from irisline.collection.snapshot import snapshot
from irisline.core import paths
from irisline.dataset import sources_table
from tests.collection.snapshot.made import contents, recorded, settings, status, works
from tests.collection.snapshot.test_resumed import cut_off, few
from tests.fakes.web import Web
from tests.planted import CLASSES


def asked_for(web: Web) -> set[str]:
    return {asked.path for asked in web.asked("pictures")}


@pytest.mark.slow
@pytest.mark.parametrize("by", ["page_url", "sha256"])
def test_a_picture_that_was_taken_down_is_never_asked_for_again(connected: Web, by: str) -> None:
    subprocess.run([sys.executable, "-m", "dvc", "init", "--quiet", "--no-scm"], check=True)
    asked = {label: [f"{label} everything"] for label in CLASSES}
    wanted = settings(snapshot__queries=asked, snapshot__per_class=3)
    snapshot.run(wanted, print, snapshot.pin)
    gone = next(line for line in recorded().values() if line["status"] == "fetched" and line["author"])
    assert gone["author"] in Path("data/sources.csv").read_text(encoding="utf-8")
    path = urlsplit(gone["image_url"]).path
    assert path in asked_for(connected)
    removal.remove(wanted, gone[by], "asked by mail")
    connected.forget()
    again = snapshot.run(wanted, print, snapshot.pin, retry=True)
    assert again.short == {}
    assert path not in asked_for(connected)
    assert not Path("data", gone["id"]).exists()
    Path("data/sources.csv").unlink()
    for label in CLASSES:
        for file in Path("data", label).iterdir():
            file.unlink()
    connected.forget()
    snapshot.run(wanted, print, snapshot.pin)
    assert asked_for(connected)
    assert path not in asked_for(connected)
    (line,) = [line for line in sources_table.read(Path("data/sources.csv")) if line["image_url"] == gone["image_url"]]
    assert (line["status"], line["title"], line["author"]) == ("taken_down", "", "")


@pytest.mark.parametrize("done", [0, 1, 3])
def test_what_a_killed_snapshot_had_still_to_file_does_not_come_in_after_it_was_taken_down(
    connected: Web, done: int
) -> None:
    subprocess.run([sys.executable, "-m", "dvc", "init", "--quiet", "--no-scm"], check=True)
    whole = cut_off(connected, done)
    paths.write_whole(paths.SCRATCH / "replay" / "blobs" / "a.jpg", "what a replay that was killed had fetched")
    (gone,) = works("brown", 0)
    removal.remove(few(connected), connected.url + gone.path, "asked by mail")
    assert not paths.SNAPSHOT.exists()
    assert not (paths.SCRATCH / "replay").exists()
    snapshot.run(few(connected), print, lambda: None)
    assert status(connected, gone) == "taken_down"
    file = f"data/{recorded()[connected.url + gone.path]['id']}"
    assert whole.keys() - contents().keys() == {file}
    assert gone.path not in asked_for(connected)
