"""Openverse: 800 million openly licensed pictures of many museums and archives, each with its licence and author.

Without a key 20 requests a minute and 200 a day; a free key (OAuth2 client credentials) allows larger pages and 100 a minute.
A query reaches 240 works, with a key or without. API: api.openverse.org/v1, limits: api/api/constants/restricted_features.py
of WordPress/openverse.
"""

from collections.abc import Iterator

from irisline.collection.sources import api, text_cleaning
from irisline.collection.sources.api import Answer, Api, Refused, Setup
from irisline.collection.sources.candidate import Candidate, Query
from irisline.collection.sources.rate_limit import Rate
from irisline.core.errors import SearchFailed
from irisline.dataset import licences

HOME = "https://api.openverse.org"
DEPTH = 240  # works of one query, for anyone
PAGE, PAGE_WITH_KEY = 20, 48  # both divide the depth: a page that reaches beyond it is refused
EARLY = 60.0  # seconds before its end that a token is no longer trusted


class Work(Answer):
    """One picture as Openverse tells of it."""

    id: str
    url: str | None = None
    title: str | None = None
    creator: str | None = None
    foreign_landing_url: str | None = None
    license: str | None = None
    license_version: str | None = None
    license_url: str | None = None
    mature: bool | None = None


class Page(Answer):
    """One page of answers."""

    page_count: int
    results: list[Work]


class Token(Answer):
    """What a client's id and secret are exchanged for."""

    access_token: str
    expires_in: float


class Openverse:
    """Openverse's search for pictures."""

    name = "openverse"

    def __init__(self, setup: Setup) -> None:
        self._home = api.home(setup.environment, "IRISLINE_OPENVERSE_URL", HOME)
        self._client = (
            setup.environment.get("OPENVERSE_CLIENT_ID", ""),
            setup.environment.get("OPENVERSE_CLIENT_SECRET", ""),
        )
        if any(self._client) and not all(self._client):
            raise SearchFailed(
                "openverse: OPENVERSE_CLIENT_ID and OPENVERSE_CLIENT_SECRET go together; set or unset both"
            )
        rates = [Rate(100, 60), Rate(10_000, 86_400)] if self.has_key else [Rate(20, 60), Rate(200, 86_400)]
        hint = "" if self.has_key else "get a free key, which allows 10,000 a day"
        self._api = Api(self.name, setup, rates, self._client, hint)
        self._licences = [name for name in setup.settings.licences if name != "unknown"]
        self._token, self._trusted_until = "", 0.0

    @property
    def has_key(self) -> bool:
        """Whether requests carry a token."""
        return all(self._client)

    def search(self, query: Query, limit: int) -> Iterator[Candidate]:
        """Yield at most limit candidates, at most 240 however many there are."""
        seen: set[str] = set()
        for number in range(1, self._last_page() + 1):
            page = self._page(query, number)
            for work in page.results:  # a page may be short: filter_dead drops dead links after the page is cut
                if len(seen) < limit and work.id not in seen and text_cleaning.address(work.url):
                    seen.add(work.id)
                    yield _candidate(work, query, len(seen))
            if len(seen) >= limit or number >= page.page_count:
                return

    def _last_page(self) -> int:
        return DEPTH // self._page_size if self._licences else 0  # every work of Openverse has a licence

    @property
    def _page_size(self) -> int:
        return PAGE_WITH_KEY if self.has_key else PAGE

    def _page(self, query: Query, number: int) -> Page:
        asked: dict[str, str | int] = {
            "q": query.text,
            "page": number,
            "page_size": self._page_size,
            "license": ",".join(self._licences),
            "filter_dead": "true",
            "mature": "false",
        }
        url = f"{self._home}/v1/images/"
        try:
            return self._api.get(Page, url, asked, self._authorization)
        except Refused as refusal:
            if refusal.status != 401 or not self._token:
                raise
        self._token = ""  # it was withdrawn before its time
        return self._api.get(Page, url, asked, self._authorization)

    def _authorization(self) -> dict[str, str]:
        if not self.has_key:
            return {}
        if not self._token or self._api.clock.now() >= self._trusted_until:
            self._renew()
        return {"Authorization": f"Bearer {self._token}"}

    def _renew(self) -> None:
        form = {"grant_type": "client_credentials", "client_id": self._client[0], "client_secret": self._client[1]}
        token = self._api.post(Token, f"{self._home}/v1/auth_tokens/token/", form, keep=False)
        if not token.access_token.isascii() or not token.access_token.isprintable():
            self._api.fail("gave a token that cannot stand in a header; try again later")
        self._api.hide(token.access_token)
        self._token = token.access_token
        self._trusted_until = self._api.clock.now() + token.expires_in - EARLY


def _candidate(work: Work, query: Query, rank: int) -> Candidate:
    licence = licences.canonical(work.license or "", work.license_version or "") or licences.of_url(
        work.license_url or ""
    )
    return Candidate(
        provider=Openverse.name,
        provider_id=text_cleaning.line(work.id),
        query=query,
        rank=rank,
        image_url=text_cleaning.address(work.url),
        page_url=text_cleaning.address(work.foreign_landing_url),
        title=text_cleaning.line(work.title),
        author=text_cleaning.line(work.creator),
        licence=licence,
        licence_url=licences.url_of(licence) or text_cleaning.address(work.license_url),
        restricted="Openverse marks it as not safe for all" if work.mature else "",
    )
