"""Flickr: the key stands in no address, licences are what Flickr says its numbers mean, and its last page is the last."""

import httpx
import pytest

from irisline.collection.sources.api import Setup
from irisline.collection.sources.candidate import Candidate, Query
from irisline.collection.sources.flickr import Flickr
from irisline.core.errors import SearchFailed
from tests.collection.sources.conftest import Time
from tests.fakes import flickr
from tests.fakes.catalogue import found
from tests.fakes.reply import Reply, as_json
from tests.fakes.web import Web
from tests.planted import settings

EVERYTHING = Query("blue", "everything blue")


def made(web: Web, time: Time, **snapshot: object) -> Flickr:
    return Flickr(
        Setup(settings=settings(**snapshot).snapshot, environment=web.environment | web.keys, clock=time.clock)
    )


def page(number: int, pages: int, *names: str) -> Reply:
    photos = [{"id": name, "owner": "o", "url_m": f"https://example.org/{name}.jpg", "license": "4"} for name in names]
    return as_json({"stat": "ok", "photos": {"page": number, "pages": pages, "photo": photos}})


def test_what_is_accepted_is_found_and_no_more(web: Web, time: Time) -> None:
    candidates = list(made(web, time).search(EVERYTHING, 1000))
    works = found("flickr", EVERYTHING.text)
    assert [one.provider_id for one in candidates] == [str(work.count) for work in works if work.odd != "noncommercial"]
    assert [one.rank for one in candidates] == list(range(1, len(candidates) + 1))


def test_what_is_asked_is_safe_licensed_and_a_photo(web: Web, time: Time) -> None:
    list(made(web, time).search(EVERYTHING, 1000))
    assert [one.form["method"] for one in web.seen] == ["flickr.photos.licenses.getInfo", "flickr.photos.search"]
    asked = web.seen[1].form
    assert asked["license"].split(",") == ["4", "5", "9", "10", "11", "12"]
    assert (asked["safe_search"], asked["content_type"], asked["media"], asked["sort"]) == (
        "1",
        "1",
        "photos",
        "relevance",
    )
    assert (asked["text"], asked["per_page"], asked["page"]) == ("everything blue", "500", "1")


def test_the_key_stands_in_no_address(web: Web, time: Time) -> None:
    list(made(web, time).search(EVERYTHING, 1000))
    for one in web.seen:
        assert one.method == "POST"
        assert one.query == {}
        assert one.form["api_key"] == flickr.KEY


def test_licences_are_asked_for_once(web: Web, time: Time) -> None:
    provider = made(web, time)
    list(provider.search(EVERYTHING, 1000))
    list(provider.search(Query("brown", "few brown"), 1000))
    assert [one.form["method"] for one in web.seen].count("flickr.photos.licenses.getInfo") == 1


def test_numbers_mean_what_flickr_says_and_an_unknown_one_nothing(web: Web, time: Time) -> None:
    candidates = {one.provider_id: one for one in made(web, time).search(EVERYTHING, 1000)}
    works = {work.number: work for work in found("flickr", EVERYTHING.text)}
    assert candidates[str(works[9].count)].licence == "CC-BY-4.0"
    assert candidates[str(works[10].count)].licence == "CC-BY-2.0"
    assert candidates[str(works[12].count)].licence_url == "https://creativecommons.org/publicdomain/zero/1.0/"
    strange = next(work for work in works.values() if work.odd == "unlicensed")
    assert candidates[str(strange.count)].licence == ""


def test_where_unknown_licences_are_accepted_they_are_asked_for(web: Web, time: Time) -> None:
    list(made(web, time, snapshot__licences=["unknown"]).search(EVERYTHING, 10))
    assert web.seen[1].form["license"] == "7,8"  # never 0: all rights reserved


def test_where_nothing_can_be_accepted_nothing_is_asked(web: Web, time: Time) -> None:
    web.answer_next("flickr", as_json({"stat": "ok", "licenses": {"license": [{"id": 0, "url": ""}]}}))
    assert list(made(web, time).search(EVERYTHING, 10)) == []
    assert len(web.seen) == 1


def test_a_candidate_says_all_that_is_known(web: Web, time: Time) -> None:
    work = next(work for work in found("flickr", EVERYTHING.text) if work.number == 10)
    candidates = {one.provider_id: one for one in made(web, time).search(EVERYTHING, 1000)}
    assert candidates[str(work.count)] == Candidate(
        provider="flickr",
        provider_id=str(work.count),
        query=EVERYTHING,
        rank=candidates[str(work.count)].rank,
        image_url=f"{web.url}/pictures/flickr/blue-010.jpg",
        page_url=f"https://www.flickr.com/photos/7478087@N06/{work.count}",
        title="Blue eye 10",
        author="Author 10",
        licence="CC-BY-2.0",
        licence_url="https://creativecommons.org/licenses/by/2.0/",
    )


