"""The pool people browse: every file is one item, and what is wrong with a folder is said before any picture is read."""

import os
from pathlib import Path

import pytest

from irisline.core.errors import DataError, MissingInput
from irisline.dataset import images, pool, sources_table, thumbnails
from tests.planted import CLASSES, picture, saved, settings

LIMITS = settings().collect
SOURCES = "id,provider,licence,author,page_url\nblue/1.jpg,openverse,CC BY 4.0,Ann Ü,https://example.org/1\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for label in CLASSES:
        (tmp_path / "data" / label).mkdir(parents=True)
        (tmp_path / "data" / label / "1.jpg").write_bytes(saved(picture(label)))
    return tmp_path / "data"


def items(folder: Path) -> list[pool.Item]:
    return pool.items(folder, list(CLASSES), LIMITS)


def test_files_are_listed_by_id_with_their_class(folder: Path) -> None:
    (folder / "blue" / "more").mkdir()
    (folder / "blue" / "more" / "no_suffix").write_bytes(saved(picture()))
    (folder / "blue" / ".note").touch()
    (folder / "blue" / ".thumbnails").mkdir()
    (folder / "blue" / ".thumbnails" / "1.jpg").touch()
    (folder / ".gitignore").touch()
    (folder / "README.md").touch()
    found = items(folder)
    assert [item.id for item in found] == ["blue/1.jpg", "blue/more/no_suffix", "brown/1.jpg"]
    assert [item.label for item in found] == ["blue", "blue", "brown"]


def test_sources_are_kept_and_a_picture_dropped_in_by_hand_is_own(folder: Path) -> None:
    (folder / "sources.csv").write_text(SOURCES, encoding="utf-8")
    blue, brown = (pool.read(item) for item in items(folder))
    assert (blue["provider"], blue["licence"], blue["author"]) == ("openverse", "CC BY 4.0", "Ann Ü")
    assert blue["page_url"] == "https://example.org/1"
    assert (brown["provider"], brown["licence"], brown["author"], brown["page_url"]) == ("folder", "own", None, None)


def test_a_group_and_a_split_that_a_person_gives_are_kept(folder: Path) -> None:
    (folder / "sources.csv").write_text("id,licence,group,split\nblue/1.jpg,own,ann,test\nbrown/1.jpg,own,,\n")
    blue, brown = (pool.read(item) for item in items(folder) if item.id in ("blue/1.jpg", "brown/1.jpg"))
    assert (blue["given_group"], blue["given_split"]) == ("ann", "test")
    assert (brown["given_group"], brown["given_split"]) == (None, None)
    (folder / "sources.csv").write_text("id,licence,split\nblue/1.jpg,own,val\n")
    with pytest.raises(DataError, match=r"sources.csv: 'blue/1.jpg' has the split 'val'; write train, valid or test"):
        items(folder)


def test_a_table_saved_by_a_spreadsheet_is_read(folder: Path) -> None:
    (folder / "sources.csv").write_bytes(b"\xef\xbb\xbf" + SOURCES.replace("\n", "\r\n").encode())
    assert sources_table.by_id(sources_table.read(folder / "sources.csv"))["blue/1.jpg"]["licence"] == "CC BY 4.0"


def test_a_table_without_its_columns_or_in_another_encoding_is_refused(folder: Path) -> None:
    (folder / "sources.csv").write_text("id,author\n")
    with pytest.raises(DataError, match=r"sources.csv: no column licence; its first line names the columns$"):
        items(folder)
    (folder / "sources.csv").write_text("")
    with pytest.raises(DataError, match=r"sources.csv: no column id, licence; "):
        items(folder)
    (folder / "sources.csv").write_bytes(SOURCES.encode("latin-1"))
    with pytest.raises(DataError, match=r"sources.csv: not UTF-8: .* at byte \d+; save it as UTF-8$"):
        items(folder)


