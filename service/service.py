"""The BentoML service: the app, mounted where BentoML serves it. `bentoml serve service.service:Irisline`."""

import os

import bentoml

from service import app
from service.settings import Settings

_settings = Settings.read(os.environ)
_app = app.create(_settings)


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
    """Answers which class a picture shows."""

    def __is_ready__(self) -> bool:
        """Say whether a version is proven and warm; until then BentoML answers 503."""
        return hasattr(_app.state, "engine")
