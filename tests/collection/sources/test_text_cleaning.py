"""What strangers wrote becomes one bounded line, or an address, or nothing."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irisline.collection.sources import text_cleaning


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (None, ""),
        ("  two\r\nlines\tand\x0btabs ", "two lines and tabs"),
        ("a\x00b\x1b[31mc\x7f", "ab[31mc"),
        ("\u202eevil\u202c \u2066isolated\u2069 \ufeffmark", "evil isolated mark"),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"),
        ("half \ud800 a character", "half a character"),
        ("x" * 300, "x" * 300),
        ("x" * 301, "x" * 299 + "…"),
    ],
)
def test_a_text_is_one_line(text: str | None, line: str) -> None:
    assert text_cleaning.line(text) == line


@given(st.text(max_size=2000))
def test_any_text_is_one_bounded_line_and_stays_it(text: str) -> None:
    line = text_cleaning.line(text)
    assert len(line) <= text_cleaning.LONGEST
    assert text_cleaning.line(line) == line
    assert not any(unicodedata.category(one).startswith("C") for one in line if one not in "\u200c\u200d")
    assert len(line.splitlines()) <= 1


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ('<a href="//x" title="y">Pt&eacute;r &amp; Co</a>', "Ptér & Co"),
        ("<p>One</p><p>Two<br>Three</p>", "One Two Three"),
        ("a<script>alert(1)</script>b<style>p{}</style>c", "abc"),
        ("1 < 2 and <b", "1 < 2 and <b"),
        ("<" * 100_000, "<" * 299 + "…"),
        (None, ""),
    ],
)
def test_markup_is_not_words(html: str | None, words: str) -> None:
    assert text_cleaning.without_markup(html) == words


@given(st.text(max_size=2000))
def test_any_markup_is_one_bounded_line(text: str) -> None:
    assert len(text_cleaning.without_markup(f"<b>{text}")) <= text_cleaning.LONGEST


@pytest.mark.parametrize(
    "url", ["http://example.org/a.jpg", "https://example.org:8/a?b=c#d", "https://例え.jp/虹彩.jpg"]
)
def test_an_address_of_the_web_is_one(url: str) -> None:
    assert text_cleaning.address(f" {url} ") == url


@pytest.mark.parametrize(
    "url",
    [None, "", "//example.org/a.jpg", "file:///etc/passwd", "javascript:alert(1)", "data:,x", "drawn:1/2", "https:///a.jpg",
     "https://[example.org/", "https://example.org/a b", "https://example.org/a\n.jpg", "https://example.org/" + "a" * 2000],
)  # fmt: skip
def test_anything_else_is_none(url: str | None) -> None:
    assert text_cleaning.address(url) == ""
