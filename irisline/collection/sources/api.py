"""One polite way to ask a provider's API: one question at a time, within its limits, with a name to complain to.

Owns waiting, trying again and turning whatever comes back into the answer asked for, or into one line that says why not.
Knows no provider. Secrets may stand in headers and forms, never in an address, and in no error.
"""

import email.utils
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NoReturn, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

import irisline
from irisline.collection.sources import text_cleaning
from irisline.collection.sources.answer_cache import Answers
from irisline.collection.sources.rate_limit import Clock, Rate, duration
from irisline.core import console
from irisline.core.bounded import http_exchange
from irisline.core.errors import SearchFailed
from irisline.core.params import Snapshot

TIMEOUT = 30.0  # seconds for a whole answer
LARGEST = 16_000_000  # bytes of one answer; Flickr's 500 photos are half a million
TRIES = 5
PATIENCE = 120.0  # seconds; who is told to wait longer stops instead, and says so
WORTH_TELLING = 5.0  # seconds; shorter waits pass unnoticed

Expected = TypeVar("Expected", bound="Answer")


class Answer(BaseModel):
    """What is used of an answer. The rest is left alone, and a wrong one is never quoted: it may hold a token."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True, coerce_numbers_to_str=True)

    @property
    def is_worth_keeping(self) -> bool:
        """Whether the same question may be given the same answer; a failure that comes with status 200 may not."""
        return True


class Refused(SearchFailed):
    """The provider answered, and said no."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def agent(contact: str) -> str:
    """Return the User-Agent: what asks, whom to write to about it, with which library (the form that Wikimedia asks for).

    Raise SearchFailed for a contact that cannot stand in a header.
    """
    if not contact.isascii() or not contact.isprintable() or set(contact) & set("()\\"):
        raise SearchFailed(f"snapshot.contact: {contact!r} cannot stand in a header; write an e-mail address or a page")
    told = f" ({contact.strip()})" if contact.strip() else ""
    return f"Irisline/{irisline.__version__}{told} httpx/{httpx.__version__}"


def home(environment: Mapping[str, str], name: str, usual: str) -> str:
    """Return where an API is: at the address that the environment has under this name, else at its usual one.

    Raise SearchFailed when that is no address.
    """
    url = (environment.get(name) or usual).rstrip("/")
    if not text_cleaning.address(url):
        raise SearchFailed(f"{name}: {url!r} is no http or https address; correct or unset it")
    return url


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What a provider on the web is made from: the snapshot's params, the environment, a clock, and what is known already."""

    settings: Snapshot
    environment: Mapping[str, str] = field(repr=False)  # keys are in it
    clock: Clock | None = None
    answers: Answers | None = None


