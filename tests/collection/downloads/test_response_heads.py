"""What the head of an answer says of the picture, its owner's wish, and of waiting."""

import time
from email.utils import formatdate

import pytest

from irisline.collection.downloads import response_heads
from irisline.collection.downloads.download import Refused


@pytest.mark.parametrize(
    "value",
    [
        "noai", "NOAI", " noimageai ", "noindex, noai", "noindex,noimageai", "irisline: noai", "Irisline : noai",
        "otherbot: noindex, irisline: noai", "*: noai", "max-image-preview: large, noai",
        "unavailable_after: 25 Jun 2030 15:00:00 PST, noai",
    ],
)  # fmt: skip
def test_an_owner_opts_out(value: str) -> None:
    assert response_heads.opts_out(value, "irisline")


@pytest.mark.parametrize(
    "value",
    [
        "",
        "all",
        "none",
        "noindex",
        "noimageindex",
        "noaim",
        "otherbot: noai",
        "otherbot: noindex, noai",
        "noai: all",
        ",,",
        ":",
    ],
)
def test_an_owner_does_not_opt_out(value: str) -> None:
    assert not response_heads.opts_out(value, "irisline")


def test_an_agent_is_called_by_its_first_word() -> None:
    assert response_heads.agent_of("Irisline/0.1.0 (mail@example.org) httpx/0.28.1") == "irisline"


def test_how_long_to_wait() -> None:
    now = time.time()
    assert response_heads.seconds_to_wait("7", now) == 7
    assert response_heads.seconds_to_wait(formatdate(now + 60, usegmt=True), now) == pytest.approx(60, abs=1.1)
    assert response_heads.seconds_to_wait(formatdate(now - 60, usegmt=True), now) == 0
    assert response_heads.seconds_to_wait("9" * 400, now) == 999_999_999


@pytest.mark.parametrize("value", ["", "soon", "-1", "1.5", "١", "Mon, 99 Foo 2026 00:00:00 GMT"])
def test_no_time_to_wait_is_told(value: str) -> None:
    assert response_heads.seconds_to_wait(value, time.time()) is None


def test_a_sentence_can_be_written_whatever_a_header_held() -> None:
    assert Refused("too_many_redirects", "the last to /\udcff").detail == "the last to /\\udcff"
