"""What is read of the pool is what DVC pins of it, or it is said before anything is read; names are compared in one form."""

import os
import shutil
import socket
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from irisline.collection import removal
from irisline.collection.snapshot import pool_change, replay
from irisline.core import paths
from irisline.core.display_names import same
from irisline.core.errors import DataError
from irisline.dataset import pool, pool_files, sources_table
from irisline.labels import decisions, review
from tests import planted
from tests.planted import CLASSES, picture, saved

SETTINGS = planted.settings(snapshot__sources=["folder"], snapshot__folder="own")
NFC, NFD = (unicodedata.normalize(form, "blue/Zoë é.jpg") for form in ("NFC", "NFD"))
ELSEWHERE = "elsewhere"


@pytest.fixture
def folder(project: Path) -> Path:
    for label in (*(f"data/{name}" for name in CLASSES), ELSEWHERE):
        (project / label).mkdir(parents=True)
        (project / label / "1.jpg").write_bytes(saved(picture(Path(label).name.replace(ELSEWHERE, "blue"))))
    return Path("data")


def class_folder(folder: Path) -> Path:
    shutil.rmtree(folder / "blue")
    (folder / "blue").symlink_to(f"../{ELSEWHERE}")
    return folder / "blue"


def inside_a_class(folder: Path) -> Path:
    (folder / "blue" / "more").symlink_to(f"../../{ELSEWHERE}")
    return folder / "blue" / "more"


def deep(folder: Path) -> Path:
    (folder / "blue" / "a" / "b").mkdir(parents=True)
    (folder / "blue" / "a" / "b" / "c").symlink_to("..")
    return folder / "blue" / "a" / "b" / "c"


def loop(folder: Path) -> Path:
    (folder / "brown" / "loop").symlink_to(".")
    return folder / "brown" / "loop"


def itself(folder: Path) -> Path:
    (folder / "brown" / "self.jpg").symlink_to("self.jpg")
    return folder / "brown" / "self.jpg"


def dangling(folder: Path) -> Path:
    (folder / "brown" / "gone.jpg").symlink_to("nowhere.jpg")
    return folder / "brown" / "gone.jpg"


def table(folder: Path) -> Path:
    (folder / "sources.csv").symlink_to("nowhere.csv")
    return folder / "sources.csv"


def pipe(folder: Path) -> Path:
    os.mkfifo(folder / "blue" / "pipe.jpg")
    return folder / "blue" / "pipe.jpg"


def device(folder: Path) -> Path:
    (folder / "blue" / "zero.jpg").symlink_to("/dev/zero")
    return folder / "blue" / "zero.jpg"


def endpoint(folder: Path) -> Path:
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(folder / "blue" / "s.jpg"))
    return folder / "blue" / "s.jpg"


def whole(folder: Path) -> Path:
    folder.rename("real")
    folder.symlink_to("real")
    return folder


ASKED: dict[str, Callable[[], object]] = {
    "collect": lambda: pool.items(paths.POOL, list(CLASSES), SETTINGS.collect),
    "snapshot": lambda: pool_change.files(paths.POOL, CLASSES),
    "labels": lambda: review.of_pictures(["blue/1.jpg"], CLASSES, SETTINGS.collect),
    "take-down": lambda: removal.remove(SETTINGS, "blue/1.jpg", "asked"),
}
LINKS = (class_folder, inside_a_class, deep, loop, itself, dangling, table, pipe, device, endpoint, whole)


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("made", LINKS)
def test_what_dvc_does_not_pin_is_refused_by_name(folder: Path, made: Callable[[Path], Path], asked: str) -> None:
    named = made(folder)
    with pytest.raises(DataError, match=rf"^{named}: .*; (remove it|copy the folder|put the folder)"):
        ASKED[asked]()


