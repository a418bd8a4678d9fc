"""Pictures that leave the pool because someone asked: which are meant, what is left of them, and what stays out for good."""

import hashlib
import io
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import imagehash
import pytest
import yaml
from PIL import Image

from irisline.collection import removal
from irisline.core import paths
from irisline.core.errors import DataError, IrislineError, MissingInput
from irisline.dataset import pool, sources_table, take_downs
from tests.planted import document, picture, saved, settings

FLICKR, OPENVERSE, OWN = "blue/flickr-495.jpg", "blue/openverse-4bc4.jpg", "brown/Jane Doe.jpg"
PAGE = "https://www.flickr.com/photos/7@N06/495"
IMAGE = "https://live.staticflickr.com/1/495_b.jpg"
LINES = [
    {"id": FLICKR, "provider": "flickr", "page_url": PAGE, "image_url": IMAGE, "title": "Ann's eye", "author": "Ann Ü"},
    {"id": OPENVERSE, "provider": "openverse", "image_url": "https://cdn.example.org/4bc4.jpg", "author": "Bob"},
    {"id": "blue/flickr-496", "provider": "flickr", "author": "ann ü", "status": "dead", "image_url": f"{IMAGE}2"},
]


def dvc(*words: str) -> str:
    return subprocess.run([sys.executable, "-m", "dvc", *words], check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="session")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project with a pool of five pictures, two of which look alike, pinned by DVC and pushed to a remote."""
    root = tmp_path_factory.mktemp("collected")
    (root / "params.yaml").write_text(yaml.safe_dump(document()))
    alike = picture("blue", "alike", (96, 80))
    files = {FLICKR: saved(alike), OPENVERSE: saved(picture("blue", 1)), OWN: saved(picture("brown", 1))}
    files |= {
        "blue/copy.png": saved(alike.resize((48, 40), Image.Resampling.BICUBIC), "PNG"),
        "brown/2.jpg": saved(picture("brown", 2)),
    }
    for name, data in files.items():
        (root / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "data" / name).write_bytes(data)
    told = [
        {"query": "blue eye", "licence": "CC-BY-2.0", "status": "fetched", "mine": "Ann's best", **line}
        for line in LINES
    ]
    sources_table.write(root / "data" / "sources.csv", [with_digest(line, files) for line in told])
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        dvc("init", "--quiet", "--no-scm")
        dvc("remote", "add", "--quiet", "--default", "here", str(root / "remote"))
        dvc("add", "--quiet", "data")
        dvc("push", "--quiet")
    return root


def with_digest(line: dict[str, str], files: dict[str, bytes]) -> dict[str, str]:
    data = files.get(line["id"])
    return line | ({"sha256": hashlib.sha256(data).hexdigest(), "bytes": str(len(data))} if data else {})


@pytest.fixture
def project(collected: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of that project, the working directory meanwhile."""
    shutil.copytree(collected, tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767225600")
    return tmp_path / "project"


def remove(what: str, reason: str = "asked by mail", author: bool = False) -> removal.Removal:
    return removal.remove(settings(), what, reason, author)


def lines() -> dict[str, sources_table.Line]:
    return {line["id"]: line for line in sources_table.read(Path("data/sources.csv"))}


def rules() -> list[take_downs.Rule]:
    return list(take_downs.read(Path("data/take_downs.csv")).rules)


def covered(**known: str) -> bool:
    asked = {
        name: known.get(name, "") for name in ("provider", "provider_id", "image_url", "author", "sha256", "page_url")
    }
    return take_downs.read(Path("data/take_downs.csv")).covers(**asked) is not None


@pytest.mark.parametrize("what", [FLICKR, f"data/{FLICKR}", PAGE, IMAGE, "http://flickr.com/photos/ann-eye/495/in/x/"])
def test_a_picture_named_by_its_id_or_an_address_leaves_the_pool(project: Path, what: str) -> None:
    data = Path("data", FLICKR).read_bytes()
    before = Path("data.dvc").read_text()
    done = remove(what)
    assert done.kind == ("url" if "://" in what else "id")
    assert done.ids == (FLICKR,)
    assert [(one.id, one.md5) for one in done.removed] == [(FLICKR, hashlib.md5(data).hexdigest())]
    assert not Path("data", FLICKR).exists()
    assert Path("data", OPENVERSE).exists()
    assert Path("data.dvc").read_text() != before
    assert pool.items(Path("data"), ["blue", "brown"], settings().collect)
    assert "up to date" in dvc("status")


def test_a_picture_whose_file_is_gone_is_known_by_what_was_recorded_of_it(project: Path) -> None:
    phash = "00000000000000ff"
    sources_table.write(Path("data/sources.csv"), [line | {"phash": phash} for line in lines().values()])
    remove("blue/flickr-496")
    assert [rule.phash for rule in rules()] == [phash]
    assert [name for name, line in lines().items() if line["phash"]] == [FLICKR, OPENVERSE]


def test_what_is_left_of_it_tells_the_picture_and_not_the_person(project: Path) -> None:
    data = Path("data", FLICKR).read_bytes()
    remove(FLICKR)
    line = lines()[FLICKR]
    assert {name: line[name] for name in ("status", "provider", "image_url", "page_url", "licence", "bytes")} == {
        "status": "taken_down", "provider": "flickr", "image_url": IMAGE, "page_url": PAGE, "licence": "CC-BY-2.0",
        "bytes": str(len(data)),
    }  # fmt: skip
    assert line["sha256"] == hashlib.sha256(data).hexdigest()
    assert (line["title"], line["author"], line["mine"]) == ("", "", "")
    assert lines()[OPENVERSE]["author"] == "Bob"
    (rule,) = rules()
    assert (rule.when, rule.what, rule.reason) == ("2026-01-01T00:00:00Z", "id", "asked by mail")
    assert rule.phash == str(imagehash.phash(Image.open(io.BytesIO(data))))
    assert covered(provider="flickr", provider_id="495")
    assert covered(page_url=PAGE)
    assert covered(sha256=line["sha256"])
    assert not covered(author="Ann Ü")


def test_an_author_leaves_with_all_pictures_and_is_not_named(project: Path) -> None:
    paths.write_whole(paths.ANSWERS / "flickr" / "1.json", "what a search answered: Ann Ü")
    done = remove("ANN Ü")
    assert (done.kind, done.ids) == ("author", ("blue/flickr-495.jpg", "blue/flickr-496"))
    assert [one.id for one in done.removed] == [FLICKR]
    assert {lines()[name]["status"] for name in done.ids} == {"taken_down"}
    assert covered(author="ann ü")
    assert covered(image_url=f"{IMAGE}2")
    assert "nn Ü" not in Path("data/sources.csv").read_text() + Path("data/take_downs.csv").read_text()
    assert not paths.ANSWERS.exists()
    again = remove("Ann Ü")
    assert (again.changed, again.ids, again.removed) == (False, done.ids, ())


def test_a_picture_of_ones_own_is_known_by_its_bytes_alone(project: Path) -> None:
    sha256 = hashlib.sha256(Path("data", OWN).read_bytes()).hexdigest()
    done = remove(sha256.upper())
    assert (done.kind, done.ids) == ("sha256", (OWN,))
    assert not Path("data", OWN).exists()
    assert covered(sha256=sha256)
    assert "Jane" not in Path("data/take_downs.csv").read_text()


def test_what_looks_the_same_is_named_and_stays(project: Path) -> None:
    assert remove(FLICKR).alike == {FLICKR: ["blue/copy.png"]}
    assert Path("data/blue/copy.png").exists()


def test_another_picture_in_the_place_of_one_taken_down_stays(project: Path) -> None:
    remove(FLICKR)
    mine = saved(picture("blue", "mine"))
    Path("data", FLICKR).write_bytes(mine)
    remove(OPENVERSE)
    assert Path("data", FLICKR).read_bytes() == mine


def test_who_made_it_is_no_longer_named_in_the_attribution(project: Path) -> None:
    page = Path("data/ATTRIBUTION.md")
    page.write_text("written by a snapshot: Ann's eye by Ann Ü")
    remove(PAGE)
    assert "Bob" in page.read_text()
    assert "Ann" not in page.read_text()


def test_a_name_that_nothing_has_changes_nothing(project: Path) -> None:
    with pytest.raises(
        DataError, match=r"data: no picture is by 'Eve', which is no id, address or sha256; nothing was ch"
    ):
        remove("Eve")
    unknown = remove("blue/99.jpg")
    assert (unknown.kind, unknown.ids, unknown.known, unknown.changed) == ("id", ("blue/99.jpg",), False, False)
    with pytest.raises(DataError, match=r"take-down: name what to remove, and --reason \"why\""):
        remove(FLICKR, reason=" ")
    assert not Path("data/take_downs.csv").exists()
    assert Path("data", FLICKR).exists()


@pytest.mark.parametrize(
    ("what", "author", "known"),
    [
        ("https://example.org/9.jpg", False, {"image_url": "https://example.org/9.jpg"}),
        ("ef" * 32, False, {"sha256": "ef" * 32}),
        ("Eve", True, {"author": "eve"}),
    ],
)
def test_an_address_bytes_or_an_author_that_the_pool_lacks_is_remembered(
    project: Path, what: str, author: bool, known: dict[str, str]
) -> None:
    done = remove(what, author=author)
    assert (done.ids, done.removed, done.changed) == ((), (), True)
    assert covered(**known)
    assert not remove(what, author=author).changed
    assert len(rules()) == 1


def test_a_title_of_commons_may_be_written_with_spaces(project: Path) -> None:
    page = "https://commons.wikimedia.org/wiki/File:%C3%84_b.jpg"
    sources_table.write(Path("data/sources.csv"), [line | {"page_url": page} for line in lines().values()][1:2])
    assert remove("http://commons.wikimedia.org/wiki/File:Ä b.jpg").ids == (OPENVERSE,)


@pytest.mark.parametrize("what", [OPENVERSE, LINES[1]["image_url"], "Bob"])
def test_a_picture_on_a_page_of_many_goes_alone(project: Path, what: str) -> None:
    page = "https://gallery.example/eyes"
    other = {"id": "blue/brave-9", "provider": "brave", "licence": "", "status": "dead"}
    many = [line | {"page_url": page} for line in (lines()[OPENVERSE], other)]
    sources_table.write(Path("data/sources.csv"), many)
    assert remove(what).ids == (OPENVERSE,)
    assert covered(image_url=LINES[1]["image_url"], page_url=page)
    assert not covered(image_url="https://cdn.example.org/9.jpg", page_url=page)
    assert remove(page).ids == ("blue/brave-9", OPENVERSE)
    assert covered(image_url="https://cdn.example.org/new.jpg", page_url=page)


@pytest.mark.parametrize("what", [FLICKR, PAGE, "blue/brave-495"])
@pytest.mark.parametrize("shared", ["page_url", "image_url", "sha256"])
def test_the_person_is_named_in_no_other_line_of_the_same_picture(project: Path, what: str, shared: str) -> None:
    other = {
        "id": "blue/brave-495", "provider": "brave", "licence": "", "status": "duplicate", "author": "Ann of 7@N06",
        shared: lines()[FLICKR][shared],
    }  # fmt: skip
    sources_table.write(Path("data/sources.csv"), [*lines().values(), other])
    assert remove(what).ids == ("blue/brave-495", FLICKR)
    assert "Ann of" not in Path("data/sources.csv").read_text()
    assert lines()["blue/brave-495"]["status"] == "taken_down"
    assert not Path("data", FLICKR).exists()
    assert Path("data", OPENVERSE).exists()


@pytest.mark.parametrize("odd", ["http://[::1", "https://example.org:99999/a.jpg", "https://"])
def test_an_address_that_no_server_has_is_one_line(project: Path, odd: str) -> None:
    with pytest.raises(DataError, match=r"^take-down: 'http.*' is no address of the web; copy it again from the brows"):
        remove(odd)
    assert not Path("data/take_downs.csv").exists()


def test_without_the_pool_nothing_is_pinned(project: Path) -> None:
    shutil.rmtree("data")
    pinned = Path("data.dvc").read_text()
    with pytest.raises(MissingInput, match=r"data/: no pool here; type dvc pull data.dvc to fetch it"):
        remove(PAGE)
    assert Path("data.dvc").read_text() == pinned


def test_what_dvc_cannot_pin_is_said_with_the_command_to_type(project: Path) -> None:
    Path(".dvc/config").write_text("[core\n")
    with pytest.raises(
        IrislineError, match=r"data/ is changed, but dvc add data failed: .*; correct it, then type dvc add data$"
    ):
        remove(FLICKR)
    assert not Path("data", FLICKR).exists()


KILLED = """
import os, signal, sys
from pathlib import Path
from irisline.collection import removal
from irisline.dataset import sources_table, take_downs
from tests.planted import settings
def die(*arguments, **named): os.kill(os.getpid(), signal.SIGKILL)
steps = {"rules": (take_downs, "write"), "lines": (sources_table, "write"), "files": (Path, "unlink"), "pin": (removal, "pin")}
setattr(*steps[sys.argv[1]], die)
removal.remove(settings(), "Ann Ü", "asked by mail")
"""


@pytest.mark.slow
@pytest.mark.parametrize("step", ["rules", "lines", "files", "pin"])
def test_a_removal_that_was_killed_is_completed_by_the_same_command(project: Path, step: str) -> None:
    root = Path(__file__).parents[2]
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, step], env=os.environ | {"PYTHONPATH": str(root)}, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert Path("data", FLICKR).exists() == (step != "pin")
    remove("Ann Ü")
    assert not Path("data", FLICKR).exists()
    assert lines()[FLICKR]["status"] == "taken_down"
    assert covered(author="Ann Ü")
    assert len(rules()) == 2
    assert "up to date" in dvc("status")


@pytest.mark.slow
def test_the_command_that_is_told_takes_the_bytes_out_of_the_cache_and_the_remote(project: Path) -> None:
    dvc("remote", "modify", "here", "url", str(project / "remote"))
    (one,) = remove(FLICKR).removed
    kept = [project / place / "files" / "md5" / one.md5[:2] / one.md5[2:] for place in (".dvc/cache", "remote")]
    assert all(file.is_file() for file in kept)
    dvc("push", "--quiet", "data.dvc")
    dvc("gc", "--workspace", "--cloud", "--force")
    assert not any(file.is_file() for file in kept)
    assert "up to date" in dvc("status")
