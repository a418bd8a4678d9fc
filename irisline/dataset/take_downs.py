"""take_downs.csv: which pictures were asked to be taken away, so that none of them is ever fetched again.

Owns the columns and what each of them covers. Knows nothing of files, the pool or the registry.

Such a list is itself a list of people who did not want to be found here. So it keeps names and addresses of the picture,
which are what a search gives, and of an author only a digest; no title, no search words, no path that was typed.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from functools import reduce
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from irisline.core import display_names
from irisline.core.errors import DataError
from irisline.dataset import tables

STATUS = "taken_down"  # in sources.csv
LONGEST = 120  # signs of an id that are compared; a file is not named after more
DIGEST = "sha256:"  # of an author's name, in place of the name
# Many addresses of one picture. Forms: flickr.com/services/api/misc.urls.html, flickr.com/groups/api/discuss/72157616713786392
# (flic.kr); commons.wikimedia.org/wiki/Commons:FAQ, mediawiki.org/wiki/Manual:Page_title.
_FLICKR = re.compile(
    r"(?:m\.)?flickr\.com/photos/[^/]+/(\d+)(?:[/?].*)?"
    r"|(?:m\.)?flickr\.com/photo\.gne\?(?:.*&)?id=(\d+)(?:&.*)?"
    r"|[\w.]+\.static\.?flickr\.com/.*/(\d+)_[0-9a-f]{6,}(?:_\w+)?\.\w+(?:\?.*)?"
)
_FLICKR_SHORT = re.compile(r"flic\.kr/p/([1-9A-HJ-NP-Za-km-z]+)(?:[/?].*)?")
_BASE58 = "123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ"
_COMMONS = re.compile(
    r"commons\.(?:m\.)?wikimedia\.org/(?:wiki/|w/index\.php\?(?:.*&)?title=)(?i:File:|Image:|Special:FilePath/)([^?&]+).*"
    r"|upload\.wikimedia\.org/wikipedia/commons/(?:thumb/)?\w/\w\w/([^/?]+).*"
)
_COMMONS_VIEWER = re.compile(r"(?i)^(https?://commons\.(?:m\.)?wikimedia\.org/)[^#]*#/media/(?=File:)")


@dataclass(frozen=True)
class Rule:
    """One line: what was named when, what is covered from then on, and why. A field that covers nothing is empty."""

    when: str
    what: str  # what a person named it by: id, url, author or sha256
    provider: str = ""
    provider_id: str = ""
    image_url: str = ""
    page_url: str = ""
    author: str = ""
    sha256: str = ""  # of the file's bytes
    reason: str = ""
    phash: str = ""  # of the picture, 16 hex digits: what is near it is refused once it is fetched

    @property
    def said(self) -> str:
        """The rule as the end of a sentence."""
        return f"taken down {self.when[:10]}: {self.reason}"

    def covered(self) -> set[str]:
        """Return what it covers, as keys does."""
        pictures = keys(self.provider, self.provider_id, self.image_url, self.page_url, self.sha256)
        return pictures | ({_author(self.author)} if self.author else set())


class TakeDowns:
    """All lines of the file, looked up by what they cover."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = tuple(rules)
        self._covering = {key: rule for rule in reversed(self.rules) for key in rule.covered()}

    def covers(
        self, provider: str, provider_id: str, image_url: str, author: str, sha256: str, page_url: str = ""
    ) -> str | None:
        """Return why a picture may not be fetched, as a sentence, or None; what is not known of it is empty."""
        asked = keys(provider, provider_id, image_url, page_url, sha256) | ({_author(author)} if author else set())
        rule = next((self._covering[key] for key in sorted(asked) if key in self._covering), None)
        return rule.said if rule else None

    def adds(self, rule: Rule) -> bool:
        """Whether a rule covers anything that is not covered yet."""
        return not rule.covered() <= self._covering.keys()


