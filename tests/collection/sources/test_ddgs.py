"""DuckDuckGo through a library that is not ours and may not be there: its answers are played, its absence is real."""

import importlib.util
from pathlib import Path

import pytest

from irisline.collection.sources import ddgs
from irisline.collection.sources.answer_cache import Answers
from irisline.collection.sources.candidate import Query
from irisline.collection.sources.ddgs import Ddgs, Library
from irisline.core.errors import SearchFailed
from tests.collection.sources.conftest import Time

BLUE = Query("blue", "blue eye")


def result(name: str) -> dict[str, object]:
    """Return one picture as ddgs 9.16 gives it."""
    return {
        "title": f"Eye {name}\n", "image": f"https://example.org/{name}.jpg", "thumbnail": "https://example.org/t.jpg",
        "url": f"https://example.org/{name}.html", "height": 600, "width": 800, "source": "Bing",
    }  # fmt: skip


def playing(*pages: list[dict[str, object]] | Exception) -> Library:
    """Return a library that answers with these pages, and after them that there are none."""

    def search(text: str, page: int) -> list[dict[str, object]]:
        answer = pages[page - 1] if page <= len(pages) else Exception("No results found.")
        if isinstance(answer, Exception):
            raise answer
        return answer

    return search


def test_pages_are_read_to_the_last_and_a_picture_is_given_once(time: Time) -> None:
    library = playing([result("a"), result("b")], [result("b"), result("c")])
    candidates = list(Ddgs(library, time.clock).search(BLUE, 100))
    assert [one.image_url for one in candidates] == [f"https://example.org/{name}.jpg" for name in "abc"]
    assert [one.rank for one in candidates] == [1, 2, 3]
    assert (candidates[0].title, candidates[0].page_url) == ("Eye a", "https://example.org/a.html")
    assert {one.licence for one in candidates} == {""}
    assert len({one.provider_id for one in candidates}) == 3


def test_the_same_page_again_is_the_end(time: Time) -> None:
    pages: list[int] = []

    def repeating(text: str, page: int) -> list[dict[str, object]]:
        pages.append(page)
        return [result("a")]

    assert len(list(Ddgs(repeating, time.clock).search(BLUE, 100))) == 1
    assert pages == [1, 2]


def test_a_search_that_finds_nothing_is_asked_again(time: Time, tmp_path: Path) -> None:
    blocked, open_again = playing(), playing([result("a")])
    assert list(Ddgs(blocked, time.clock, Answers(tmp_path)).search(BLUE, 1)) == []
    for library in (open_again, blocked):  # what was found is kept
        (found,) = Ddgs(library, time.clock, Answers(tmp_path)).search(BLUE, 1)
        assert found.image_url == "https://example.org/a.jpg"


def test_no_more_is_asked_than_is_wanted_and_pages_are_two_seconds_apart(time: Time) -> None:
    pages = [[result(f"{page}-{n}") for n in range(10)] for page in range(5)]
    assert len(list(Ddgs(playing(*pages), time.clock).search(BLUE, 25))) == 25
    assert [seconds for seconds, _ in time.slept if seconds] == [2.0, 2.0]


def test_what_the_library_makes_of_a_changed_page_is_one_line(time: Time) -> None:
    limited = playing(RuntimeError("403\nRatelimit"))
    with pytest.raises(
        SearchFailed, match=r"^ddgs: RuntimeError: 403 Ratelimit; wait an hour, or drop ddgs from snapshot"
    ):
        list(Ddgs(limited, time.clock).search(BLUE, 10))
    with pytest.raises(
        SearchFailed, match=r"^ddgs: answered something else than pictures: Input should be a valid string"
    ):
        list(Ddgs(playing([{"image": ["x"]}]), time.clock).search(BLUE, 10))


def test_half_a_character_in_an_address_is_no_picture(time: Time) -> None:
    strange = result("a") | {"image": "https://example.org/a\x00.jpg"}
    assert list(Ddgs(playing([strange]), time.clock).search(BLUE, 10)) == []


@pytest.mark.skipif(importlib.util.find_spec("ddgs") is not None, reason="the extra is installed here")
def test_without_the_library_it_is_said_how_to_get_it() -> None:
    with pytest.raises(
        SearchFailed, match=r"^ddgs: the library is not installed; type pip install 'irisline\[search\]', and"
    ):
        ddgs.library()
