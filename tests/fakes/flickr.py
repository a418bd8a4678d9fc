"""Flickr as it answered in 2026: errors with status 200, licences by number, the last page again and again past the end."""

import json

from tests.fakes.catalogue import Work, found
from tests.fakes.reply import Asked, Reply, as_json

KEY = "flickr-key-51c2e8"
ADDRESSES = {
    0: "", 1: "licenses/by-nc-sa/2.0", 2: "licenses/by-nc/2.0", 3: "licenses/by-nc-nd/2.0", 4: "licenses/by/2.0",
    5: "licenses/by-sa/2.0", 6: "licenses/by-nd/2.0", 9: "publicdomain/zero/1.0", 10: "publicdomain/mark/1.0",
    11: "licenses/by/4.0", 12: "licenses/by-sa/4.0",
}  # fmt: skip
OTHERS = {7: "https://www.flickr.com/commons/usage/", 8: "http://www.usa.gov/copyright.shtml"}
STRANGE = "99"  # a number that the list of licences does not hold


class Flickr:
    """The API."""

    def __init__(self, pictures: str, per_class: int) -> None:
        self.pictures, self.per_class = pictures, per_class

    def answer(self, asked: Asked) -> Reply:
        given = asked.query | asked.form
        if given.get("format") != "json":
            return Reply(200, b'<?xml version="1.0" encoding="utf-8" ?><rsp stat="ok"/>', "text/xml; charset=utf-8")
        document = self._document(given)
        if given.get("nojsoncallback") == "1":
            return as_json(document)
        return Reply(200, f"jsonFlickrApi({json.dumps(document)})".encode(), "text/javascript; charset=utf-8")

    def _document(self, given: dict[str, str]) -> dict[str, object]:
        if given.get("api_key") != KEY:
            return _failed(100, "Invalid API Key (Key has invalid format)")
        if given.get("method") == "flickr.photos.licenses.getInfo":
            return {"licenses": {"license": _licences()}, "stat": "ok"}
        if given.get("method") != "flickr.photos.search":
            return _failed(112, f'Method "{given.get("method")}" not found')
        if not given.get("text"):
            return _failed(3, "Parameterless searches have been disabled. Please use flickr.photos.getRecent instead.")
        return {"photos": self._photos(given), "stat": "ok"}

    def _photos(self, given: dict[str, str]) -> dict[str, object]:
        wanted = [number for number in given.get("license", "").split(",") if number]
        works = found("flickr", given["text"], self.per_class)
        works = [work for work in works if not wanted or _number(work) in wanted or _number(work) == STRANGE]
        size = min(int(given.get("per_page", "100")), 500)
        pages = max(1, -(-len(works) // size))
        page = min(int(given.get("page", "1")), pages)
        photos = [self._photo(work, given.get("extras", "")) for work in works[(page - 1) * size : page * size]]
        return {"page": page, "pages": pages, "perpage": size, "total": len(works), "photo": photos}

    def _photo(self, work: Work, extras: str) -> dict[str, object]:
        photo: dict[str, object] = {
            "id": str(work.count), "owner": "7478087@N06", "secret": "a1", "server": "65535", "farm": 66,
            "title": work.title, "ispublic": 1, "isfriend": 0, "isfamily": 0,
        }  # fmt: skip
        wished = extras.split(",")
        if "license" in wished:
            photo["license"] = _number(work)
        if "owner_name" in wished:
            photo["ownername"] = work.author or ""
        for size, height in (("l", 1024), ("c", 800), ("m", 500)):
            if f"url_{size}" in wished and (size != "l" or work.number % 2):  # small photos have no large size
                photo |= {f"url_{size}": f"{self.pictures}{work.path}", f"height_{size}": height, f"width_{size}": 660}
        return photo


def _number(work: Work) -> str:
    if work.odd == "unlicensed":
        return STRANGE
    code, version = work.licence
    path = {"cc0": "publicdomain/zero", "pdm": "publicdomain/mark"}.get(code, f"licenses/{code}")
    return next(str(number) for number, address in ADDRESSES.items() if address == f"{path}/{version}")


def _licences() -> list[dict[str, object]]:
    home = "https://creativecommons.org"
    known = {number: f"{home}/{path}/" if path else "" for number, path in ADDRESSES.items()} | OTHERS
    return [{"id": number, "name": f"Licence {number}", "url": url} for number, url in sorted(known.items())]


def _failed(code: int, message: str) -> dict[str, object]:
    return {"stat": "fail", "code": code, "message": message}
