"""Openverse: pages to the end and never past it, 240 works at most, tokens that end, and only what params accept."""

import pytest

from irisline.collection.sources.api import Setup
from irisline.collection.sources.candidate import Candidate, Query
from irisline.collection.sources.openverse import Openverse
from irisline.core.errors import SearchFailed
from tests.collection.sources.conftest import Time
from tests.fakes import openverse
from tests.fakes.catalogue import found
from tests.fakes.reply import Reply, as_json
from tests.fakes.web import Web
from tests.planted import settings

ACCEPTED = {"cc0", "pdm", "by", "by-sa"}
BLUE = Query("blue", "blue eye")
EVERYTHING = Query("blue", "everything blue")


def made(web: Web, time: Time, **environment: str) -> Openverse:
    return Openverse(
        Setup(
            settings=settings(snapshot__contact="me@example.org").snapshot,
            environment=web.environment | environment,
            clock=time.clock,
        )
    )


def keyed(web: Web, time: Time) -> Openverse:
    return made(web, time, **web.keys)


def everything(provider: Openverse, query: Query = BLUE) -> list[Candidate]:
    return list(provider.search(query, 1000))


def alive(text: str) -> list[str]:
    """Return the ids that a search must find: accepted, safe and not dead."""
    works = found("openverse", text)
    odd = ("dead", "gone", "restricted")
    return [work.uuid for work in works if work.licence[0] in ACCEPTED and work.odd not in odd]


def pages(web: Web) -> list[int]:
    return [int(one.query["page"]) for one in web.asked("openverse") if one.path == "/v1/images/"]


def test_every_page_is_asked_for_once_and_none_past_the_end(web: Web, time: Time) -> None:
    candidates = everything(made(web, time))
    assert [one.provider_id for one in candidates] == alive(BLUE.text)
    assert [one.rank for one in candidates] == list(range(1, len(candidates) + 1))
    assert pages(web) == [1, 2, 3, 4, 5, 6, 7, 8]


def test_a_short_page_is_not_the_end(web: Web, time: Time) -> None:
    short = as_json({"result_count": 40, "page_count": 2, "results": []})
    web.answer_next("openverse", short)
    assert len(everything(made(web, time))) > 0
    assert pages(web) == [1, 2, 3, 4, 5, 6, 7, 8]


def test_nothing_found_is_no_candidate(web: Web, time: Time) -> None:
    assert everything(made(web, time), Query("blue", "zebra")) == []
    assert pages(web) == [1]


def test_no_more_is_asked_than_is_wanted(web: Web, time: Time) -> None:
    assert len(list(made(web, time).search(BLUE, 25))) == 25
    assert pages(web) == [1, 2]
    assert list(made(web, time).search(BLUE, 25)) == list(made(web, time).search(BLUE, 1000))[:25]


def test_a_query_reaches_240_works_with_a_key_or_without(web: Web, time: Time) -> None:
    without = everything(made(web, time), EVERYTHING)
    assert pages(web) == list(range(1, 13))
    assert 230 < len(without) <= 240
    assert len(alive(EVERYTHING.text)) > 240
    web.forget()
    assert [one.image_url for one in everything(keyed(web, time), EVERYTHING)] == [one.image_url for one in without]
    assert pages(web) == [1, 2, 3, 4, 5]


def test_the_depth_is_kept_whatever_count_of_pages_is_told(web: Web, time: Time) -> None:
    web.answer_next("openverse", *[as_json({"page_count": 500, "results": []})] * 20)
    assert everything(made(web, time)) == []
    assert pages(web) == list(range(1, 13))


def test_a_picture_that_moves_to_a_later_page_is_given_once(web: Web, time: Time) -> None:
    first = {"id": "a", "url": "https://example.org/a.jpg", "license": "by", "license_version": "4.0"}
    other = first | {"id": "b"}
    web.answer_next(
        "openverse", *[as_json({"page_count": 2, "results": results}) for results in ([first], [first, other])]
    )
    assert [one.provider_id for one in everything(made(web, time))] == ["a", "b"]