class Api:
    """A provider's API, asked one question at a time."""

    def __init__(
        self,
        name: str,
        setup: Setup,
        rates: Sequence[Rate] = (),
        secrets: Sequence[str] = (),
        hint: str = "",  # what else to do about a limit
        timeout: float = TIMEOUT,
    ) -> None:
        self.name = name
        self.clock = setup.clock or Clock()
        self._rates = rates
        self._secrets = [secret for secret in secrets if secret]
        self._hint = hint and f", or {hint}"
        self._timeout = timeout
        self._answers = setup.answers or Answers()
        self._turn = threading.Lock()
        self._client = self._connected(agent(setup.settings.contact))

    def _connected(self, agent: str) -> http_exchange.Client:
        try:
            return http_exchange.Client(self._timeout, LARGEST, agent)
        except (ImportError, ValueError, httpx.InvalidURL):  # a proxy, whose address may hold a password
            self.fail(
                "the proxy of the environment cannot be used; set ALL_PROXY, HTTP_PROXY and HTTPS_PROXY to an http address, "
                "or for socks5 type pip install 'httpx[socks]'"
            )

    def get(
        self,
        expected: type[Expected],
        url: str,
        query: Mapping[str, str | int],
        headers: Callable[[], Mapping[str, str]] = dict,  # called when it must be asked
    ) -> Expected:
        """Return the answer to a GET. The query stands in logs and errors of all the world: no secrets in it.

        Raise Refused when the provider says no, SearchFailed when it cannot be reached or answers something else.
        """
        return self._once(expected, self._client.request("GET", url, params=query), headers)

    def post(self, expected: type[Expected], url: str, form: Mapping[str, str | int], keep: bool = True) -> Expected:
        """Return the answer to a POST of a form, where secrets may stand; raise as get does. Keep no answer that is secret."""
        request = self._client.request("POST", url, data=dict(form))
        return self._once(expected, request) if keep else self._ask(expected, request)

    def hide(self, secret: str) -> None:
        """Let no error repeat a secret that the provider has just given."""
        self._secrets.append(secret)

    def fail(self, message: str) -> NoReturn:
        """Raise SearchFailed with the provider's name before the message, and no secret in it."""
        raise SearchFailed(self._said(message))

    def _once(
        self, expected: type[Expected], request: httpx.Request, headers: Callable[[], Mapping[str, str]] = dict
    ) -> Expected:
        """Ask, unless it was asked before."""
        question = f"{request.method} {request.url} {request.content.decode()}"
        if (known := self._answers.known(question, expected.model_validate_json)) is not None:
            return known
        request.headers.update(headers())
        answer = self._ask(expected, request)
        if answer.is_worth_keeping:
            self._answers.note(question, answer.model_dump_json(by_alias=True).encode())
        return answer

    def _ask(self, expected: type[Expected], request: httpx.Request) -> Expected:
        with self._turn:
            for attempt in range(1, TRIES + 1):
                self._wait_for_a_turn()
                response, body = self._exchange(request)
                if response.status_code == 200:
                    return self._read(expected, response, body)
                if attempt == TRIES or not (response.status_code == 429 or response.status_code >= 500):
                    break
                self._wait(self._advised(response, attempt), f"it answered {response.status_code}")
        reason = f"answered {response.status_code}: {_reason(response, body)}{self._kept()}"
        raise Refused(self._said(reason), response.status_code)

    def _exchange(self, request: httpx.Request) -> tuple[httpx.Response, bytes]:
        try:
            return self._client.ask(request)
        except http_exchange.TooLong:
            self.fail(f"its answer is longer than {LARGEST} bytes; try again later")
        except TimeoutError:
            self.fail(f"gave no whole answer within {self._timeout:g} seconds; mind your network, or try again later")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            self.fail(f"cannot be reached: {http_exchange.reason(error)}; mind your network, or try again later")

    def _read(self, expected: type[Expected], response: httpx.Response, body: bytes) -> Expected:
        try:
            return expected.model_validate_json(body)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            kind = response.headers.get("content-type", "no content type")
            self.fail(f"answered something else than pictures: {where + ': ' if where else ''}{first['msg']} ({kind})")

    def _wait_for_a_turn(self) -> None:
        for rate in self._rates:
            self._wait(rate.wait(self.clock.now()), f"its limit is {rate}")
        for rate in self._rates:
            rate.note(self.clock.now())

    def _wait(self, seconds: float, why: str) -> None:
        if seconds > PATIENCE:
            until = f"{why}, and the next is welcome in {duration(seconds)}{self._kept()}"
            self.fail(f"{until}; run the same command then{self._hint}")
        if seconds >= WORTH_TELLING:
            console.say(f"{self.name}: {why}; waiting {duration(seconds)}")
        if seconds > 0:
            self.clock.sleep(seconds)

    def _kept(self) -> str:
        count = self._answers.count
        return f"; what it has answered is kept, to go on from there ({count} pages)" if count else ""

    def _advised(self, response: httpx.Response, attempt: int) -> float:
        """Return the seconds to wait: what Retry-After says (RFC 9110, 10.2.3), else twice as long every time, with jitter."""
        told = response.headers.get("retry-after", "").strip()
        if told.isascii() and told.isdigit():
            return float(told[:9])  # more is no time that anybody waits
        with suppress(ValueError, OverflowError):  # a date that is none
            if (date := email.utils.parsedate_tz(told)) is not None:
                return max(0.0, email.utils.mktime_tz(date) - time.time())
        return (0.5 + self.clock.chance()) * 2.0 ** (attempt - 1)

    def _said(self, message: str) -> str:
        for secret in self._secrets:
            message = message.replace(secret, "***")
        return f"{self.name}: {text_cleaning.line(message)}"


def _reason(response: httpx.Response, body: bytes) -> str:
    """Return the sentence in an error's body, from where APIs put it, else what its status means."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = None
    outer = told if isinstance(told, dict) else {}
    inner = outer["error"] if isinstance(outer.get("error"), dict) else {}
    places = (outer.get("detail"), *(inner.get(key) for key in ("detail", "info", "message")), outer.get("message"))
    sentences = (place for place in (*places, outer.get("error")) if isinstance(place, str) and place)
    return next(sentences, response.reason_phrase or "no reason given")
