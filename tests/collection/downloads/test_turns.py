"""Every address ends, whatever the hosts answer: in a time that passes at once, so that whoever waits for ever is seen."""

import asyncio
import selectors
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict

from irisline.collection.downloads import connections, downloader
from irisline.collection.downloads.addresses import Target
from irisline.collection.downloads.download import Download, Limits

PER_HOST = 2
WITHIN = Limits(10**6, 1280, 10**9, timeout=30.0, concurrency=3, per_host=PER_HOST, agent="Irisline/1")
Reply = tuple[int, float, str]  # status, 0 when the host breaks off; seconds until it comes; Retry-After
REPLY = st.tuples(
    st.sampled_from([429, 429, 429, 503, 404, 0]),
    st.sampled_from([0.0, 0.1, 40.0]),
    st.sampled_from(["", "0", "2", "1000"]),
)
RUNS = st.lists(st.tuples(REPLY, st.integers(1, 6)), max_size=12)  # of the same reply


class Clock(asyncio.SelectorEventLoop):
    """An event loop whose time passes as soon as nothing else is to be done."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__(selector := selectors.DefaultSelector())
        select = selector.select

        def passed(timeout: float | None = None) -> Any:
            found = select(0)
            if timeout is None and not found:
                self._waits_for_ever()
            self.now += timeout or 0
            return found

        selector.select = passed  # type: ignore[method-assign]

    def time(self) -> float:
        return self.now

    def _waits_for_ever(self) -> NoReturn:
        raise AssertionError(f"at {self.now:g} s everybody waits, and nothing is to come")


class Web:
    """Hosts that answer from a list, and at the end of it 404; at_once holds the most that each was asked at one time."""

    def __init__(self, replies: list[Reply]) -> None:
        self._replies = iter(replies)
        self._now: Counter[str] = Counter()
        self.at_once: Counter[str] = Counter()

    @asynccontextmanager
    async def get(self, place: Target, keep: bool) -> AsyncIterator[Any]:
        self._now[place.host] += 1
        self.at_once[place.host] = max(self.at_once[place.host], self._now[place.host])
        try:
            status, seconds, wait = next(self._replies, (404, 0.0, ""))
            await asyncio.sleep(seconds)
            if not status:
                raise OSError("broken off")
            yield SimpleNamespace(status=status, headers=CIMultiDict({"Retry-After": wait} if wait else {}))
        finally:
            self._now[place.host] -= 1

    async def close(self) -> None:
        pass


def ended(web: Web, count: int, hosts: int) -> tuple[list[Download], float]:
    """Return what came of so many addresses, and the seconds it took."""
    found: list[Download] = []
    urls = [f"http://h{number % hosts}.example/{number}" for number in range(count)]
    with pytest.MonkeyPatch.context() as patch, asyncio.Runner(loop_factory=Clock) as runner:
        patch.setattr(connections, "Connections", lambda *_: web)
        runner.run(downloader._fetch_all(urls, Path(), WITHIN, found.append))
        took = runner.get_loop().time()
    assert sorted(one.url for one in found) == sorted(urls)
    return found, took


@settings(max_examples=400)
@given(RUNS, st.integers(1, 12), st.integers(1, 3))
def test_every_address_ends_once_whatever_is_answered(runs: list[tuple[Reply, int]], count: int, hosts: int) -> None:
    web = Web([reply for reply, times in runs for _ in range(times)])
    _, took = ended(web, count, hosts)
    assert took < 3000
    assert max(web.at_once.values()) <= PER_HOST


def test_a_host_that_asks_for_a_little_quiet_and_then_for_too_much_is_left_alone() -> None:
    last_tries = [(429, 0.0, "2"), (429, 0.1, "1000")]
    found, _ = ended(Web([(429, 0.0, "0")] * 6 + last_tries), count=6, hosts=1)
    assert {one.status for one in found} == {"unwell"}
