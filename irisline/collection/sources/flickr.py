"""Flickr: needs a key, which Flickr gives to Pro accounts.

API: flickr.photos.search and flickr.photos.licenses.getInfo (flickr.com/services/api). What a licence's number means is asked,
not remembered: numbers were added before. Asked by POST, so that the key stands in no address.
"""

from collections.abc import Iterator

from pydantic import Field

from irisline.collection.sources import api, text_cleaning
from irisline.collection.sources.api import Answer, Api, Setup
from irisline.collection.sources.candidate import Candidate, Query
from irisline.collection.sources.rate_limit import Rate
from irisline.core.errors import SearchFailed
from irisline.dataset import licences

HOME = "https://api.flickr.com"
PAGE = 500
ALL_RIGHTS_RESERVED = "0"  # of flickr.photos.licenses.getInfo: no unknown licence, but none
DEPTH = 4000  # photos of one query; beyond them the same ones come again
SIZES = ("url_l", "url_c", "url_m")  # 1024, 800 and 500 pixels; the largest there is


class Photo(Answer):
    """One photo as Flickr tells of it."""

    id: str
    owner: str
    ownername: str | None = None
    title: str | None = None
    license: str = ""
    url_l: str | None = None
    url_c: str | None = None
    url_m: str | None = None


class Photos(Answer):
    """One page of photos."""

    pages: int
    photo: list[Photo]


class License(Answer):
    """What one number stands for."""

    id: str
    url: str = ""


class Licenses(Answer):
    """What the numbers stand for."""

    license: list[License]


class Reply(Answer):
    """An answer, or with status 200 the reason why there is none."""

    stat: str
    code: int = 0
    message: str = ""
    photos: Photos | None = None
    known: Licenses | None = Field(default=None, alias="licenses")

    @property
    def is_worth_keeping(self) -> bool:
        """Whether it is no failure."""
        return self.stat == "ok"


class Flickr:
    """Flickr's search for photos."""

    name = "flickr"

    def __init__(self, setup: Setup) -> None:
        self._key = setup.environment.get("FLICKR_API_KEY", "")
        if not self._key:
            raise SearchFailed(
                "flickr: FLICKR_API_KEY is not set; Pro accounts get a key at https://www.flickr.com/services/apps/create"
            )
        home = api.home(setup.environment, "IRISLINE_FLICKR_URL", HOME)
        self._url = f"{home}/services/rest/"
        self._api = Api(self.name, setup, [Rate(3600, 3600)], [self._key])
        self._families = setup.settings.licences
        self._numbers: dict[str, str] | None = None

    def search(self, query: Query, limit: int) -> Iterator[Candidate]:
        """Yield at most limit candidates, at most 4,000 however many there are; an unknown licence's number is no licence."""
        numbers = self._licence_numbers()
        wanted = [
            number
            for number, licence in numbers.items()
            if number != ALL_RIGHTS_RESERVED and licences.accepted(licence, self._families)
        ]
        seen: set[str] = set()
        for page in range(1, DEPTH // PAGE + 1 if wanted else 1):
            photos = self._photos(query, page, wanted)
            for photo in photos.photo:
                if len(seen) < limit and photo.id not in seen and _image_url(photo):
                    seen.add(photo.id)
                    yield _candidate(photo, query, len(seen), numbers.get(photo.license, ""))
            if len(seen) >= limit or page >= photos.pages:
                return

    def _licence_numbers(self) -> dict[str, str]:
        if self._numbers is None:
            known = self._ask("flickr.photos.licenses.getInfo").known
            if known is None:
                self._api.fail("answered something else than its licences; try again later")
            self._numbers = {one.id: licences.of_url(one.url) for one in known.license}
        return self._numbers

    def _photos(self, query: Query, page: int, wanted: list[str]) -> Photos:
        photos = self._ask(
            "flickr.photos.search",
            text=query.text,
            license=",".join(wanted),
            safe_search=1,
            content_type=1,
            media="photos",
            sort="relevance",
            extras=",".join(("license", "owner_name", *SIZES)),
            per_page=PAGE,
            page=page,
        ).photos
        if photos is None:
            self._api.fail("answered something else than pictures: no photos in it")
        return photos

    def _ask(self, method: str, **asked: str | int) -> Reply:
        form = {"method": method, "api_key": self._key, "format": "json", "nojsoncallback": 1, **asked}
        reply = self._api.post(Reply, self._url, form)
        if reply.stat != "ok":
            self._api.fail(f"answered {reply.code}: {reply.message}; mind FLICKR_API_KEY")
        return reply


def _image_url(photo: Photo) -> str:
    return next((url for size in SIZES if (url := text_cleaning.address(getattr(photo, size)))), "")


def _candidate(photo: Photo, query: Query, rank: int, licence: str) -> Candidate:
    return Candidate(
        provider=Flickr.name,
        provider_id=text_cleaning.line(photo.id),
        query=query,
        rank=rank,
        image_url=_image_url(photo),
        page_url=text_cleaning.address(f"https://www.flickr.com/photos/{photo.owner}/{photo.id}"),
        title=text_cleaning.line(photo.title),
        author=text_cleaning.line(photo.ownername),
        licence=licence,
        restricted="its author reserves all rights" if photo.license == ALL_RIGHTS_RESERVED else "",
        licence_url=licences.url_of(licence),
    )
