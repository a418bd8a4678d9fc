"""Brave: a token in a header, one answer, no licence."""

import hashlib

import pytest

from irisline.collection.sources.api import Setup
from irisline.collection.sources.brave import Brave
from irisline.collection.sources.candidate import Query
from irisline.core.errors import SearchFailed
from tests.collection.sources.conftest import Time
from tests.fakes import brave
from tests.fakes.catalogue import found
from tests.fakes.reply import as_json
from tests.fakes.web import Web
from tests.planted import settings

EVERYTHING = Query("blue", "everything blue")


def made(web: Web, time: Time, **environment: str) -> Brave:
    return Brave(
        Setup(settings=settings().snapshot, environment=web.environment | web.keys | environment, clock=time.clock)
    )


def test_one_answer_holds_200_and_none_has_a_licence(web: Web, time: Time) -> None:
    candidates = list(made(web, time).search(EVERYTHING, 1000))
    works = found("brave", EVERYTHING.text)[:200]
    assert [one.image_url for one in candidates] == [f"{web.url}{work.path}" for work in works]
    assert {one.licence for one in candidates} == {""}
    assert candidates[0].provider_id == hashlib.sha256(candidates[0].image_url.encode()).hexdigest()[:16]
    assert candidates[0].page_url == f"https://pages.example.org/{works[0].key}"
    assert len(web.seen) == 1


def test_what_is_asked_is_safe_and_the_same_however_much_is_wanted(web: Web, time: Time) -> None:
    assert len(list(made(web, time).search(EVERYTHING, 3))) == 3
    asked = web.seen[0]
    assert asked.query == {
        "q": "everything blue", "count": "200", "safesearch": "strict", "country": "US", "search_lang": "en",
    }  # fmt: skip
    assert asked.headers["x-subscription-token"] == brave.TOKEN


def test_two_searches_are_a_second_apart(web: Web, time: Time) -> None:
    provider = made(web, time)
    for _ in range(3):
        list(provider.search(EVERYTHING, 1))
    assert time.slept == [(1.0, 1), (1.0, 2)]


def test_a_picture_that_comes_twice_or_lies_nowhere_is_given_once_or_never(web: Web, time: Time) -> None:
    urls = ["https://example.org/a.jpg", "https://example.org/a.jpg", "data:image/png;base64,AA", None]
    results = [{"properties": {"url": url}} for url in urls] + [{"title": "none"}, {"properties": None}]
    web.answer_next("brave", as_json({"results": results}))
    assert [one.image_url for one in made(web, time).search(EVERYTHING, 10)] == ["https://example.org/a.jpg"]


def test_without_a_token_it_is_said_where_one_is_had(web: Web, time: Time) -> None:
    with pytest.raises(
        SearchFailed, match=r"^brave: BRAVE_API_KEY is not set; plans are at https://api-dashboard\.search\.br"
    ):
        Brave(Setup(settings=settings().snapshot, environment=web.environment, clock=time.clock))
    with pytest.raises(SearchFailed, match=r"^brave: BRAVE_API_KEY holds characters that cannot stand in a header"):
        made(web, time, BRAVE_API_KEY="a\nb")


def test_a_wrong_token_is_said_and_not_repeated(web: Web, time: Time) -> None:
    with pytest.raises(SearchFailed, match=r"^brave: answered 422: The provided subscription token is invalid\.$"):
        list(made(web, time, BRAVE_API_KEY="wr0ng").search(EVERYTHING, 10))
    web.answer_next("brave", as_json({"error": {"detail": "wr0ng is no token"}}, 403))
    with pytest.raises(SearchFailed, match=r"^brave: answered 403: \*\*\* is no token$"):
        list(made(web, time, BRAVE_API_KEY="wr0ng").search(EVERYTHING, 10))


def test_something_else_than_pictures_is_said(web: Web, time: Time) -> None:
    web.answer_next("brave", as_json({"type": "images"}))
    with pytest.raises(SearchFailed, match=r"^brave: answered something else than pictures: results: Field required"):
        list(made(web, time).search(EVERYTHING, 10))
