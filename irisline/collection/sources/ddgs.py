"""DuckDuckGo by the library ddgs, an extra: no key, no licence, and no promise that it works tomorrow.

It reads pages that are made for people, and its own authors allow it for education only (github.com/deedy5/ddgs). One engine is
named, since the library shuffles them otherwise, and only this one knows a safe search.
"""

import importlib
from collections.abc import Callable, Iterator

from pydantic import TypeAdapter, ValidationError

from irisline.collection.sources import text_cleaning
from irisline.collection.sources.answer_cache import Answers
from irisline.collection.sources.api import Answer
from irisline.collection.sources.candidate import Candidate, Query
from irisline.collection.sources.rate_limit import Clock, Rate
from irisline.core.errors import SearchFailed

ENGINE = "duckduckgo"
PACE = 2.0  # seconds between two pages
NOTHING = "No results found."  # how the library says so


class Result(Answer):
    """One picture, and the page that shows it."""

    title: str | None = None
    image: str | None = None
    url: str | None = None


Library = Callable[[str, int], list[dict[str, object]]]
_RESULTS = TypeAdapter(list[Result])


def library() -> Library:
    """Return the library's search for one page of a query.

    Raise SearchFailed when it is not installed.
    """
    try:
        engines = importlib.import_module("ddgs").DDGS(timeout=20)
    except ImportError as error:
        raise SearchFailed(
            "ddgs: the library is not installed; type pip install 'irisline[search]', and mind that it tells no licences"
        ) from error
    return lambda text, page: engines.images(
        text, region="us-en", safesearch="on", max_results=None, page=page, backend=ENGINE
    )


class Ddgs:
    """DuckDuckGo's search for pictures."""

    name = "ddgs"

    def __init__(self, search: Library, clock: Clock | None = None, answers: Answers | None = None) -> None:
        self._search, self._answers = search, answers or Answers()
        self._clock = clock or Clock()
        self._rate = Rate(1, PACE)

    def search(self, query: Query, limit: int) -> Iterator[Candidate]:
        """Yield at most limit candidates, none with a licence."""
        seen: set[str] = set()
        page = 0
        while len(seen) < limit:
            page += 1
            known = len(seen)
            for result in self._page(query.text, page):
                image_url = text_cleaning.address(result.image)
                if image_url and image_url not in seen and len(seen) < limit:
                    seen.add(image_url)
                    yield self._candidate(result, image_url, query, len(seen))
            if len(seen) == known:  # the end, or the same page again
                return

    def _page(self, text: str, page: int) -> list[Result]:
        """Return a page, of before if it was asked for before."""
        question = f"{ENGINE} {page} {text}"
        if (known := self._answers.known(question, _RESULTS.validate_json)) is not None:
            return known
        if found := self._asked(text, page):  # nothing is also what a search that is blocked gives
            self._answers.note(question, _RESULTS.dump_json(found))
        return found

    def _asked(self, text: str, page: int) -> list[Result]:
        self._clock.sleep(self._rate.wait(self._clock.now()))
        self._rate.note(self._clock.now())
        try:
            return _RESULTS.validate_python(self._search(text, page))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise SearchFailed(f"ddgs: answered something else than pictures: {first['msg']}") from error
        except Exception as error:  # whatever a page that changed makes of it
            if NOTHING in str(error):
                return []
            what = f"{type(error).__name__}: {text_cleaning.line(str(error))}"
            raise SearchFailed(f"ddgs: {what}; wait an hour, or drop ddgs from snapshot.sources") from error

    def _candidate(self, result: Result, image_url: str, query: Query, rank: int) -> Candidate:
        return Candidate(
            provider=self.name,
            provider_id=text_cleaning.id_of(image_url),
            query=query,
            rank=rank,
            image_url=image_url,
            page_url=text_cleaning.address(result.url),
            title=text_cleaning.line(result.title),
        )
