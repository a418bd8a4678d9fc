"""Failures as HTTP tells them: problem details (RFC 9457), one sentence that helps. Knows nothing of what failed."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"
RETRY = {"Retry-After": "1"}  # seconds


class Problem(Exception):
    """A request that cannot be served, and the sentence its sender reads."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, dict(headers or {})

    def document(self) -> dict[str, Any]:
        """Give the body."""
        title = HTTPStatus(self.status).phrase
        return {"type": "about:blank", "title": title, "status": self.status, "detail": self.detail}

    def response(self) -> Response:
        """Give the answer to the request."""
        return Response(json.dumps(self.document()), self.status, self.headers, MEDIA_TYPE)