def test_a_field_too_long_for_a_table_is_refused_in_one_line(folder: Path) -> None:
    (folder / "sources.csv").write_text(f"{SOURCES}brown/1.jpg,{'x' * 200_000}\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"sources.csv: line 3: field larger than .*; correct or drop that line$"):
        items(folder)


def test_a_line_for_no_class_and_a_second_line_for_one_are_refused(folder: Path) -> None:
    (folder / "sources.csv").write_text(f"{SOURCES}1.jpg,,own,,\n", encoding="utf-8")
    message = r"sources.csv: '1.jpg' is in no class folder; ids are paths below .*, such as blue/1.jpg: drop .*$"
    with pytest.raises(DataError, match=message):
        items(folder)
    (folder / "sources.csv").write_text(f"{SOURCES}blue/1.jpg,,own,,\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"sources.csv: 'blue/1.jpg' has two lines; keep one of them$"):
        items(folder)


def test_a_line_for_a_failed_download_needs_no_file_and_yields_to_a_later_success(folder: Path) -> None:
    lines = ["id,licence,status", "blue/1.jpg,CC0,fetched", "blue/1.jpg,,HTTP 429", "blue/2.jpg,CC0,HTTP 404"]
    (folder / "sources.csv").write_text("\n".join(lines))
    assert [(item.id, item.source["licence"]) for item in items(folder)] == [
        ("blue/1.jpg", "CC0"),
        ("brown/1.jpg", "own"),
    ]


def test_a_file_name_that_is_not_utf_8_is_refused(folder: Path) -> None:
    (folder / "blue" / os.fsdecode(b"caf\xe9.jpg")).touch()
    with pytest.raises(DataError, match=r"data/blue/caf\\xe9.jpg: its name is not UTF-8; rename it$"):
        items(folder)


def test_a_picture_outside_the_class_folders_is_refused(folder: Path) -> None:
    (folder / "3.jpg").touch()
    with pytest.raises(
        DataError, match=r"data/3.jpg: not in a class folder; move it into .*data/<class>/ or remove it$"
    ):
        items(folder)


def test_no_pool_says_how_to_fetch_it(tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match=r"data/: no pool here; type dvc pull data.dvc to fetch it$"):
        items(tmp_path / "data")


def test_a_class_without_pictures_or_folder_is_refused(folder: Path) -> None:
    (folder / "brown" / "1.jpg").unlink()
    (folder / "brown" / ".gitkeep").touch()
    message = r"data/brown/: no pictures of class brown; put some there, or change base.classes$"
    with pytest.raises(DataError, match=message):
        items(folder)
    (folder / "brown" / ".gitkeep").unlink()
    (folder / "brown").rmdir()
    with pytest.raises(DataError, match=message):
        items(folder)


def test_a_folder_that_is_no_class_is_refused(folder: Path) -> None:
    (folder / "hazel").mkdir()
    with pytest.raises(
        DataError, match=r"data/hazel/: not one of base.classes \(blue, brown\); add it there or move it$"
    ):
        items(folder)


def test_a_read_picture_carries_its_facts(folder: Path) -> None:
    row = pool.read(items(folder)[0])
    assert (row["width"], row["height"], row["format"]) == (48, 40, "JPEG")
    assert "reason" not in row
    decoded = images.decode((folder / "blue" / "1.jpg").read_bytes(), 640, 10**6)
    assert row["sha256"] == images.pixel_digest(decoded)
    assert row["image"] == images.encode(decoded)
    assert len(row["phash"]) == 16
    assert row["thumbnail"] == thumbnails.of(decoded)
    assert thumbnails.stacked([row["thumbnail"]] * 2).shape == (2, 16, 16, 3)


def test_an_unreadable_file_is_a_row_with_the_reason(folder: Path) -> None:
    (folder / "blue" / "1.jpg").write_text("<html>gone</html>")
    item = items(folder)[0]
    row = pool.read(item)
    assert row["reason"] == "not a JPEG, PNG or WebP picture"
    assert row.get("sha256") is None
    item.path.unlink()
    assert "No such file" in pool.read(item)["reason"]


@pytest.mark.parametrize("name", ["blue/../../victim", "/etc/passwd"])
def test_an_id_that_leads_out_of_the_pool_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "sources.csv").write_text(f"id,licence\n{name},CC0-1.0\n")
    with pytest.raises(DataError, match=r"sources.csv: '.*' is no path below data/; fix or drop the line$"):
        sources_table.read(tmp_path / "sources.csv")
