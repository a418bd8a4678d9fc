"""What needs no network: a folder, a list of addresses, and drawn eyes."""

from pathlib import Path

import pytest

from irisline.collection.drawn_pool import draw_pool
from irisline.collection.sources import providers
from irisline.collection.sources.candidate import Candidate, Provider, Query
from irisline.core.errors import SearchFailed
from tests.planted import picture, saved, settings

BLUE = Query("blue", "whatever")
HEAD = "label,url,licence,author,page_url,title\n"


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Return a folder with three blue pictures, something hidden, and one brown picture."""
    for name in ("b.jpg", "a.png", "Ü ber #1.jpg", ".DS_Store"):
        file = tmp_path / "blue" / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(saved(picture("blue", name)))
    (tmp_path / "blue" / "more").mkdir()
    (tmp_path / "brown").mkdir()
    (tmp_path / "brown" / "c.jpg").write_bytes(b"no picture")
    return tmp_path


def folder(place: Path | str) -> Provider:
    return providers.provider("folder", settings(snapshot__folder=str(place)))


def test_a_folder_gives_its_files_by_name_as_ones_own(pictures: Path) -> None:
    candidates = list(folder(pictures).search(BLUE, 10))
    assert [one.provider_id for one in candidates] == ["blue/a.png", "blue/b.jpg", "blue/Ü ber #1.jpg"]
    assert [one.rank for one in candidates] == [1, 2, 3]
    assert {one.licence for one in candidates} == {"own"}
    assert candidates[1].image_url == f"file://{pictures}/blue/b.jpg"
    assert len(list(folder(pictures).search(BLUE, 2))) == 2


def test_a_folder_gives_the_bytes_of_its_files(pictures: Path) -> None:
    chosen = settings(snapshot__folder=str(pictures))
    for one in folder(pictures).search(BLUE, 10):
        assert providers.local_bytes(one, chosen) == (pictures / one.provider_id).read_bytes()


def test_of_a_longer_file_one_byte_more_than_the_limit_is_given(pictures: Path) -> None:
    chosen = settings(snapshot__folder=str(pictures), snapshot__max_bytes=4)
    one = next(folder(pictures).search(Query("brown", ""), 1))
    assert providers.local_bytes(one, chosen) == b"no pi"


def test_a_folder_may_be_named_from_where_one_stands(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(pictures.parent)
    chosen = settings(snapshot__folder=pictures.name)
    assert providers.local_bytes(next(folder(pictures.name).search(BLUE, 1)), chosen) is not None


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SearchFailed, match=r"^folder: snapshot\.folder is empty; set it in params\.yaml"):
        folder("")
    with pytest.raises(
        SearchFailed, match=rf"^folder: {tmp_path}/blue: no such folder; put pictures of class blue there$"
    ):
        list(folder(tmp_path).search(BLUE, 1))


def test_a_name_that_is_no_plain_text_is_named(pictures: Path) -> None:
    (pictures / "blue" / "two\nlines.jpg").write_bytes(b"")
    with pytest.raises(SearchFailed, match=r"^folder: b'.*two\\nlines\.jpg': its name is not plain text; rename it$"):
        list(folder(pictures).search(BLUE, 10))


@pytest.mark.parametrize("name", ["../secret.jpg", "/etc/passwd", "blue/../../secret.jpg"])
def test_no_line_leads_out_of_the_folder(name: str, pictures: Path) -> None:
    outside = Candidate("folder", name, BLUE, 1, f"file://{pictures.parent}/secret.jpg", licence="own")
    (pictures.parent / "secret.jpg").write_bytes(b"secret")
    with pytest.raises(SearchFailed, match=r"^folder: '.*' does not lie in snapshot\.folder"):
        providers.local_bytes(outside, settings(snapshot__folder=str(pictures)))


def test_a_file_that_is_gone_is_named(pictures: Path) -> None:
    one = next(folder(pictures).search(BLUE, 1))
    (pictures / "blue" / "a.png").unlink()
    with pytest.raises(SearchFailed, match=r"^folder: .*/blue/a\.png: No such file or directory; put it back"):
        providers.local_bytes(one, settings(snapshot__folder=str(pictures)))


@pytest.mark.parametrize("url", ["file:///etc/passwd", "drawn:59/0", "https://example.org/a.jpg"])
def test_what_comes_from_the_web_is_never_local(url: str) -> None:
    assert providers.local_bytes(Candidate("openverse", "x", BLUE, 1, url), settings()) is None


def listed(tmp_path: Path, text: str, head: str = HEAD) -> Provider:
    file = tmp_path / "urls.csv"
    file.write_bytes((head + text).encode())
    return providers.provider("urls", settings(snapshot__urls=str(file)))


def test_a_list_gives_its_lines_in_order_each_address_once(tmp_path: Path) -> None:
    provider = listed(
        tmp_path,
        "blue,https://example.org/a.jpg,CC BY-SA 4.0,Ann,https://example.org/a,An eye\n"
        "brown,https://example.org/b.jpg,own,,,\n"
        "blue,https://example.org/a.jpg,cc0,,,\n"
        "blue,https://example.org/c.jpg,https://creativecommons.org/licenses/by/2.0/,,javascript:x,\n"
        "blue,https://example.org/d.jpg,,,,\n",
    )
    first, *others = provider.search(BLUE, 10)
    assert first == Candidate(
        "urls", "700caca5ae8f856f", BLUE, 1, "https://example.org/a.jpg", "https://example.org/a", "An eye", "Ann",
        "CC-BY-SA-4.0", "https://creativecommons.org/licenses/by-sa/4.0/",
    )  # fmt: skip
    assert [(one.image_url[-5], one.licence, one.page_url) for one in others] == [("c", "CC-BY-2.0", ""), ("d", "", "")]
    assert [one.licence for one in provider.search(Query("brown", ""), 10)] == ["own"]
    assert len(list(provider.search(BLUE, 2))) == 2


def test_a_list_as_a_spreadsheet_saves_it_is_read(tmp_path: Path) -> None:
    provider = listed(tmp_path, "blue,https://example.org/a.jpg,own\r\n", "\ufefflabel,url,licence\r\n")
    assert [one.author for one in provider.search(BLUE, 10)] == [""]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("blue,https://example.org/a.jpg,own,,,\ngreen,https://example.org/b.jpg,own,,,\n",
         "line 3: label 'green' is not one of base.classes: blue, brown"),
        ("blue,file:///etc/passwd,own,,,\n", "line 2: 'file:///etc/passwd' is no http or https address"),
        ("blue,,own,,,\n", "line 2: '' is no http or https address"),
        ("blue\n", "line 2: '' is no http or https address"),
        ("blue,https://example.org/a.jpg,CC-BY,,,\n", "line 2: licence 'CC-BY' is unknown; write CC-BY-SA-4.0, CC0-1.0, "),
        ('blue,"' + "a" * 140_000 + '"\n', "line 2: field larger than field limit (131072); correct or drop that line"),
    ],
    ids=["label", "scheme", "no address", "short", "licence", "endless cell"],
)  # fmt: skip
def test_a_wrong_line_is_named_whatever_its_class(text: str, message: str, tmp_path: Path) -> None:
    provider = listed(tmp_path, text)
    with pytest.raises(SearchFailed) as caught:
        list(provider.search(BLUE, 10))
    assert str(caught.value).startswith(f"urls: {tmp_path}/urls.csv: {message}")


def test_a_list_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(SearchFailed, match=r"^urls: snapshot\.urls is empty; set it in params\.yaml to a CSV"):
        providers.provider("urls", settings())
    with pytest.raises(SearchFailed, match=r"urls\.csv: no column url, licence; its first line names the columns$"):
        list(listed(tmp_path, "", "label,address\n").search(BLUE, 1))
    (tmp_path / "urls.csv").write_bytes(b"label,url,licence\nblue,\xff,own\n")
    missing = providers.provider("urls", settings(snapshot__urls=str(tmp_path / "urls.csv")))
    with pytest.raises(SearchFailed, match=r"urls\.csv: 'utf-8' codec can't decode byte 0xff .*; save it as UTF-8$"):
        list(missing.search(BLUE, 1))
    (tmp_path / "urls.csv").unlink()
    with pytest.raises(SearchFailed, match=r"urls\.csv: no such file; mind snapshot\.urls in params\.yaml$"):
        list(missing.search(BLUE, 1))


def test_drawn_eyes_have_names_and_addresses_of_their_own() -> None:
    drawn = providers.provider("drawn", settings(base__seed=7))
    candidates = [one for label in ("blue", "brown") for one in drawn.search(Query(label, ""), 50)]
    assert len({one.provider_id for one in candidates}) == len({one.image_url for one in candidates}) == 100
    assert (candidates[3].provider_id, candidates[3].image_url) == ("7-blue-3", "drawn:7/blue/3")
    assert (candidates[3].licence, candidates[3].author) == ("CC0-1.0", "Irisline")
    again = [one for label in ("blue", "brown") for one in drawn.search(Query(label, "other words"), 50)]
    assert [one.image_url for one in again] == [one.image_url for one in candidates]


def test_a_class_more_changes_nothing_that_is_drawn_of_the_others() -> None:
    two, three = (settings(base__classes=names) for names in (["blue", "brown"], ["green", "blue", "brown"]))
    first, second = (list(providers.provider("drawn", chosen).search(BLUE, 3)) for chosen in (two, three))
    assert first == second
    assert [providers.local_bytes(one, two) for one in first] == [providers.local_bytes(one, three) for one in second]


def test_what_was_recorded_before_the_class_stood_in_the_address_is_drawn_as_it_was(tmp_path: Path) -> None:
    draw_pool(tmp_path, 6, 7, ["blue", "brown"], defects=False)
    recorded = Candidate("drawn", "7-4", BLUE, 3, "drawn:7/4")
    assert providers.local_bytes(recorded, settings()) == (tmp_path / "blue" / "blue-0003.jpg").read_bytes()


def test_what_cannot_be_drawn_is_named() -> None:
    with pytest.raises(SearchFailed, match=r"^drawn: 'cat' cannot be drawn; base\.classes may hold .*blue.*$"):
        providers.provider("drawn", settings(base__classes=["blue", "cat"]))
    strange = Candidate("drawn", "x", BLUE, 1, "drawn:59/../../etc")
    with pytest.raises(SearchFailed, match=r"^drawn: 'drawn:59/\.\./\.\./etc' of class 'blue' cannot be drawn$"):
        providers.local_bytes(strange, settings())
