"""Failures as HTTP tells them: problem details (RFC 9457), one sentence that helps. Knows nothing of what failed."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Literal

from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"
RETRY = {"Retry-After": "1"}  # seconds
Code = Literal[
    "bad_request", "picture_unreadable", "picture_too_large", "form_unreadable", "no_key", "not_found", "method_not_allowed",
    "body_late", "body_too_large", "unsupported_type", "head_too_large", "busy", "fault",
]  # fmt: skip
_BY_STATUS: dict[int, Code] = {
    401: "no_key", 404: "not_found", 405: "method_not_allowed", 408: "body_late", 413: "body_too_large",
    415: "unsupported_type", 431: "head_too_large", 500: "fault", 503: "busy",
}  # fmt: skip


class Problem(Exception):
    """A request that cannot be served, and the sentence its sender reads; the code is the status's own unless told."""

    def __init__(
        self, status: int, detail: str, headers: Mapping[str, str] | None = None, code: Code | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, dict(headers or {})
        self.code: Code = code or _BY_STATUS.get(status, "bad_request")

    def document(self) -> dict[str, Any]:
        """Return the body."""
        title = HTTPStatus(self.status).phrase
        return {"type": "about:blank", "title": title, "status": self.status, "detail": self.detail, "code": self.code}

    def response(self) -> Response:
        """Return the answer to the request."""
        return Response(json.dumps(self.document()), self.status, self.headers, MEDIA_TYPE)
