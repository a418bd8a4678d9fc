"""What may never be fetched again: what a line covers, and that the list does not tell whom it is about."""

from pathlib import Path

import pytest

from irisline.core.errors import DataError
from irisline.dataset import take_downs
from irisline.dataset.take_downs import Rule, TakeDowns

PICTURE = Rule(
    "2026-01-02T03:04:05Z", "id", "flickr", "495", "https://live.staticflickr.com/1/495_b.jpg",
    "https://www.flickr.com/photos/7@N06/495", sha256="ab" * 32, reason="asked by mail",
)  # fmt: skip
ANN = Rule("2026-01-02T03:04:05Z", "author", author=take_downs.author_digest("Ann Ü"), reason="asked by mail")


def covers(rules: list[Rule], **known: str) -> str | None:
    asked = {name: known.get(name, "") for name in ("provider", "provider_id", "image_url", "author", "sha256")}
    return TakeDowns(rules).covers(**asked, page_url=known.get("page_url", ""))


@pytest.mark.parametrize(
    "known",
    [
        {"provider": "flickr", "provider_id": "495"},
        {"image_url": "https://live.staticflickr.com/1/495_b.jpg"},
        {"image_url": "http://LIVE.staticflickr.com/1/495_b.jpg#top"},
        {"sha256": "AB" * 32},
        {"provider": "openverse", "provider_id": "4bc43a04", "page_url": "https://flickr.com/photos/7@N06/495/"},
    ],
)
def test_a_picture_is_known_by_its_id_its_addresses_and_its_bytes(known: dict[str, str]) -> None:
    assert covers([PICTURE, ANN], **known) == "taken down 2026-01-02: asked by mail"


@pytest.mark.parametrize(
    "known",
    [
        {},
        {"provider": "commons", "provider_id": "495"},
        {"provider": "flickr", "provider_id": "4951"},
        {"image_url": "https://live.staticflickr.com/1/496_b.jpg"},
        {"image_url": "https://example.org/?id=2"},
        {"author": "Ann"},
        {"sha256": "ac" * 32},
    ],
)
def test_what_only_resembles_it_may_be_fetched(known: dict[str, str]) -> None:
    assert covers([PICTURE, ANN, Rule("2026", "url", image_url="https://example.org/?id=1")], **known) is None


FLICKR = "https://www.flickr.com/photos/7@N06/495"
COMMONS = "https://commons.wikimedia.org/wiki/File:%C3%84_b.jpg"
AND = "https://commons.wikimedia.org/wiki/File:Smith_&_Sons_1.jpg"
WHO = "https://commons.wikimedia.org/wiki/File:Who%3F_1.jpg?uselang=de"


@pytest.mark.parametrize(
    ("recorded", "other"),
    [
        (FLICKR, "http://flickr.com/photos/ann-eye/495/"),
        (FLICKR, "https://www.flickr.com/photos/ann-eye/495/in/photostream/"),
        (FLICKR, "https://m.flickr.com/photos/7%40N06/495?rb=1#comments"),
        (FLICKR, "HTTPS://WWW.FLICKR.COM:443/photos/ann-eye/495/sizes/l"),
        (FLICKR, "https://live.staticflickr.com/65535/495_0a1b2c3d4e_m.jpg"),
        (FLICKR, "https://c1.staticflickr.com/9/8123/495_0a1b2c3d4e.jpg"),
        (COMMONS, "http://commons.wikimedia.org/wiki/File:Ä b.jpg"),
        (COMMONS, "https://commons.m.wikimedia.org/wiki/File:A\u0308_b.jpg?uselang=de"),
        (COMMONS, "https://commons.wikimedia.org/w/index.php?title=File:%C3%84%20b.jpg&oldid=7"),
        (
            COMMONS,
            "https://upload.wikimedia.org/wikipedia/commons/thumb/0/0a/%C3%84_b.jpg/960px-%C3%84_b.jpg?utm_source=x",
        ),
        (COMMONS, "https://upload.wikimedia.org/wikipedia/commons/0/0a/Ä_b.jpg"),
        (FLICKR, "https://flic.kr/p/9x"),
        (FLICKR, "https://www.flickr.com/photo.gne?rb=1&id=495"),
        ("https://www.flickr.com/photos/drdrang/5169665786/", "http://flic.kr/p/8SPTwJ"),
        ("https://www.flickr.com/photos/drdrang/4425073240/", "https://flic.kr/p/7K2E7d/"),
        (COMMONS, "https://commons.wikimedia.org/wiki/Special:FilePath/%C3%84_b.jpg?width=300"),
        (COMMONS, "https://commons.wikimedia.org/wiki/Category:Eyes#/media/File:%C3%84_b.jpg"),
        (COMMONS, "https://commons.wikimedia.org/wiki/file:_%C3%A4_b.jpg"),
        (COMMONS, "https://commons.wikimedia.org/wiki/Image:%C3%A4_b.jpg"),
        (AND, "https://commons.wikimedia.org/w/index.php?oldid=7&title=File:Smith_%26_Sons_1.jpg"),
        (AND, "https://commons.wikimedia.org/w/index.php?title=File:Smith+%26+Sons+1.jpg&oldid=7"),
        (AND, "https://upload.wikimedia.org/wikipedia/commons/0/0a/Smith_%26_Sons_1.jpg"),
        (WHO, "https://upload.wikimedia.org/wikipedia/commons/thumb/0/0a/Who%3F_1.jpg/960px-Who%3F_1.jpg"),
        (WHO, "https://commons.wikimedia.org/w/index.php?title=File:Who?_1.jpg"),
        ("https://example.org/a b/Ä.jpg?of=ü", "http://www.example.org:80/a%20b/%c3%84.jpg/?of=%C3%BC"),
    ],
)
def test_one_picture_is_known_by_every_way_to_write_its_address(recorded: str, other: str) -> None:
    for ruled, asked in ((recorded, other), (other, recorded)):
        assert covers([Rule("2026", "url", page_url=ruled)], page_url=asked)


