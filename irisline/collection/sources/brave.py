"""Brave's image search: needs a token, and tells no licence, so that only `unknown` among the accepted ones lets it in.

API: api-dashboard.search.brave.com/app/documentation/image-search. One answer holds 200 pictures at most and has no next page.
"""

from collections.abc import Iterator

from pydantic import Field

from irisline.collection.sources import api, text_cleaning
from irisline.collection.sources.api import Answer, Api, Setup
from irisline.collection.sources.candidate import Candidate, Query
from irisline.collection.sources.rate_limit import Rate
from irisline.core.errors import SearchFailed

HOME = "https://api.search.brave.com"
COUNT = 200


class Properties(Answer):
    """What is known of the picture itself."""

    url: str | None = None


class Result(Answer):
    """One picture, and the page that shows it."""

    title: str | None = None
    url: str | None = None
    properties: Properties | None = None


class Results(Answer):
    """One answer."""

    results: list[Result] = Field(max_length=10_000)


class Brave:
    """Brave's search for pictures."""

    name = "brave"

    def __init__(self, setup: Setup) -> None:
        self._token = setup.environment.get("BRAVE_API_KEY", "")
        if not self._token:
            raise SearchFailed("brave: BRAVE_API_KEY is not set; plans are at https://api-dashboard.search.brave.com")
        if not self._token.isascii() or not self._token.isprintable():
            raise SearchFailed("brave: BRAVE_API_KEY holds characters that cannot stand in a header; copy it again")
        self._home = api.home(setup.environment, "IRISLINE_BRAVE_URL", HOME)
        self._api = Api(self.name, setup, [Rate(1, 1.0)], [self._token])

    def search(self, query: Query, limit: int) -> Iterator[Candidate]:
        """Yield at most limit candidates, at most 200 however many there are, none with a licence."""
        asked: dict[str, str | int] = {
            "q": query.text,
            "count": COUNT,
            "safesearch": "strict",
            "country": "US",
            "search_lang": "en",
        }
        url = f"{self._home}/res/v1/images/search"
        results = self._api.get(Results, url, asked, lambda: {"X-Subscription-Token": self._token}).results
        seen: set[str] = set()
        for result in results:
            image_url = text_cleaning.address(result.properties.url if result.properties else None)
            if image_url and image_url not in seen and len(seen) < limit:
                seen.add(image_url)
                yield Candidate(
                    provider=self.name,
                    provider_id=text_cleaning.id_of(image_url),
                    query=query,
                    rank=len(seen),
                    image_url=image_url,
                    page_url=text_cleaning.address(result.url),
                    title=text_cleaning.line(result.title),
                )
