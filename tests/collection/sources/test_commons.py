"""Commons: who names no contact is refused, answers are ordered by index, and what is sent back is all of `continue`."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from irisline.collection.sources.api import Setup
from irisline.collection.sources.candidate import Candidate, Query
from irisline.collection.sources.commons import Commons
from irisline.core.errors import SearchFailed
from tests.collection.sources.conftest import Time
from tests.fakes.catalogue import Work, found
from tests.fakes.commons import is_small
from tests.fakes.reply import Reply, as_json
from tests.fakes.web import Web
from tests.planted import settings

BLUE = Query("blue", "blue eye")
SPELLED = {
    ("by", "2.0"): "CC-BY-2.0", ("by", "4.0"): "CC-BY-4.0", ("by-sa", "4.0"): "CC-BY-SA-4.0", ("cc0", "1.0"): "CC0-1.0",
    ("pdm", "1.0"): "PDM-1.0", ("by-nc-sa", "2.0"): "CC-BY-NC-SA-2.0", ("", ""): "",
}  # fmt: skip


def made(web: Web, time: Time, contact: str = "me@example.org") -> Commons:
    return Commons(
        Setup(settings=settings(snapshot__contact=contact).snapshot, environment=web.environment, clock=time.clock)
    )


def searched(web: Web, time: Time, text: str = BLUE.text) -> list[tuple[Work, Candidate]]:
    """Return each work that must be found beside what was."""
    candidates = list(made(web, time).search(Query("blue", text), 1000))
    return list(zip(found("commons", text), candidates, strict=True))


def test_every_answer_is_asked_for_and_the_order_is_that_of_the_index(web: Web, time: Time) -> None:
    pairs = searched(web, time)
    assert [one.provider_id for _, one in pairs] == [str(work.count) for work, _ in pairs]
    assert [one.rank for _, one in pairs] == list(range(1, len(pairs) + 1))
    assert [one.query.get("gsroffset") for one in web.seen] == [None, "50", "100", "150"]
    assert [one.query.get("continue") for one in web.seen] == [None, *["gsroffset||"] * 3]


def test_details_that_come_with_a_later_answer_are_waited_for(web: Web, time: Time) -> None:
    pairs = searched(web, time, "halves blue")
    assert [one.provider_id for _, one in pairs] == [str(work.count) for work, _ in pairs]
    assert [one.query.get("iicontinue", "") != "" for one in web.seen[:4]] == [False, True, False, True]


def test_format_version_1_is_understood(web: Web, time: Time) -> None:
    list(made(web, time).search(BLUE, 50))
    asked = dict(web.seen[0].query)
    old = httpx.get(
        f"{web.url}/commons/w/api.php", params=asked | {"formatversion": "1"}, headers=dict(web.seen[0].headers)
    )
    assert isinstance(old.json()["query"]["pages"], dict)
    web.answer_next("commons", Reply(200, old.content, "application/json"))
    assert list(made(web, time).search(BLUE, 50)) == list(made(web, time).search(BLUE, 50))


def test_nothing_found_is_no_candidate(web: Web, time: Time) -> None:
    assert searched(web, time, "zebra") == []
    assert len(web.seen) == 1


def test_no_more_is_asked_than_is_wanted(web: Web, time: Time) -> None:
    assert len(list(made(web, time).search(BLUE, 50))) == 50
    assert len(web.seen) == 1


def test_an_answer_that_leads_back_to_itself_ends_the_search(web: Web, time: Time) -> None:
    circle = as_json({"continue": {"gsroffset": 50, "continue": "gsroffset||"}})
    web.answer_next("commons", circle, circle, circle)
    assert list(made(web, time).search(BLUE, 1000)) == []
    assert len(web.seen) == 2


def test_who_names_no_contact_does_not_ask(web: Web, time: Time) -> None:
    for contact in ("", "  "):
        with pytest.raises(
            SearchFailed, match=r"^commons: Wikimedia refuses who names no contact; set snapshot\.contact in"
        ):
            made(web, time, contact)
    assert httpx.get(f"{web.url}/commons/w/api.php").status_code == 403


def test_one_request_at_a_time_signed_with_the_contact(web: Web, time: Time) -> None:
    shared = made(web, time)
    with ThreadPoolExecutor(6) as pool:
        counts = list(pool.map(lambda _: len(list(shared.search(BLUE, 1000))), range(6)))
    assert len(set(counts)) == 1
    assert web.peaks["commons"] == 1
    assert {one.agent for one in web.seen} == {f"Irisline/0.1.0 (me@example.org) httpx/{httpx.__version__}"}
    assert {one.query["gsrsearch"] for one in web.seen} == {"blue eye filetype:bitmap"}


def test_a_scaled_picture_is_preferred_and_then_no_hash_is_told(web: Web, time: Time) -> None:
    pairs = searched(web, time)
    scaled = [one for work, one in pairs if not is_small(work)]
    assert all("/pictures/thumb/commons/960px-" in one.image_url for one in scaled)
    assert not any(one.provider_hash for one in scaled)
    assert not any("utm_" in one.image_url for _, one in pairs)
    assert {one.query["iiurlwidth"] for one in web.seen} == {"960"}


def test_the_hash_of_an_original_is_that_of_its_bytes(web: Web, time: Time) -> None:
    originals = [one for work, one in searched(web, time) if is_small(work) and not work.odd]
    assert originals
    for one in originals[:3]:
        data = httpx.get(one.image_url).raise_for_status().content
        assert one.provider_hash == f"sha1:{hashlib.sha1(data).hexdigest()}"


def test_licences_are_read_from_the_address_or_the_code(web: Web, time: Time) -> None:
    pairs = searched(web, time, "everything blue")
    assert [one.licence for _, one in pairs] == [SPELLED[work.licence] for work, _ in pairs]
    assert any(one.licence == "" and work.odd == "unlicensed" for work, one in pairs)


def test_what_is_restricted_by_more_than_copyright_says_so(web: Web, time: Time) -> None:
    pairs = searched(web, time, "everything blue")
    assert {work.odd for work, one in pairs if one.restricted} == {"restricted"}
    assert {one.restricted for work, one in pairs if work.odd == "restricted"} == {"Commons marks it: personality"}


def test_authors_are_words_and_not_markup(web: Web, time: Time) -> None:
    authors = {work.number: one.author for work, one in searched(web, time, "everything blue")}
    assert authors[10] == "Author 10"
    assert authors[13] == "User 2"  # no Artist: who has uploaded it
    assert authors[0] == "two lines and a bell, turned"
    assert authors[4] == "Bold & eyes"
    assert len(authors[1]) == 300


@pytest.mark.parametrize("facts", [[], {}, {"Artist": {"value": None}, "License": {"value": ["cc0"]}}, {"Artist": {}}])
def test_a_description_without_facts_is_no_licence_and_no_error(facts: object, web: Web, time: Time) -> None:
    info = {"url": "https://example.org/a.jpg", "user": "Ann", "extmetadata": facts}
    hidden = {"pageid": 2, "title": "File:Hidden.jpg", "index": 2, "imageinfo": [{"filehidden": True}]}
    pages = [hidden, {"pageid": 1, "title": "File:A.jpg", "index": 1, "imageinfo": [info]}]
    web.answer_next("commons", as_json({"query": {"pages": pages}}))
    (one,) = made(web, time).search(BLUE, 10)
    assert (one.provider_id, one.title, one.author, one.licence, one.licence_url) == ("1", "A.jpg", "Ann", "", "")


def test_an_error_with_status_200_is_an_error(web: Web, time: Time) -> None:
    with pytest.raises(
        SearchFailed, match=r'^commons: answered missingparam: The "gsrsearch" parameter must be set\.$'
    ):
        list(made(web, time).search(Query("blue", " "), 10))


def test_retry_after_is_obeyed(web: Web, time: Time) -> None:
    web.answer_next("commons", Reply(429, headers={"Retry-After": "9"}))
    assert len(searched(web, time)) > 100
    assert time.slept == [(9.0, 1)]


def test_the_fake_refuses_a_continue_that_is_not_whole(web: Web, time: Time) -> None:
    list(made(web, time).search(BLUE, 1))
    asked = web.seen[0].query | {"gsroffset": "50"}
    answer = httpx.get(f"{web.url}/commons/w/api.php", params=asked, headers={"User-Agent": web.seen[0].agent})
    assert (answer.status_code, answer.json()["error"]["code"]) == (200, "badcontinue")
