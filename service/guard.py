"""Who may ask, the headers of every answer, and the count of them. Plain ASGI, so that it costs little."""

import hmac
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service import measures
from service.problems import Problem
from service.settings import Settings

GUARDED = ("/predict", "/predict_batch", "/model")
ROUTES = {*GUARDED, "/", "/docs.json", "/metrics"}  # that are counted by name
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; "
        "frame-ancestors 'none'; form-action 'self'"
    ),
}


class Guard:
    """Sends away whoever has no key where keys are asked for, and adds the security headers to every answer."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.keys = [key.get_secret_value().encode() for key in settings.api_keys]
        self.open_to_others = bool(settings.cors_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        app = self.app if self._may_ask(scope) else _no_key().response()
        await app(scope, receive, self._with_headers(send, scope["path"]))

    def _may_ask(self, scope: Scope) -> bool:
        if not self.keys or scope["method"] == "OPTIONS" or scope["path"] not in GUARDED:
            return True
        brought = _key(Headers(scope=scope)).encode()
        return sum(hmac.compare_digest(brought, key) for key in self.keys) > 0  # all of them: a match is not quicker

    def _with_headers(self, send: Send, path: str) -> Send:
        started = time.perf_counter()

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if self.open_to_others:
                    headers["Cross-Origin-Resource-Policy"] = "cross-origin"
                route = path if path in ROUTES else "other"
                measures.REQUESTS.labels(route, message["status"]).inc()
                measures.SECONDS.labels(route).observe(time.perf_counter() - started)
            await send(message)

        return sending


def _key(headers: Headers) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "")


def _no_key() -> Problem:
    advice = {"WWW-Authenticate": 'Bearer realm="irisline"', "Connection": "close"}
    return Problem(401, "this service wants a key: send Authorization: Bearer KEY, or X-API-Key: KEY", advice)
