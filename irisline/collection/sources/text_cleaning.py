"""What strangers wrote, made fit for a table: titles, authors and addresses. Knows no provider."""

import hashlib
import unicodedata
from html.parser import HTMLParser
from urllib.parse import urlsplit

LONGEST = 300  # characters of a title or an author's name
LONGEST_ADDRESS = 2000  # characters; longer ones are no address that a server takes
_JOINERS = "\u200c\u200d"  # part of Persian and Indic spelling, though they are control characters


def line(text: str | None, longest: int = LONGEST) -> str:
    """Return a text as one bounded line: no control characters, no marks that turn the direction, single spaces."""
    spaced = (" " if character.isspace() else character for character in (text or "")[: 40 * longest])
    seen = "".join(one for one in spaced if one in _JOINERS or not unicodedata.category(one).startswith("C"))
    whole = " ".join(seen.split())
    return whole if len(whole) <= longest else whole[: longest - 1].rstrip() + "…"


def without_markup(text: str | None) -> str:
    """Return the words of a piece of HTML as one bounded line."""
    reader = _Words()
    reader.feed((text or "")[: 40 * LONGEST])
    reader.close()
    return line(" ".join("".join(reader.words).split()))


def address(url: str | None) -> str:
    """Return an http or https address as it is; nothing for any other, and for one that no server could be asked for."""
    url = (url or "").strip()
    if len(url) > LONGEST_ADDRESS or line(url, LONGEST_ADDRESS) != url or " " in url:
        return ""
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        return ""
    return url if known else ""


def id_of(url: str) -> str:
    """Return a name for a picture of which only the address is known."""
    return hashlib.sha256(url.encode()).hexdigest()[:16]


class _Words(HTMLParser):
    """Gathers what a browser would show: scripts and styles are not words."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in ("script", "style")
        self.words.append(" " if tag in ("br", "p", "div", "li") else "")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("script", "style") and self._hidden > 0

    def handle_data(self, data: str) -> None:
        self.words.append("" if self._hidden else data)
