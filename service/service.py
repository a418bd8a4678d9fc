"""The BentoML service: the app, mounted where BentoML serves it. `bentoml serve service.service:Irisline`."""

import os

import bentoml

from service import app
from service.settings import Settings

_app = app.create(Settings.read(os.environ))


@bentoml.asgi_app(_app)
@bentoml.service(
    name="irisline",
    workers=1,  # its threads keep every core busy; a second process would only split the batches
    traffic={"timeout": 3600},  # the app's own limits are tighter, and free a picture's place in the queue
    logging={"access": {"enabled": False}},
    metrics={"enabled": True},
)
class Irisline:
    """Answers which class a picture shows."""

    def __is_ready__(self) -> bool:
        """Say whether a version is proven and warm; until then BentoML answers 503."""
        return hasattr(_app.state, "engine")
