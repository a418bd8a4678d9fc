"""Wikimedia Commons as it answered in 2026: the Action API's shapes in both format versions, and its manners.

The words of a query turn on what is rare: `halves` splits the details of a page over two answers.
"""

import hashlib
import re

from tests.fakes import pictures
from tests.fakes.catalogue import Work, found
from tests.fakes.reply import Asked, Reply, as_json

CONTACT = re.compile(r"\(.*(@|https?://).*\)")
AT_ONCE = 3
WIDTHS = (20, 40, 60, 120, 250, 330, 500, 960, 1280, 1920, 3840)
MARKS = "?utm_source=commons.wikimedia.org&utm_campaign=imageinfo&utm_content="


def is_small(work: Work) -> bool:
    """Whether the original is no wider than the scaled picture that is asked for."""
    return work.number % 8 == 1


class Commons:
    """The API."""

    def __init__(self, pictures: str, per_class: int) -> None:
        self.pictures, self.per_class = pictures, per_class

    def answer(self, asked: Asked, at_once: int = 1) -> Reply:
        if not CONTACT.search(asked.agent):
            return Reply(
                403, b"Please set a user-agent and respect our robot policy https://w.wiki/4wJS\n", "text/plain"
            )
        if at_once > AT_ONCE:
            return Reply(429, b"Too many requests\n", "text/plain", {"Retry-After": "1"})
        if asked.path != "/w/api.php" or asked.query.get("format") != "json":
            return Reply(200, b"<!DOCTYPE html><title>MediaWiki API help</title>", "text/html; charset=utf-8")
        if asked.query.get("action") != "query":
            return _trouble("badvalue", f'Unrecognized value for parameter "action": {asked.query.get("action")}.')
        return self._search(asked.query)

    def _search(self, query: dict[str, str]) -> Reply:
        text = query.get("gsrsearch", "").replace("filetype:bitmap", "").strip()
        if not text:
            return _trouble("missingparam", 'The "gsrsearch" parameter must be set.')
        onward = {name for name in ("gsroffset", "iicontinue") if name in query}
        if onward and not query.get("continue"):
            return _trouble("badcontinue", "Invalid continue param. You should pass the original value.")
        start, size = int(query.get("gsroffset", "0")), int(query.get("gsrlimit", "10"))
        works = found("commons", text, self.per_class)
        shown = works[start : start + size]
        halves = "halves" in text.lower()
        cut = len(shown) // 2 if halves else len(shown)
        second = "iicontinue" in query
        pages = [self._page(work, start + place, query) for place, work in enumerate(shown, start=1)]
        for page in (pages[:cut] if second else pages[cut:]) if halves else []:
            del page["imageinfo"]
        return as_json(_document(pages, query, self._onward(query, start, size, len(works), halves and not second)))

    def _onward(self, query: dict[str, str], start: int, size: int, count: int, split: bool) -> dict[str, object]:
        here: dict[str, object] = {"gsroffset": start} if start else {}
        if split:
            return {"iicontinue": "File:Half.jpg|20200101000000", "continue": "||", **here}
        return {"gsroffset": start + size, "continue": "gsroffset||"} if start + size < count else {}

    def _page(self, work: Work, index: int, query: dict[str, str]) -> dict[str, object]:
        info = self._addresses(work, int(query.get("iiurlwidth", "0"))) | {
            "descriptionurl": f"https://commons.wikimedia.org/wiki/File:{work.count}.jpg", "mime": "image/jpeg",
            "mediatype": "BITMAP", "user": f"User {work.number % 11}", "extmetadata": _facts(work),
        }  # fmt: skip
        return {
            "pageid": work.count, "ns": 6, "title": f"File:{work.label.title()} eye {work.number}.jpg", "index": index,
            "imagerepository": "local", "imageinfo": [info],
        }  # fmt: skip

    def _addresses(self, work: Work, width: int) -> dict[str, object]:
        """Most are larger than is asked for, and named by a scaled copy as well."""
        original = f"{self.pictures}{work.path}"
        if large := not is_small(work):
            sha1, real = hashlib.sha1(work.key.encode()).hexdigest(), 4000
        else:
            sha1, real = hashlib.sha1(pictures.content(work)).hexdigest(), 320
        info: dict[str, object] = {
            "url": f"{original}{MARKS}original",
            "sha1": sha1,
            "width": real,
            "height": real * 3 // 4,
        }
        if width:
            served = next(one for one in WIDTHS if one >= width)
            name = f"{work.label}-{work.number:03d}.jpg"
            scaled = f"{self.pictures}/pictures/thumb/{work.provider}/{served}px-{name}{MARKS}thumbnail"
            info["thumburl"] = scaled if large else f"{original}{MARKS}thumbnail_unscaled"
            info |= {"thumbwidth": width if large else real, "thumbheight": (width if large else real) * 3 // 4}
        return info


def _facts(work: Work) -> dict[str, dict[str, object]]:
    """What the description says, as HTML; the licence's address is often missing."""
    code, version = work.licence
    spelled = {"cc0": "cc0", "pdm": "pd"}.get(code, f"cc-{code}-{version}" if code else "")
    facts = {
        "License": spelled, "LicenseShortName": spelled.replace("-", " ").upper(), "AttributionRequired": "true",
        "Artist": f'<a href="//commons.wikimedia.org/wiki/User:X" title="User:X">{work.author}</a>' if work.author else "",
        "Restrictions": "personality" if work.odd == "restricted" else "",
    }  # fmt: skip
    if spelled not in ("pd", "") and work.number % 3:
        facts["LicenseUrl"] = work.licence_url.rstrip("/")
    return {
        name: {"value": value, "source": "commons-desc-page", "hidden": ""} for name, value in facts.items() if value or
        name == "Restrictions"
    }  # fmt: skip


def _document(pages: list[dict[str, object]], query: dict[str, str], onward: dict[str, object]) -> dict[str, object]:
    """The answer around the pages, which come in the order of their ids and not of their rank."""
    listed = sorted(pages, key=lambda page: int(str(page["pageid"])))
    modern = query.get("formatversion") == "2"
    document: dict[str, object] = {"batchcomplete": True if modern else ""}
    if onward:
        document["continue"] = onward
    if pages:
        document["query"] = {"pages": listed if modern else {str(page["pageid"]): page for page in listed}}
    return document


def _trouble(code: str, info: str) -> Reply:
    return as_json({"error": {"code": code, "info": info, "docref": "See the API help."}, "servedby": "mw1"})
