"""Wikimedia Commons: no key, but a User-Agent with a contact, and one request at a time.

API: the Action API of MediaWiki, generator=search over the File namespace with imageinfo (mediawiki.org/wiki/API:Imageinfo).
Manners: foundation.wikimedia.org/wiki/Policy:Wikimedia_Foundation_User-Agent_Policy, mediawiki.org/wiki/API:Etiquette.
"""

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit, urlunsplit

from pydantic import Field

from irisline.collection.sources import api, text_cleaning
from irisline.collection.sources.api import Answer, Api, Setup
from irisline.collection.sources.candidate import Candidate, Query
from irisline.core.errors import SearchFailed
from irisline.dataset import licences

HOME = "https://commons.wikimedia.org"
PAGE = 50  # no more scaled pictures are named in one answer
WIDTH = 960  # pixels; one of the few widths that are served (mediawiki.org/wiki/Common_thumbnail_sizes)
FACTS = "License|LicenseShortName|LicenseUrl|Artist|Credit|AttributionRequired|Restrictions|UsageTerms"


class Fact(Answer):
    """One field of a file's description."""

    value: object = ""


class Info(Answer):
    """One file as Commons tells of it."""

    url: str | None = None
    thumburl: str | None = None
    descriptionurl: str | None = None
    sha1: str = ""
    user: str | None = None
    facts: dict[str, Fact] | list[object] = Field(default_factory=dict, alias="extmetadata")  # PHP's nothing is a list


class File(Answer):
    """One page of the File namespace."""

    pageid: str
    title: str
    index: int
    imageinfo: list[Info] = Field(default_factory=list)


class Found(Answer):
    """The files of one answer: a list, or by page id as formatversion 1 writes it."""

    pages: list[File] | dict[str, File] = Field(default_factory=list)


class Trouble(Answer):
    """Why there is no answer; it comes with status 200."""

    code: str
    info: str = ""


class Results(Answer):
    """One answer; without a hit there is no query in it."""

    query: Found = Found()
    error: Trouble | None = None
    onward: dict[str, str] = Field(default_factory=dict, alias="continue")

    @property
    def is_worth_keeping(self) -> bool:
        """Whether it is no failure."""
        return self.error is None


class Commons:
    """Commons' search for files that are pictures."""

    name = "commons"

    def __init__(self, setup: Setup) -> None:
        if not setup.settings.contact.strip():
            raise SearchFailed(
                "commons: Wikimedia refuses who names no contact; set snapshot.contact in params.yaml to your e-mail or page"
            )
        self._home = api.home(setup.environment, "IRISLINE_COMMONS_URL", HOME)
        self._api = Api(self.name, setup)

    def search(self, query: Query, limit: int) -> Iterator[Candidate]:
        """Yield at most limit candidates; those whose use is restricted by more than copyright say so."""
        seen: set[str] = set()
        onward: dict[str, str] | None = {}
        while onward is not None and len(seen) < limit:
            results = self._results(query, onward)
            pages = results.query.pages
            for file in sorted(pages.values() if isinstance(pages, dict) else pages, key=lambda file: file.index):
                candidate = _candidate(file, query, len(seen) + 1)
                if candidate and len(seen) < limit and file.pageid not in seen:
                    seen.add(file.pageid)
                    yield candidate
            onward = results.onward if results.onward and results.onward != onward else None

    def _results(self, query: Query, onward: Mapping[str, str]) -> Results:
        asked: dict[str, str | int] = {
            "action": "query",
            "format": "json",
            "formatversion": 2,
            "generator": "search",
            "gsrsearch": f"{query.text} filetype:bitmap",
            "gsrnamespace": 6,
            "gsrlimit": PAGE,
            "prop": "imageinfo",
            "iiprop": "url|size|mime|mediatype|sha1|user|extmetadata",
            "iiurlwidth": WIDTH,
            "iiextmetadatafilter": FACTS,
        }
        results = self._api.get(Results, f"{self._home}/w/api.php", {**asked, **onward})
        if results.error:
            self._api.fail(f"answered {results.error.code}: {results.error.info}")
        return results


def _candidate(file: File, query: Query, rank: int) -> Candidate | None:
    """Return the candidate of a file; none when its details come with a later answer, or never."""
    info = file.imageinfo[0] if file.imageinfo else Info()
    original = _plain(info.url)
    image_url = _plain(info.thumburl) or original  # originals are refused to programs when many are asked for
    if not image_url:
        return None
    facts = info.facts.items() if isinstance(info.facts, dict) else ()
    told = {name: fact.value for name, fact in facts if isinstance(fact.value, str)}
    licence = _licence(told)
    restricted = text_cleaning.without_markup(told.get("Restrictions"))
    return Candidate(
        provider=Commons.name,
        provider_id=text_cleaning.line(file.pageid),
        query=query,
        rank=rank,
        image_url=image_url,
        page_url=text_cleaning.address(info.descriptionurl),
        title=text_cleaning.line(file.title.removeprefix("File:")),
        author=text_cleaning.without_markup(told.get("Artist")) or text_cleaning.line(info.user),
        licence=licence,
        licence_url=licences.url_of(licence) or text_cleaning.address(told.get("LicenseUrl")),
        provider_hash=f"sha1:{info.sha1}" if info.sha1 and image_url == original else "",  # it is the original's
        restricted=f"Commons marks it: {restricted}" if restricted else "",
    )


def _licence(told: Mapping[str, str]) -> str:
    """Return the licence from its address, else from its code; `pd` names no address, and is taken for the mark's meaning."""
    code = told.get("License", "").strip().lower()
    return licences.of_url(told.get("LicenseUrl", "")) or licences.canonical("pdm" if code == "pd" else code)


def _plain(url: str | None) -> str:
    """Return an address without the marks that Commons adds to see who follows it: they change, the picture does not."""
    parts = urlsplit(text_cleaning.address(url))
    marked = parts.query.startswith("utm_")
    return urlunsplit(parts._replace(query="")) if marked else urlunsplit(parts)