def dvc(*words: str) -> str:
    return subprocess.run([sys.executable, "-m", "dvc", *words], check=True, capture_output=True, text=True).stdout


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["copy", "symlink", "hardlink"])
def test_what_is_listed_is_what_dvc_pins_however_it_links(folder: Path, kind: str) -> None:
    (folder / "blue" / "outside.jpg").symlink_to(f"../../{ELSEWHERE}/1.jpg")
    (folder / "blue" / "inside.jpg").symlink_to("1.jpg")
    (folder / "blue" / "again.jpg").symlink_to("outside.jpg")
    (folder / NFD).write_bytes(saved(picture("blue", "zoë")))
    before = {name: file.read_bytes() for name, file in pool_files.files(folder).items()}
    subprocess.run(["git", "init", "--quiet"], check=True)
    dvc("init", "--quiet")
    dvc("config", "cache.type", kind)
    dvc("add", "data")
    (Path(ELSEWHERE) / "1.jpg").write_bytes(b"changed since")
    assert {name: file.read_bytes() for name, file in pool_files.files(folder).items()} == before
    (pinned,) = yaml.safe_load(Path("data.dvc").read_text())["outs"]
    assert pinned["nfiles"] == len(before) == 6
    shutil.rmtree(folder)
    dvc("checkout")
    assert {name: file.read_bytes() for name, file in pool_files.files(folder).items()} == before
    assert (folder / "blue" / "outside.jpg").is_symlink() is (kind == "symlink")


@pytest.mark.parametrize(("on_disk", "in_table"), [(NFD, NFC), (NFC, NFD)])
def test_a_line_names_its_picture_in_any_unicode_form(folder: Path, on_disk: str, in_table: str) -> None:
    (folder / on_disk).write_bytes(saved(picture("blue", "zoë")))
    (folder / "sources.csv").write_text(f"id,licence,author\n{in_table},CC-BY-NC-4.0,Zoë\n", encoding="utf-8")
    items = pool.items(folder, list(CLASSES), SETTINGS.collect)
    row = next(pool.read(item) for item in items if item.id == NFC)
    assert (row["licence"], row["author"]) == ("CC-BY-NC-4.0", "Zoë")
    assert pool.without_picture(folder, items) == []


@pytest.mark.slow
@pytest.mark.parametrize("asked", [NFC, NFD])
@pytest.mark.parametrize(("on_disk", "in_table"), [(NFD, NFC), (NFC, NFD)])
def test_take_down_finds_a_picture_in_any_unicode_form(folder: Path, on_disk: str, in_table: str, asked: str) -> None:
    subprocess.run(["git", "init", "--quiet"], check=True)
    dvc("init", "--quiet")
    (folder / on_disk).write_bytes(saved(picture("blue", "zoë")))
    (folder / "sources.csv").write_text(f"id,licence,author\n{in_table},CC-BY-NC-4.0,Zoë\n", encoding="utf-8")
    found = removal.remove(SETTINGS, asked, "asked by mail")
    assert [one.id for one in found.removed] == [NFC]
    assert not (folder / on_disk).exists()
    (line,) = sources_table.read(folder / "sources.csv")
    assert (line["id"], line["status"], line["author"]) == (NFC, "taken_down", "")


def test_a_decision_finds_its_picture_in_any_unicode_form(folder: Path) -> None:
    (folder / NFD).write_bytes(saved(picture("blue", "zoë")))
    assert [label.id for label in review.of_pictures([NFC, f"data/{NFD}"], CLASSES, SETTINGS.collect)] == [NFC] * 2
    (folder / "label_patches.csv").write_text(f"id,sha256,action,label\n{NFD},,reject,\n", encoding="utf-8")
    patches = decisions.Patches.read(folder / "label_patches.csv", CLASSES)
    assert patches.applied({"id": NFC, "label": "blue"})["reason"] == "rejected by a person: no reason given"


def test_a_replay_puts_no_second_file_beside_one_in_another_form(folder: Path) -> None:
    (folder / NFD).write_bytes(saved(picture("blue", "zoë")))
    assert [replay._place(line, pool_files.files(folder)) for line in [{"id": same(NFD)}]] == [folder / NFD]


def test_two_files_that_differ_by_their_form_alone_are_refused_by_name(folder: Path) -> None:
    for name in (NFC, NFD):
        (folder / name).write_bytes(saved(picture("blue", name)))
    with pytest.raises(DataError, match=rf"^data/{NFC}: there twice, written in two Unicode forms; rename one"):
        pool_files.files(folder)


def test_lines_without_a_picture_are_told(folder: Path) -> None:
    lines = [
        "id,licence,status",
        "blue/1.jpg,own,",
        "blue/gone.jpg,own,",
        "brown/gone.jpg,own,fetched",
        "brown/x,own,dead",
    ]
    (folder / "sources.csv").write_text("\n".join(lines))
    items = pool.items(folder, list(CLASSES), SETTINGS.collect)
    assert pool.without_picture(folder, items) == ["blue/gone.jpg", "brown/gone.jpg"]