@pytest.mark.parametrize(
    ("recorded", "other"),
    [
        (FLICKR, "https://www.flickr.com/photos/7@N06/4951"),
        (FLICKR, "https://www.flickr.com/photos/7@N06/albums/495"),
        (FLICKR, "https://flic.kr/p/9y"),
        (FLICKR, "https://flic.kr/s/9x"),
        (COMMONS, "https://commons.wikimedia.org/wiki/File:A_b.jpg"),
        (COMMONS, "https://commons.wikimedia.org/wiki/File:%C3%84_B.jpg"),
        (COMMONS, "https://commons.wikimedia.org/wiki/Category:Eyes#/media/File:A_b.jpg"),
        (COMMONS, "https://en.wikipedia.org/wiki/File:%C3%84_b.jpg"),
        (AND, "https://commons.wikimedia.org/wiki/File:Smith_%26_Jones_2.jpg"),
        (AND, "https://commons.wikimedia.org/w/index.php?title=File:Smith_%26_Jones_2.jpg"),
        (WHO, "https://commons.wikimedia.org/wiki/File:Who%3F_2.jpg"),
        ("https://example.org/?of=a%26b=c", "https://example.org/?of=a&b=c"),
        ("https://example.org/a_b.jpg", "https://example.org/a b.jpg"),
    ],
)
def test_what_is_written_nearly_the_same_is_another_picture(recorded: str, other: str) -> None:
    assert not covers([Rule("2026", "url", page_url=recorded)], page_url=other)


@pytest.mark.parametrize("odd", ["http://[::1", "https://example.org:99999/a.jpg", "https://a\u2100b.example/"])
def test_an_address_that_is_none_is_itself_alone(odd: str) -> None:
    assert covers([Rule("2026", "url", image_url=odd)], image_url=odd)
    assert not covers([Rule("2026", "url", image_url=odd)], image_url=FLICKR)


def test_an_id_is_the_same_as_a_file_is_named_after_it() -> None:
    filed = Rule("2026", "id", "commons", "File-Eye-of-caf-_1", reason="asked")
    assert covers([filed], provider="commons", provider_id="File:Eye of café _1")


@pytest.mark.parametrize("name", ["Ann Ü", "ann ü", "ANN  U\u0308 "])
def test_an_author_is_known_however_the_name_is_written(name: str) -> None:
    assert covers([ANN], author=name) == "taken down 2026-01-02: asked by mail"
    assert covers([Rule("2026-03-04", "author", author="Ann Ü", reason="by hand")], author=name)


def test_the_file_gives_back_what_was_written_and_names_nobody(tmp_path: Path) -> None:
    file = tmp_path / "take_downs.csv"
    assert take_downs.read(file).rules == ()
    take_downs.write(file, [PICTURE, ANN])
    assert take_downs.read(file).rules == (PICTURE, ANN)
    text = file.read_text()
    assert text.splitlines()[0] == "when,what,provider,provider_id,image_url,page_url,author,sha256,reason,phash"
    assert "Ann" not in text


def test_a_file_from_before_pictures_were_known_by_what_they_show_is_read(tmp_path: Path) -> None:
    file = tmp_path / "take_downs.csv"
    take_downs.write(file, [PICTURE])
    file.write_text(file.read_text().replace(",phash", "").replace("asked by mail,", "asked by mail"))
    assert take_downs.read(file).rules == (PICTURE,)


def test_a_file_that_cannot_be_read_stops_whoever_asks(tmp_path: Path) -> None:
    file = tmp_path / "take_downs.csv"
    file.write_text("when,what\n2026,id\n")
    with pytest.raises(
        DataError, match=r"take_downs.csv: no column author, .*; correct it, for it says what may never be"
    ):
        take_downs.read(file)
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match=r"take_downs.csv: not UTF-8: invalid start byte"):
        take_downs.read(file)


def test_a_rule_adds_only_what_is_not_covered_yet() -> None:
    known = TakeDowns([PICTURE])
    assert not known.adds(Rule("2027", "url", page_url="https://www.flickr.com/photos/7@N06/495"))
    assert known.adds(ANN)
