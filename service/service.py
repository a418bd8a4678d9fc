"""The BentoML service: the app, mounted where BentoML serves it. `bentoml serve service.service:Irisline`."""

import logging
import os
import signal
from functools import partial
from typing import TYPE_CHECKING

import bentoml
import uvicorn.config
from bentoml.exceptions import BentoMLException
from starlette.types import ASGIApp, Receive, Scope, Send

os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)  # one process answers; BentoML's folder is shared by all services here

from irisline.core import parent_watch
from irisline.core.errors import IrislineError
from irisline.inference.identity import NAME, Identity
from service import app
from service.connections import Connection
from service.crowd import Crowd
from service.fair_queue import origin_of
from service.settings import Settings

if TYPE_CHECKING:
    from service.engine import Engine


def _settings_of(environment: os._Environ[str]) -> Settings:
    """Return the settings, once there is a version to serve; BentoML makes one line of the failure."""
    try:
        settings = Settings.read(environment)
        Identity.read(settings.model / NAME)
    except IrislineError as error:
        raise BentoMLException(str(error)) from error
    return settings


def _end(error: IrislineError) -> None:
    """End BentoML's supervisor too, where there is one: it would start this worker again, and the version be no better."""
    logging.getLogger("bentoml.irisline").critical("not served: %s", error)
    if "BENTOML_RUNNER_MAP" in os.environ:
        os.kill(os.getppid(), signal.SIGTERM)
    os._exit(1)


if "BENTOML_RUNNER_MAP" in os.environ:
    parent_watch.end_with(
        os.getppid(), signal.SIGTERM
    )  # BentoML's supervisor; killed, it would leave this worker to the port
_settings = _settings_of(os.environ)
_app = app.create(_settings, _end)
# BentoML's worker gives uvicorn no protocol, so that it takes this one; a class does as well as its name.
uvicorn.config.HTTP_PROTOCOLS["auto"] = partial(Connection, Crowd(_settings))  # type: ignore[assignment]


@bentoml.asgi_app(_app)
@bentoml.service(
    name="irisline",
    workers=1,  # its threads keep every core busy; the kernel would give one of two processes all connections
    traffic={"timeout": 2 * _settings.timeout + 5},  # BentoML keeps a timer for so long after each request
    logging={"access": {"enabled": False}},  # no request is written down
    metrics={"enabled": False},  # BentoML's keep every path that anyone ever asked for; ours are at the same address
    tracing={
        "excluded_urls": os.environ.get("IRISLINE_UNTRACED", ".*")
    },  # spans cost more than all the rest of a request
)
class Irisline:
    """Answers which class a picture shows. The app does it; until its version is proven and warm, nothing is answered."""

    async def __is_ready__(self) -> bool:
        """Return whether something was answered lately, if anything waits; BentoML asks for /readyz."""
        engine: Engine = _app.state.engine
        return engine.stalled_for < _settings.timeout


class Ahead:
    """Brings all but the probes to the app, whose guard nothing passes by: what else BentoML has at paths of its own is closed.

    It is quicker, too: BentoML's own routing looks at each of the app's routes twice, and that is felt.
    """

    def __init__(self, others: ASGIApp) -> None:
        self.others = others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        probe = scope.get("path") in app.PROBES and scope.get("method") in ("GET", "HEAD")
        if probe:
            await _app.state.pace.turn(origin_of(scope.get("client")))
        await (self.others if probe or scope["type"] == "lifespan" else _app)(scope, receive, send)


Irisline.add_asgi_middleware(Ahead)  # type: ignore[attr-defined] # the decorators have made it a Service