def test_what_is_asked_is_safe_alive_licensed_and_signed(web: Web, time: Time) -> None:
    everything(made(web, time), Query("brown", "few brown"))
    asked = web.seen[0]
    assert asked.query == {
        "q": "few brown", "page": "1", "page_size": "20", "license": "cc0,pdm,by,by-sa", "filter_dead": "true",
        "mature": "false",
    }  # fmt: skip
    assert asked.agent.startswith("Irisline/")
    assert "(me@example.org)" in asked.agent
    assert asked.authorization == ""


def test_where_only_unknown_licences_are_accepted_nothing_is_asked(web: Web, time: Time) -> None:
    unknown = settings(snapshot__licences=["unknown"]).snapshot
    assert everything(Openverse(Setup(settings=unknown, environment=web.environment, clock=time.clock))) == []
    assert web.seen == []


def test_a_candidate_says_all_that_is_known(web: Web, time: Time) -> None:
    candidates = {one.provider_id: one for one in everything(made(web, time), EVERYTHING)}
    plain = next(work for work in found("openverse", EVERYTHING.text) if work.number == 10)
    assert candidates[plain.uuid] == Candidate(
        provider="openverse",
        provider_id=plain.uuid,
        query=EVERYTHING,
        rank=candidates[plain.uuid].rank,
        image_url=f"{web.url}/pictures/openverse/blue-010.jpg",
        page_url="https://photos.example.org/openverse/blue-010",
        title="Blue eye 10",
        author="Author 10",
        licence="CC-BY-2.0",
        licence_url="https://creativecommons.org/licenses/by/2.0/",
    )
    unsigned = next(work for work in found("openverse", EVERYTHING.text) if work.number == 6)
    assert candidates[unsigned.uuid].author == ""


def test_hostile_words_are_one_bounded_line(web: Web, time: Time) -> None:
    for one in everything(made(web, time), EVERYTHING):
        for text in (one.title, one.author):
            assert len(text) <= 300
            assert not set(text) & set("\n\r\x07\u202e\u202c")


def test_an_address_that_is_none_of_the_webs_is_no_candidate(web: Web, time: Time) -> None:
    urls = (
        "file:///etc/passwd",
        "drawn:1/2",
        None,
        "",
        "https://",
        "https://example.org/a b.jpg",
        "https://example.org/ok.jpg",
    )
    works = [{"id": str(number), "url": url, "license": "cc0"} for number, url in enumerate(urls)]
    web.answer_next("openverse", as_json({"page_count": 1, "results": works}))
    assert [one.image_url for one in everything(made(web, time))] == ["https://example.org/ok.jpg"]


def test_without_a_key_the_21st_request_waits_for_its_minute(web: Web, time: Time) -> None:
    provider = made(web, time)
    for text in ("everything blue", "everything brown"):
        everything(provider, Query("blue", text))
    assert time.slept == [(60.0, 20)]
    assert len(web.seen) == 24


def test_without_a_key_the_201st_request_of_a_day_is_not_made(web: Web, time: Time) -> None:
    provider = made(web, time)
    searches = (one for _ in range(17) for one in provider.search(EVERYTHING, 1000))
    with pytest.raises(
        SearchFailed, match=r"^openverse: its limit is 200 requests in 1 day, .*, or get a free key, which"
    ):
        list(searches)
    assert len(web.seen) == 200


def test_retry_after_is_obeyed(web: Web, time: Time) -> None:
    web.answer_next("openverse", as_json({"detail": "Request was throttled."}, 429, **{"Retry-After": "42"}))
    assert len(everything(made(web, time))) == len(alive(BLUE.text))
    assert time.slept == [(42.0, 1)]


def test_a_key_buys_a_token_once(web: Web, time: Time) -> None:
    everything(keyed(web, time))
    bought, *asked = web.seen
    assert (bought.method, bought.path) == ("POST", "/v1/auth_tokens/token/")
    assert bought.form["grant_type"] == "client_credentials"
    assert len({one.authorization for one in asked}) == 1
    assert asked[0].authorization.startswith("Bearer token-")
    assert {one.path for one in asked} == {"/v1/images/"}