def keys(provider: str, provider_id: str, image_url: str, page_url: str, sha256: str) -> set[str]:
    """Return what a picture can be known by; two that share one of these are the same picture."""
    found = {f"url {address(url)}" for url in (image_url, page_url) if url}
    found |= {f"id {provider} {_plain(provider_id)}"} if provider_id else set()
    return found | ({f"sha256 {sha256.lower()}"} if sha256 else set())


def read(file: Path) -> TakeDowns:
    """Return what was taken down; nothing when there is no such file. Raise DataError when it is not what write wrote."""
    if not file.is_file():
        return TakeDowns([])
    try:
        return TakeDowns(
            _rule(line) for _, line in tables.read(file, {field.name for field in fields(Rule)} - {"phash"})
        )
    except DataError as error:
        raise DataError(f"{error}; correct it, for it says what may never be fetched") from error


def write(file: Path, rules: Iterable[Rule]) -> None:
    """Write the lines whole."""
    tables.write(file, [field.name for field in fields(Rule)], map(asdict, rules))


def author_digest(author: str) -> str:
    """Return what stands for an author: the same for every way to write the name in capitals, accents or spaces."""
    name = " ".join(unicodedata.normalize("NFKC", author).casefold().split())
    return DIGEST + hashlib.sha256(name.encode()).hexdigest()


def _rule(line: Mapping[str, str]) -> Rule:
    return Rule(**{field.name: line.get(field.name, "") for field in fields(Rule)})  # files of before have no phash


def _author(author: str) -> str:
    """Take a name that someone wrote by hand as well as a digest."""
    return f"author {author if author.startswith(DIGEST) else author_digest(author)}"


def address(url: str) -> str:
    """Return an address without what does not tell pictures apart: http or https, www, the last slash, a place in the page.

    Of Flickr and Commons, which have many addresses for a picture, the one that stands for all. What is no address stays.
    """
    return _of_one_picture(url) or _plainly(url)


def shows_one_picture(page_url: str) -> bool:
    """Whether a page is known to be of one picture, so that it stands for the picture."""
    return bool(_of_one_picture(page_url))


def _of_one_picture(url: str) -> str:
    """Return what stands for all addresses of a picture of Flickr or Commons; nothing for what is none of them."""
    plain = _plainly(_COMMONS_VIEWER.sub(r"\1wiki/", url.strip()))
    if hit := _FLICKR.fullmatch(plain):
        return f"flickr.com/photos/{hit[hit.lastindex or 0]}"
    if hit := _FLICKR_SHORT.fullmatch(plain):
        return f"flickr.com/photos/{reduce(lambda number, sign: 58 * number + _BASE58.index(sign), hit[1], 0)}"
    hit = _COMMONS.fullmatch(plain)
    return f"commons/File:{_title(hit[hit.lastindex or 0])}" if hit else ""


def _title(escaped: str) -> str:
    """Return a title as MediaWiki writes it: _ for spaces, and the first letter a capital."""
    title = unquote(escaped).replace(" ", "_").strip("_")
    return title[:1].upper() + title[1:]


def _plainly(url: str) -> str:
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return url.strip()
    host = re.sub(r":(?:80|443)$", "", parts.netloc.lower()).removeprefix("www.")
    query = "&".join(_escaped(part.replace("+", " ")) for part in parts.query.split("&"))
    return f"{host}{_escaped(parts.path).rstrip('/')}" + (f"?{query}" if query else "")


def _escaped(part: str) -> str:
    """Return a part of an address in one spelling of many: escaped where it must be, accents composed.

    An & too is escaped, so that those that are left are the ones between the parts of a query.
    """
    return quote(unicodedata.normalize("NFC", unquote(part)), safe="/:@!$'()*+,;=~")


def _plain(provider_id: str) -> str:
    """Return an id as it is, or as a file is named after it: both come to the same."""
    return re.sub(r"[^0-9A-Za-z]+", "-", display_names.same(provider_id)).lower().strip("-")[:LONGEST]
