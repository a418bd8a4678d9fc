"""Brave's image search as it answered in 2026: one answer of 200 at most, no licence, a wrong token is 422."""

from tests.fakes.catalogue import Work, found
from tests.fakes.reply import Asked, Reply, as_json

TOKEN = "brave-token-d40e77"


class Brave:
    """The API."""

    def __init__(self, pictures: str, per_class: int) -> None:
        self.pictures, self.per_class = pictures, per_class

    def answer(self, asked: Asked) -> Reply:
        if asked.path != "/res/v1/images/search":
            return _failed(404, "NOT_FOUND", "Not found.")
        if asked.headers.get("x-subscription-token") != TOKEN:
            return _failed(422, "SUBSCRIPTION_TOKEN_INVALID", "The provided subscription token is invalid.")
        count = int(asked.query.get("count", "50"))
        if not asked.query.get("q") or not 1 <= count <= 200:
            return _failed(422, "VALIDATION", "Unable to validate request parameter(s)")
        if asked.query.get("safesearch", "strict") not in ("off", "strict"):
            return _failed(422, "VALIDATION", "Unable to validate request parameter(s)")
        works = found("brave", asked.query["q"], self.per_class)[:count]
        return as_json({
            "type": "images", "query": {"original": asked.query["q"], "spellcheck_off": False},
            "results": [self._result(work) for work in works], "extra": {"might_be_offensive": False},
        })  # fmt: skip

    def _result(self, work: Work) -> dict[str, object]:
        url = f"{self.pictures}{work.path}"
        return {
            "type": "image_result", "title": work.title, "url": f"https://pages.example.org/{work.key}",
            "source": "pages.example.org", "page_fetched": "2026-01-01T00:00:00Z",
            "thumbnail": {"src": url, "width": 200, "height": 150},
            "properties": {"url": url, "placeholder": url, "width": 320, "height": 240},
            "meta_url": {"scheme": "https"}, "confidence": "high",
        }  # fmt: skip


def _failed(status: int, code: str, detail: str) -> Reply:
    error = {"id": "1", "status": status, "code": code, "detail": detail}
    return as_json({"type": "ErrorResponse", "error": error, "time": 0}, status)
