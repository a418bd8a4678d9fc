"""One polite way to ask: limits and Retry-After are obeyed; what comes back is an answer, or one line that says why not."""

import email.utils
import re
import time as real
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import irisline
from irisline.collection.sources import api
from irisline.collection.sources.api import Answer, Api, Refused, Setup
from irisline.collection.sources.rate_limit import Rate
from irisline.core.errors import SearchFailed
from tests.collection.sources.conftest import Time
from tests.fakes import hostile
from tests.fakes.hostile import forever, head
from tests.fakes.reply import Reply, as_json
from tests.fakes.web import Web
from tests.planted import settings

SECRET = "s3cr3t"


class Pictures(Answer):
    """What these tests ask for."""

    count: int
    names: list[str]


GOOD = as_json({"count": 2, "names": ["one", "two"], "more": "is left alone"})


def asking(time: Time, **options: object) -> Api:
    made = Setup(settings=settings(snapshot__contact="me@example.org").snapshot, environment={}, clock=time.clock)
    return Api("stock", made, secrets=[SECRET], **options)  # type: ignore[arg-type]


def ask(asked: Api, web: Web) -> Pictures:
    return asked.get(Pictures, f"{web.url}/brave/x", {"q": "blue eye"})


def test_an_answer_is_what_was_asked_for(web: Web, time: Time) -> None:
    web.answer_next("brave", GOOD)
    assert ask(asking(time), web) == Pictures(count=2, names=["one", "two"])
    assert web.seen[0].agent == f"Irisline/{irisline.__version__} (me@example.org) httpx/{httpx.__version__}"
    assert time.slept == []


def test_a_contact_that_is_none_is_left_out_and_a_strange_one_is_refused() -> None:
    assert api.agent(" ") == f"Irisline/{irisline.__version__} httpx/{httpx.__version__}"
    for contact in ("me@example.org\r\nX-Evil: 1", "ich@büro.example", "a (b"):
        with pytest.raises(SearchFailed, match=r"^snapshot\.contact: .* cannot stand in a header; write an e-mail"):
            api.agent(contact)


def test_no_more_is_asked_than_a_rate_allows_in_any_stretch_of_time(web: Web, time: Time) -> None:
    polite = asking(time, rates=[Rate(3, 60.0), Rate(5, 100.0)])
    web.answer_next("brave", *[GOOD] * 6)
    moments = []
    for _ in range(6):
        ask(polite, web)
        moments.append(time.now)
        time.now += 1
    assert moments == [0, 1, 2, 60, 61, 100]


def test_a_wait_that_nobody_sits_through_is_said_instead(web: Web, time: Time) -> None:
    hurried = asking(time, rates=[Rate(1, 7200.0)], hint="ask your neighbour")
    web.answer_next("brave", GOOD)
    ask(hurried, web)
    expected = (
        "stock: its limit is 1 request in 2 hours, and the next is welcome in 2 hours; run the same command then, "
    )
    with pytest.raises(SearchFailed, match=f"^{expected}or ask your neighbour$"):
        ask(hurried, web)
    assert time.slept == []


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_who_is_busy_is_asked_again_when_it_says(status: int, web: Web, time: Time) -> None:
    web.answer_next("brave", Reply(status, headers={"Retry-After": "7"}), Reply(status), Reply(status), GOOD)
    assert ask(asking(time), web).count == 2
    assert time.slept == [(7.0, 1), (2.0, 2), (4.0, 3)]


def test_retry_after_may_be_a_date(web: Web, time: Time) -> None:
    date = email.utils.formatdate(real.time() + 30, usegmt=True)
    web.answer_next("brave", Reply(429, headers={"Retry-After": date}), GOOD)
    ask(asking(time), web)
    assert 25 < time.slept[0][0] <= 30


def test_a_retry_after_beyond_all_counting_is_said(web: Web, time: Time) -> None:
    web.answer_next("brave", Reply(429, headers={"Retry-After": "9" * 400}))
    with pytest.raises(SearchFailed, match=r"^stock: it answered 429, and the next is welcome in 11574 days; "):
        ask(asking(time), web)


def test_a_retry_after_that_is_no_date_is_not_heeded(web: Web, time: Time) -> None:
    web.answer_next("brave", Reply(429, headers={"Retry-After": "Mon, 01 Jan 99999 00:00:00 GMT"}), GOOD)
    ask(asking(time), web)
    assert 0 < time.slept[0][0] < 2


def test_waiting_is_told(web: Web, time: Time, capsys: pytest.CaptureFixture[str]) -> None:
    web.answer_next("brave", Reply(429, headers={"Retry-After": "60"}), GOOD)
    ask(asking(time), web)
    assert capsys.readouterr().out == "stock: it answered 429; waiting 1 minute\n"


def test_who_stays_busy_is_left_alone(web: Web, time: Time) -> None:
    web.answer_next("brave", *[Reply(503, headers={"Retry-After": "1"})] * 5, GOOD)
    with pytest.raises(Refused, match=r"^stock: answered 503: Service Unavailable$"):
        ask(asking(time), web)
    assert len(web.seen) == api.TRIES
    assert [seconds for seconds, _ in time.slept] == [1.0] * 4


