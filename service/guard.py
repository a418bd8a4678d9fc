"""Who may ask, the headers of every answer, and the count of them. Plain ASGI, so that it costs little."""

import hmac
import logging
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service import prometheus_metrics
from service.bodies import HANG_UP
from service.connections import is_gone
from service.fair_queue import Pace, origin_of
from service.problems import Problem
from service.settings import Settings

OPEN = ("/", "/docs.json", "/metrics")  # that ask for no key, beside the page's own files; all else does
OPEN_FOLDER = "/page/"
log = logging.getLogger("bentoml.irisline")

ROUTES = {*OPEN, "/predict", "/predict_batch", "/model"}  # that are counted by name
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
    """Sends away whoever has no key where keys are asked for; adds the security headers to every answer of the app."""

    def __init__(self, app: ASGIApp, settings: Settings, pace: Pace) -> None:
        self.app = app
        self.keys = [key.get_secret_value().encode() for key in settings.api_keys]
        self.open_to_others = bool(settings.cors_origins)
        self.pace = pace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        await self.pace.turn(origin_of(scope.get("client")))
        app = self.app if self._may_ask(scope) else _no_key().response()
        sending = _Sending(send, scope["path"], self.open_to_others)
        try:
            await app(scope, receive, sending)
        except Exception as error:  # a bug, which is counted as any answer is
            if is_gone(error):
                return
            log.exception("a fault at %s", sending.route)
            if not sending.begun:
                await Problem(500, "a fault of the service; its log says more").response()(scope, receive, sending)

    def _may_ask(self, scope: Scope) -> bool:
        if not self.keys or scope["path"] in OPEN or scope["path"].startswith(OPEN_FOLDER):
            return True
        brought = _key(Headers(scope=scope)).encode()
        return sum(hmac.compare_digest(brought, key) for key in self.keys) > 0  # all of them: a match is not quicker


class OtherOrigins(CORSMiddleware):
    """Lets the pages of other sites ask. A refusal is the same document as all others."""

    def preflight_response(self, request_headers: Headers) -> Response:
        """Return the answer to a browser that asks whether a page may."""
        response = super().preflight_response(request_headers)
        if response.status_code == 200:
            return response
        why = f"{bytes(response.body).decode()}; IRISLINE_CORS_ORIGINS lists the sites whose pages may ask"
        return Problem(400, why, {"Vary": "Origin", **HANG_UP}).response()


class _Sending:
    """Sends an answer with the security headers, and counts it."""

    def __init__(self, send: Send, path: str, open_to_others: bool) -> None:
        self.send, self.open_to_others, self.started = send, open_to_others, time.perf_counter()
        self.route = path if path in ROUTES else "other"
        self.begun = False

    async def __call__(self, message: Message) -> None:
        """Send a part of the answer."""
        if message["type"] == "http.response.start":
            self.begun = True
            self._add_headers(MutableHeaders(scope=message))
            prometheus_metrics.REQUESTS.labels(self.route, message["status"]).inc()
            prometheus_metrics.SECONDS.labels(self.route).observe(time.perf_counter() - self.started)
        await self.send(message)

    def _add_headers(self, headers: MutableHeaders) -> None:
        for name, value in HEADERS.items():
            headers.setdefault(name, value)
        if self.open_to_others:
            headers["Cross-Origin-Resource-Policy"] = "cross-origin"


def _key(headers: Headers) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return (token.strip() if scheme.lower() == "bearer" else "") or headers.get("x-api-key", "")


def _no_key() -> Problem:
    advice = {"WWW-Authenticate": 'Bearer realm="irisline"', "Connection": "close"}
    return Problem(401, "this service wants a key: send Authorization: Bearer KEY, or X-API-Key: KEY", advice)