def test_a_token_that_ends_is_renewed_before_it_does(web: Web, time: Time) -> None:
    provider = keyed(web, time)
    everything(provider, Query("blue", "few blue"))
    time.now += 36000 - 61
    everything(provider, Query("blue", "few blue"))
    assert [one.path for one in web.seen].count("/v1/auth_tokens/token/") == 1
    time.now += 2
    everything(provider, Query("blue", "few blue"))
    assert [one.path for one in web.seen].count("/v1/auth_tokens/token/") == 2


def test_a_token_that_is_withdrawn_is_renewed_in_the_middle_of_a_search(web: Web, time: Time) -> None:
    candidates = keyed(web, time).search(BLUE, 1000)
    first = next(candidates)
    web.openverse.forget_tokens()
    assert [one.provider_id for one in (first, *candidates)] == alive(BLUE.text)
    assert [one.path for one in web.seen].count("/v1/auth_tokens/token/") == 2


def test_a_token_that_comes_back_is_not_repeated(web: Web, time: Time) -> None:
    provider = keyed(web, time)
    everything(provider, Query("blue", "few blue"))
    token = web.seen[-1].authorization.removeprefix("Bearer ")
    web.answer_next("openverse", as_json({"detail": f"{token} may not do this"}, 403))
    with pytest.raises(SearchFailed, match=r"^openverse: answered 403: \*\*\* may not do this$"):
        everything(provider, Query("blue", "few blue"))


def test_a_wrong_secret_is_said_and_not_repeated(web: Web, time: Time) -> None:
    provider = made(web, time, OPENVERSE_CLIENT_ID="someone", OPENVERSE_CLIENT_SECRET="wr0ng")
    with pytest.raises(SearchFailed, match=r"^openverse: answered 401: invalid_client$"):
        everything(provider)
    assert len(web.seen) == 1


def test_a_key_that_openverse_does_not_honour_is_said(web: Web, time: Time) -> None:
    web.openverse.refuses_keys = True
    with pytest.raises(
        SearchFailed, match=r"^openverse: answered 401: page_size may not exceed 20 for anonymous requests$"
    ):
        everything(keyed(web, time))


def test_half_a_key_is_no_key(web: Web, time: Time) -> None:
    with pytest.raises(SearchFailed, match=r"^openverse: OPENVERSE_CLIENT_ID and OPENVERSE_CLIENT_SECRET go together"):
        made(web, time, OPENVERSE_CLIENT_ID="someone")


def test_a_token_that_could_break_a_header_is_not_used(web: Web, time: Time) -> None:
    web.answer_next("openverse", as_json({"access_token": "a\r\nX-Evil: 1", "expires_in": 60}))
    with pytest.raises(SearchFailed, match=r"^openverse: gave a token that cannot stand in a header"):
        everything(keyed(web, time))


def test_the_fake_refuses_what_openverse_refuses(web: Web, time: Time) -> None:
    import httpx

    def refusal(**query: str) -> tuple[int, str]:
        answer = httpx.get(f"{web.url}/openverse/v1/images/", params={"q": "blue"} | query)
        return answer.status_code, answer.json()["detail"]

    assert refusal(page_size="21") == (401, "page_size may not exceed 20 for anonymous requests")
    assert refusal(page="13")[0] == 401
    assert refusal(page="9", page_size="20") == (404, "Not found.")
    assert refusal(license="gpl") == (400, "Invalid input given for fields. 'license' -> License 'gpl' does not exist.")
    assert refusal(li="by")[0] == 400
    assert openverse.DEPTH == 240


@pytest.mark.parametrize(
    "reply", [Reply(200, b"<html>", "text/html"), as_json({"results": []}), as_json({"page_count": 1})]
)
def test_something_else_than_pictures_is_said(reply: Reply, web: Web, time: Time) -> None:
    web.answer_next("openverse", reply)
    with pytest.raises(SearchFailed, match=r"^openverse: answered something else than pictures: "):
        everything(made(web, time))