def test_who_asks_for_an_hour_is_not_waited_for(web: Web, time: Time) -> None:
    web.answer_next("brave", Reply(429, headers={"Retry-After": "3600"}))
    with pytest.raises(SearchFailed, match=r"^stock: it answered 429, and the next is welcome in 1 hour; run the same"):
        ask(asking(time), web)
    assert time.slept == []


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 422])
def test_a_no_is_a_no(status: int, web: Web, time: Time) -> None:
    headers = {"Location": "http://10.0.0.1/"} if status == 301 else {}
    web.answer_next("brave", Reply(status, b'{"detail": "Not like this."}', headers=headers), GOOD)
    with pytest.raises(Refused, match=f"^stock: answered {status}: Not like this.$") as caught:
        ask(asking(time), web)
    assert caught.value.status == status
    assert len(web.seen) == 1


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"detail": "Not found."}, "Not found."),
        ({"error": "InputError", "detail": "No such licence."}, "No such licence."),
        ({"error": "invalid_client"}, "invalid_client"),
        ({"error": {"status": 422, "detail": "No such token."}}, "No such token."),
        ({"error": {"code": "badvalue", "info": "No such action."}}, "No such action."),
        ({"message": "No."}, "No."),
        ({"detail": ["a", "list"]}, "Bad Request"),
        (["a", "list"], "Bad Request"),
    ],
)
def test_the_reason_is_read_from_where_apis_put_it(body: object, reason: str, web: Web, time: Time) -> None:
    web.answer_next("brave", as_json(body, 400))
    with pytest.raises(Refused, match=f"^stock: answered 400: {re.escape(reason)}$"):
        ask(asking(time), web)


@pytest.mark.parametrize(
    ("reply", "what"),
    [
        (Reply(200, b"<!doctype html><p>Log in", "text/html"), r"Invalid JSON: .* \(text/html\)"),
        (Reply(200, b'{"count": 2, "nam', "application/json"), r"Invalid JSON: EOF .* \(application/json\)"),
        (Reply(200, b"", "application/json"), r"Invalid JSON: EOF .*"),
        (as_json({"names": []}), r"count: Field required .*"),
        (as_json({"count": 1, "names": [["deep"]]}), r"names\.0: Input should be a valid string .*"),
        (as_json([1, 2]), r"Input should be an object .*"),
        (Reply(200, b'{"count": ' + b"[" * 100_000, "application/json"), r"Invalid JSON: recursion limit exceeded .*"),
        (Reply(200, b'{"count": 1, "names": ["\\ud800"]}', "application/json"), r"Invalid JSON: .*"),
        (Reply(200, b"\xff\xfe\x00", "application/json"), r"Invalid JSON: .*"),
    ],
    ids=["html", "cut", "empty", "missing", "mistyped", "list", "deep", "half a character", "not text"],
)
def test_something_else_than_pictures_is_said_to_be(reply: Reply, what: str, web: Web, time: Time) -> None:
    web.answer_next("brave", reply)
    with pytest.raises(SearchFailed, match=f"^stock: answered something else than pictures: {what}$"):
        ask(asking(time), web)


def test_no_bytes_raise_anything_else(web: Web, time: Time) -> None:
    asked = asking(time)

    @given(st.binary(max_size=200))
    def holds(body: bytes) -> None:
        web.answer_next("brave", Reply(200, body, "application/json"))
        with pytest.raises(SearchFailed, match=r"^stock: answered something else than pictures"):
            ask(asked, web)

    holds()


def test_an_endless_answer_is_dropped(web: Web, time: Time) -> None:
    web.answer_next("brave", Reply(200, b"{", "application/json", endless=True))
    with pytest.raises(SearchFailed, match=r"^stock: its answer is longer than 16000000 bytes; try again later$"):
        ask(asking(time), web)


@pytest.mark.parametrize("dripping", ["head", "body"])
def test_an_answer_that_drips_is_dropped(dripping: str, time: Time) -> None:
    answers = {
        "head": forever(b"HTTP/1.1 200 OK\r\nX: ", b"x", pause=0.05),
        "body": forever(head() + b"{", b" ", pause=0.05),
    }
    started = real.monotonic()
    with hostile.running(answers) as server:
        with pytest.raises(SearchFailed, match=r"^stock: gave no whole answer within 0.4 seconds; mind your network"):
            asking(time, timeout=0.4).get(Pictures, server.url(dripping), {})
        with pytest.raises(SearchFailed, match=r"^stock: cannot be reached: no connection in time; mind your network"):
            asking(time, timeout=0.4).get(Pictures, server.url("x", scheme="https"), {})  # TLS is never answered
    assert real.monotonic() - started < 5


def test_nobody_there_is_one_line_and_no_second_try(web: Web, time: Time) -> None:
    with pytest.raises(SearchFailed, match=r"^stock: cannot be reached: .*Connect call failed .*; mind your network"):
        asking(time).get(Pictures, "http://127.0.0.1:1/", {})
    with pytest.raises(SearchFailed, match=r"^stock: cannot be reached: "):
        asking(time).get(Pictures, "ftp://127.0.0.1/", {})
    assert time.slept == []


def test_a_secret_that_comes_back_is_not_repeated(web: Web, time: Time) -> None:
    web.answer_next("brave", as_json({"detail": f"No key {SECRET} here."}, 403))
    with pytest.raises(Refused, match=r"^stock: answered 403: No key \*\*\* here\.$"):
        ask(asking(time), web)


def test_one_question_at_a_time_whoever_asks(web: Web, time: Time) -> None:
    web.answer_next("brave", *[Reply(200, GOOD.body, drip=0.002)] * 6)
    shared = asking(time)
    with ThreadPoolExecutor(6) as pool:
        assert [found.count for found in pool.map(lambda _: ask(shared, web), range(6))] == [2] * 6
    assert web.peaks["brave"] == 1