def test_the_largest_size_there_is_is_taken(web: Web, time: Time) -> None:
    sizes = {
        "url_l": "https://example.org/l.jpg",
        "url_c": "https://example.org/c.jpg",
        "url_m": "https://example.org/m.jpg",
    }
    photos = [
        {"id": "a", "owner": "o"} | sizes,
        {"id": "b", "owner": "o", "url_m": sizes["url_m"]},
        {"id": "c", "owner": "o"},
    ]
    provider = made(web, time)
    list(provider.search(EVERYTHING, 1))
    web.answer_next("flickr", as_json({"stat": "ok", "photos": {"pages": 1, "photo": photos}}))
    found_urls = [(one.provider_id, one.image_url) for one in provider.search(EVERYTHING, 10)]
    assert found_urls == [("a", sizes["url_l"]), ("b", sizes["url_m"])]


def test_pages_are_read_to_the_last_and_repeated_ones_once(web: Web, time: Time) -> None:
    provider = made(web, time)
    list(provider.search(EVERYTHING, 1))
    web.answer_next("flickr", page(1, 3, "a", "b"), page(2, 3, "b", "c"), page(3, 3, "d"))
    assert [one.provider_id for one in provider.search(EVERYTHING, 1000)] == ["a", "b", "c", "d"]
    assert [one.form.get("page") for one in web.seen[-3:]] == ["1", "2", "3"]


def test_a_query_reaches_4000_photos(web: Web, time: Time) -> None:
    provider = made(web, time)
    list(provider.search(EVERYTHING, 1))
    web.answer_next("flickr", *[page(number, 99, f"p{number}") for number in range(1, 12)])
    assert len(list(provider.search(EVERYTHING, 10_000))) == 8


def test_without_a_key_it_is_said_where_one_is_had(web: Web, time: Time) -> None:
    with pytest.raises(
        SearchFailed, match=r"^flickr: FLICKR_API_KEY is not set; Pro accounts get a key at https://www\.flickr"
    ):
        Flickr(Setup(settings=settings().snapshot, environment=web.environment, clock=time.clock))


def test_a_wrong_key_is_said_with_status_200_and_not_repeated(web: Web, time: Time) -> None:
    wrong = Flickr(
        Setup(settings=settings().snapshot, environment=web.environment | {"FLICKR_API_KEY": "wr0ng"}, clock=time.clock)
    )
    with pytest.raises(
        SearchFailed, match=r"^flickr: answered 100: Invalid API Key \(Key has invalid format\); mind FLICKR"
    ):
        list(wrong.search(EVERYTHING, 10))
    web.answer_next("flickr", as_json({"stat": "fail", "code": 100, "message": "No key wr0ng here"}))
    with pytest.raises(SearchFailed, match=r"^flickr: answered 100: No key \*\*\* here; mind FLICKR_API_KEY$"):
        list(wrong.search(EVERYTHING, 10))


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (as_json({"stat": "ok"}), "flickr: answered something else than pictures: no photos in it"),
        (as_json({"photos": {}}), r"flickr: answered something else than pictures: stat: Field required \(.*"),
        (
            Reply(200, b'jsonFlickrApi({"stat":"ok"})', "text/javascript"),
            "flickr: answered something else than pictures: Inv.*",
        ),
    ],
)
def test_something_else_than_pictures_is_said(reply: Reply, message: str, web: Web, time: Time) -> None:
    provider = made(web, time)
    list(provider.search(EVERYTHING, 1))
    web.answer_next("flickr", reply)
    with pytest.raises(SearchFailed, match=f"^{message}$"):
        list(provider.search(EVERYTHING, 10))


def test_the_hours_limit_is_obeyed(web: Web, time: Time) -> None:
    provider = made(web, time)
    for _ in range(3600):
        provider._api._rates[0].note(time.now)  # as if an hour's requests had been made
    with pytest.raises(
        SearchFailed, match=r"^flickr: its limit is 3600 requests in 1 hour, and the next is welcome in 1 hour"
    ):
        list(provider.search(EVERYTHING, 10))
    time.now += 3600
    assert list(provider.search(EVERYTHING, 10))


def test_the_fake_repeats_its_last_page_as_flickr_does(web: Web) -> None:
    form = {
        "method": "flickr.photos.search",
        "api_key": flickr.KEY,
        "text": "blue",
        "format": "json",
        "nojsoncallback": "1",
    }
    asked = [httpx.get(f"{web.url}/flickr/services/rest/", params=form | {"page": page}).json() for page in ("2", "9")]
    assert asked[0] == asked[1]
