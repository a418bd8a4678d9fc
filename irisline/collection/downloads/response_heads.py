"""What the head of an answer says: a picture, another place, no, not now, or not for machines. Reads no body."""

import re
import time
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import aiohttp

from irisline.collection.downloads.download import DEAD, DENIED, NOT_A_PICTURE, OPTED_OUT, UNWELL, Refused

REDIRECTS = {301, 302, 303, 307, 308}
_GONE = {404, 410}
_OPT_OUTS = {"noai", "noimageai"}
_AGENT = re.compile(r"([a-z0-9_*-]+)\s*:")
_WITH_A_VALUE = {"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"}  # a colon, and no agent


class NotNow(Refused):
    """An answer that may be another one later."""

    def __init__(self, detail: str, wait: float | None, everyone: bool) -> None:
        super().__init__(UNWELL, detail)
        self.wait = wait  # seconds, as Retry-After says
        self.everyone = everyone  # whether it is the host that asks, not this picture that ails


def place_of(answer: aiohttp.ClientResponse, agent: str) -> str | None:
    """Return where a redirect leads, nothing when the picture follows.

    Raise Refused when the answer is a no, or the picture's owner wants no machine to learn from it; NotNow for 429 and 5xx.
    """
    if answer.status >= 400:
        raise _no(answer)
    if any(opts_out(value, agent) for value in values(answer, "x-robots-tag")):
        raise Refused(OPTED_OUT, "its owner wants no machine to learn from it: X-Robots-Tag")
    if answer.status in REDIRECTS and (places := values(answer, "location")):
        return places[0]
    if answer.status != HTTPStatus.OK:
        raise Refused(NOT_A_PICTURE, f"answers {_named(answer.status)}, not a picture")
    return None


def values(answer: aiohttp.ClientResponse, name: str) -> list[str]:
    """Return the values of a header, one for each time it is there."""
    return [value.strip() for value in answer.headers.getall(name, [])]


def opts_out(value: str, agent: str) -> bool:
    """Whether an X-Robots-Tag header speaks to this agent, or to all, and says noai or noimageai.

    Its form: developers.google.com/search/docs/crawling-indexing/robots-meta-tag; the words: DeviantArt, 2022, as
    img2dataset reads them. An agent's name holds for what follows it in the header.
    """
    heard = True
    for part in value.lower().split(","):
        part = part.strip()
        if (named := _AGENT.match(part)) and named[1] not in _WITH_A_VALUE:
            heard = named[1] in ("*", agent)
            part = part[named.end() :].strip()
        if heard and part in _OPT_OUTS:
            return True
    return False


def seconds_to_wait(value: str, now: float) -> float | None:
    """Return the seconds of a Retry-After header (RFC 9110, 10.2.3): a number or a date; nothing when it is neither."""
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now)
    except (ValueError, OverflowError):
        return None


def agent_of(user_agent: str) -> str:
    """Return the name that a robots tag would call a User-Agent by."""
    return user_agent.split("/")[0].split(" ")[0].lower()


def _no(answer: aiohttp.ClientResponse) -> Refused:
    said = f"answers {_named(answer.status)}"
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS or answer.status >= 500:
        asked = values(answer, "retry-after")
        wait = seconds_to_wait(asked[0], time.time()) if asked else None
        return NotNow(said, wait, everyone=wait is not None or answer.status == HTTPStatus.TOO_MANY_REQUESTS)
    return Refused(DEAD if answer.status in _GONE else DENIED, said)


def _named(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
