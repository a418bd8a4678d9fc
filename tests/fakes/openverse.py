"""Openverse as it answered in 2026: shapes, caps and refusals of api.openverse.org/v1.

Sources: WordPress/openverse, api/api/serializers/media_serializers.py, api/api/constants/restricted_features.py.
"""

import itertools
import threading
import time

from tests.fakes.catalogue import Work, found
from tests.fakes.reply import Asked, Reply, as_json

CLIENT = ("openverse-client-7", "openverse-secret-7f3a9c")
DEPTH = 240
LICENCES = {
    "by", "by-sa", "by-nd", "by-nc", "by-nc-sa", "by-nc-nd", "cc0", "pdm", "sampling+", "nc-sampling+",
}  # fmt: skip
DEPRECATED = {"li": "license", "lt": "license_type", "pagesize": "page_size", "provider": "source"}


class Openverse:
    """The API, with the tokens it has given."""

    def __init__(self, home: str, pictures: str, per_class: int) -> None:
        self.home, self.pictures, self.per_class = home, pictures, per_class
        self.token_life = 36000.0  # seconds
        self.refuses_keys = False  # a known fault: a verified key that is treated as none
        self._given: dict[str, float] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def answer(self, asked: Asked) -> Reply:
        if asked.path == "/v1/auth_tokens/token/":
            return self._token(asked) if asked.method == "POST" else _said(405, f'Method "{asked.method}" not allowed.')
        if asked.path == "/v1/images":
            return Reply(301, headers={"Location": f"{self.home}/v1/images/"})
        return self._images(asked) if asked.path == "/v1/images/" else _said(404, "Not found.")

    def forget_tokens(self) -> None:
        self._given.clear()

    def _token(self, asked: Asked) -> Reply:
        if asked.form.get("grant_type") != "client_credentials":
            return as_json({"error": "unsupported_grant_type"}, 400)
        if (asked.form.get("client_id"), asked.form.get("client_secret")) != CLIENT:
            return as_json({"error": "invalid_client"}, 401)
        with self._lock:
            token = f"token-{next(self._numbers)}-4b1d"
            self._given[token] = time.monotonic() + self.token_life
        scope = "read write groups"
        return as_json({"access_token": token, "scope": scope, "expires_in": self.token_life, "token_type": "Bearer"})

    def _images(self, asked: Asked) -> Reply:
        token = asked.authorization.removeprefix("Bearer ")
        if asked.authorization and self._given.get(token, 0.0) <= time.monotonic():
            return _said(401, "Authentication credentials were not provided.")
        known = bool(asked.authorization) and not self.refuses_keys
        if old := next((name for name in DEPRECATED if name in asked.query), None):
            return _wrong(old, f"Parameter '{old}' is deprecated in this release of the API. Use '{DEPRECATED[old]}'.")
        wanted = asked.query.get("license", "")
        if strange := next((name for name in wanted.lower().split(",") if wanted and name not in LICENCES), None):
            return _wrong("license", f"License '{strange}' does not exist.")
        try:
            page, size = (int(asked.query.get(name, default)) for name, default in (("page", "1"), ("page_size", "20")))
        except ValueError:
            return _wrong("page", "A valid integer is required.")
        return self._page(asked, known, set(wanted.lower().split(",")) if wanted else LICENCES, page, size)

    def _page(self, asked: Asked, known: bool, licences: set[str], page: int, size: int) -> Reply:
        if size > 20 and not known:
            return _said(401, "page_size may not exceed 20 for anonymous requests")
        if size > 50 or size < 1 or page < 1:
            return _wrong("page_size", "Ensure this value is less than or equal to 50.")
        if page * size > DEPTH:
            return _said(400 if known else 401, f"pagination depth may not exceed {DEPTH}")
        text = asked.query.get("q", "")[:200]
        safe = asked.query.get("mature", "false") != "true"
        works = [work for work in found("openverse", text, self.per_class) if work.licence[0] in licences]
        works = [work for work in works if not (safe and work.odd == "restricted")][:DEPTH]
        pages = -(-len(works) // size)
        if page > max(pages, 1):
            return _said(404, "Not found.")
        shown = works[(page - 1) * size : page * size]
        if asked.query.get("filter_dead", "true") == "true":
            shown = [work for work in shown if work.odd not in ("dead", "gone")]  # so a page may be short
        results = [self._result(work) for work in shown]
        limits = {"X-RateLimit-Limit-anon_burst": "20/min", "X-RateLimit-Available-anon_burst": "19"}
        head = {"result_count": len(works), "page_count": pages, "page_size": size, "page": page}
        return as_json(head | {"results": results}, 200, **({} if known else limits))

    def _result(self, work: Work) -> dict[str, object]:
        code, version = work.licence
        detail = f"{self.home}/v1/images/{work.uuid}/"
        sparse = work.number % 5 == 4
        return {
            "id": work.uuid, "title": None if work.number % 9 == 8 else work.title, "indexed_on": "2022-08-27T17:39:48Z",
            "foreign_landing_url": f"https://photos.example.org/{work.key}", "url": f"{self.pictures}{work.path}",
            "creator": work.author, "creator_url": None, "license": code, "license_version": version,
            "license_url": work.licence_url, "provider": "stocksnap", "source": "stocksnap",
            "category": None if sparse else "photograph", "filesize": None if sparse else 9000, "filetype": "jpg",
            "tags": [{"accuracy": None, "name": "eye", "unstable__provider": "stocksnap"}], "attribution": "by somebody",
            "fields_matched": ["title"], "mature": work.odd == "restricted", "height": None if sparse else 240,
            "width": None if sparse else 320, "thumbnail": f"{detail}thumb/", "detail_url": detail,
            "related_url": f"{detail}related/", "unstable__sensitivity": [],
        }  # fmt: skip


def _said(status: int, detail: str) -> Reply:
    return as_json({"detail": detail}, status)


def _wrong(name: str, why: str) -> Reply:
    detail = f"Invalid input given for fields. '{name}' -> {why}"
    return as_json({"error": "InputError", "detail": detail, "fields": [name]}, 400)
