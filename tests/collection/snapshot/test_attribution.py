"""ATTRIBUTION.md: everyone is named, every licence is linked, and nothing that others wrote becomes markup."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from irisline.collection.snapshot import attribution
from irisline.core import display_names
from tests.fakes.catalogue import HOSTILE

CC_BY = "https://creativecommons.org/licenses/by/4.0/"
READER = MarkdownIt("gfm-like", {"html": True, "linkify": False})


def line(name: str = "blue/a.jpg", **more: str) -> dict[str, str]:
    plain = {"provider": "openverse", "licence": "CC-BY-4.0", "licence_url": "", "status": "fetched"}
    return {"id": name, "title": "An eye", "author": "Ann Ü", "page_url": "https://photos.example/1", **plain, **more}


def page(*lines: dict[str, str], present: tuple[str, ...] = ("blue/a.jpg",)) -> str:
    return attribution.text(lines, present, ["blue", "brown"])


def shown(text: str) -> tuple[str, list[str], set[str]]:
    """Return what a reader of a page sees, where its links lead, and which marks it has."""
    marks = [mark for block in READER.parse(text) for mark in (block, *(block.children or ()))]
    words = "".join(mark.content for mark in marks if mark.type in ("text", "code_inline"))
    links = [str(mark.attrs["href"]) for mark in marks if mark.type == "link_open"]
    return words, links, {mark.type for mark in marks}


def test_title_author_licence_and_source_are_named_by_class() -> None:
    text = page(line(), line("brown/b.jpg", author="", title=""), present=("blue/a.jpg", "brown/b.jpg"))
    assert f'## blue\n\n- ["An eye"](https://photos.example/1) by Ann Ü, [CC-BY-4.0]({CC_BY}) (`blue/a.jpg`)\n' in text
    assert f"- [Untitled](https://photos.example/1) by an unknown author, [CC-BY-4.0]({CC_BY})" in text


def test_own_and_drawn_pictures_are_summed() -> None:
    lines = [line("blue/d.jpg", provider="drawn"), line("blue/o.jpg", licence="own")]
    text = page(*lines, present=("blue/d.jpg", "blue/o.jpg", "blue/dropped-in.jpg"))
    assert text.endswith("## blue\n\n- Own pictures: 2\n- Drawn by Irisline: 1\n\n## brown\n\nNo pictures.\n")


def test_only_pictures_that_are_there_are_named() -> None:
    text = page(line("blue/gone.jpg"), line("blue/a", status="dead"), line())
    assert "gone" not in text
    assert text.count("Ann Ü") == 1


PLAIN = shown(page(line()))


@pytest.mark.parametrize(
    "words",
    [
        *HOSTILE, "[a](https://evil.example)", "![a](https://evil.example/a.png)", "<img src=x onerror=x>", "`code`",
        "**bold**", "- a\n# b", "a | b", "https://evil.example www.evil.example a@evil.example", "\\", "&lt;b&gt;", "[^1]",
    ],
)  # fmt: skip
def test_what_others_wrote_is_words_and_nothing_else(words: str) -> None:
    text, links, marks = shown(page(line(title=words, author=words)))
    assert links == PLAIN[1]
    assert marks <= PLAIN[2]
    visible = " ".join(display_names._INVISIBLE.sub(" ", words).split())[:200]
    assert text.count(visible) == 2


@settings(max_examples=50)
@given(st.text(max_size=60))
def test_no_words_at_all_become_markup(words: str) -> None:
    _, links, marks = shown(page(line(title=words, author=words)))
    assert links == PLAIN[1]
    assert marks <= PLAIN[2]


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "", "//evil.example", "http://[::1",
        "https://evil.example:99999/",
    ],
)  # fmt: skip
def test_only_pages_of_the_web_are_linked(address: str) -> None:
    assert shown(page(line(page_url=address)))[1] == [CC_BY]


def test_an_address_cannot_end_its_link() -> None:
    text = page(line(page_url='https://photos.example/a b)(c" <x>'))
    assert shown(text)[1][0] == "https://photos.example/a%20b%29%28c%22%20%3Cx%3E"
