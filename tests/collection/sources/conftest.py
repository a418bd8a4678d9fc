"""The fake web, and time that passes only when somebody sleeps."""

import pytest

from irisline.collection.sources.rate_limit import Clock
from tests.fakes.web import Web, running_web, web

__all__ = ["running_web", "web"]


class Time:
    """Time as a provider sees it in a test: `slept` holds each sleep, with the count of requests made before it."""

    def __init__(self, web: Web) -> None:
        self.now = 0.0
        self.slept: list[tuple[float, int]] = []
        self._web = web

    def sleep(self, seconds: float) -> None:
        self.slept.append((seconds, len(self._web.seen)))
        self.now += seconds

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.now, self.sleep, lambda: 0.5)


@pytest.fixture
def time(web: Web) -> Time:
    return Time(web)
