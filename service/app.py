"""The routes: requests in, documents out. Owns no model and no preprocessing; BentoML mounts this app at its root.

BentoML's own /livez, /readyz and /healthz come before these routes. What a model needs is imported when the app
starts: BentoML's supervisor imports this module too, and answers nothing.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import ExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from irisline.core.errors import IrislineError, Overloaded, TooCostly, UnreadableImage
from service import bodies, memory, openapi, page, prometheus_metrics, schemas
from service.fair_queue import Pace, origin_of
from service.guard import Guard, OtherOrigins
from service.problems import RETRY, Problem
from service.settings import Settings

if TYPE_CHECKING:
    from service.answering import Answer
    from service.engine import Engine
    from service.following import Follower

FRESH = {"Cache-Control": "no-store"}
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]
ALLOWED = {"/predict": "POST", "/predict_batch": "POST"}
PROBES = ("/livez", "/readyz", "/healthz")  # which BentoML answers


def create(settings: Settings, on_failed_start: Callable[[IrislineError], object] = lambda _: None) -> Starlette:
    """Return the app; its lifespan loads the model, so that nothing is answered before it is proven and warm."""
    others = [Middleware(OtherOrigins, allow_origins=settings.cors_origins, allow_methods=["GET", "POST"],
                         allow_headers=["Authorization", "Content-Type", "X-API-Key"])]  # fmt: skip
    pace = Pace()
    app = Starlette(
        routes=[
            *page.routes(),
            Route("/predict", predict, methods=["POST"]),
            Route("/predict_batch", predict_batch, methods=["POST"]),
            Route("/model", model, methods=["GET"]),
            Route("/docs.json", docs, methods=["GET"]),
            Route("/metrics", metrics, methods=["GET"]),
            Route("/{path:path}", nothing, methods=METHODS),
        ],
        middleware=[*(others if settings.cors_origins else []), Middleware(Guard, settings=settings, pace=pace)],
        exception_handlers={Problem: _problem, Overloaded: _overloaded, HTTPException: _http_problem},
        lifespan=_lifespan,
    )
    app.state.settings, app.state.on_failed_start = settings, on_failed_start
    app.state.budget, app.state.pace = bodies.Budget(settings.max_bytes_held, memory.trim_aside), pace
    return app


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    from service.live import Live, threads

    settings: Settings = app.state.settings
    try:
        follower = _follower(settings)
        beside = asyncio.get_running_loop().run_in_executor
        loading = follower.first() if follower else beside(None, Live.load, settings.model, settings)
        # These take a while to be imported: the version is proven meanwhile.
        from service.engine import Engine
        from service.lanes import Lanes

        with ExitStack() as failed:
            lanes = Lanes.of(threads(settings), settings)
            failed.callback(lanes.close)
            await beside(None, lanes.start)
            first = await loading
            failed.pop_all()
    except IrislineError as error:
        app.state.on_failed_start(error)
        raise
    engine = Engine(first, lanes, settings, on_batch=prometheus_metrics.BATCH_SIZE.observe)
    prometheus_metrics.show_live(None, first)
    app.state.engine, app.state.follower = engine, follower
    if follower:
        follower.start(engine)
    yield
    if follower:
        await follower.stop()
    await asyncio.to_thread(engine.close)


def _follower(settings: Settings) -> "Follower | None":
    if not settings.follow:
        return None
    from service.following import Follower

    return Follower(settings)


async def predict(request: Request) -> Response:
    """Answer one picture."""
    started = time.perf_counter()
    settings: Settings = request.app.state.settings
    explain = _flag(request, "explain")
    _engine(request).check_room(False, _origin(request))
    with request.app.state.budget.held(_origin(request)) as held:
        data = await bodies.picture(request, settings, held)
        if explain:
            answer = await _answered(request, settings, _engine(request).explain(data, _origin(request)))
        else:
            (answer,) = await _answered(request, settings, _engine(request).answer([data], _origin(request)))
    if isinstance(answer.prediction, UnreadableImage):
        raise _unreadable(answer.prediction)
    return _json(_told(answer, started))


async def predict_batch(request: Request) -> Response:
    """Answer many pictures, each with its own answer or failure."""
    started = time.perf_counter()
    settings: Settings = request.app.state.settings
    _engine(request).check_room(True, _origin(request))
    with request.app.state.budget.held(_origin(request)) as held:
        files = await bodies.pictures(request, settings, held)
        answers = await _answered(
            request, settings, _engine(request).answer([data for _, data in files], _origin(request))
        )
    named = zip((name for name, _ in files), answers, strict=True)
    return _json({"answers": [{"file": name, **_one_of_many(answer, started)} for name, answer in named]})


async def model(request: Request) -> Response:
    """Say which version is served, where it comes from, and how following goes."""
    live, follower = _engine(request).live, request.app.state.follower
    shown = {
        **live.identity.model_dump(),
        "precision": live.classifier.precision,
        "preprocess": live.classifier.preprocess.model_dump(),
        "device": live.classifier.runtime.device,
        "loaded": live.loaded.isoformat(timespec="seconds"),
        "following": follower.document() if follower else None,
    }
    return _json(shown)


async def docs(request: Request) -> Response:
    """Return the OpenAPI description."""
    settings: Settings = request.app.state.settings
    return _json(openapi.document(_engine(request).live.identity, bool(settings.api_keys)))


async def metrics(request: Request) -> Response:
    """Return the numbers that Prometheus reads."""
    prometheus_metrics.QUEUE_DEPTH.set(_engine(request).waiting)
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def nothing(request: Request) -> Response:
    """Say that there is nothing at this path, or nothing for this method."""
    path = request.url.path
    if path in {*ALLOWED, "/", "/model", "/docs.json", "/metrics", *PROBES}:
        allowed = ALLOWED.get(path, "GET")
        raise Problem(
            405, f"{request.method} is not served at {path}; send {allowed}", {"Allow": allowed, **bodies.HANG_UP}
        )
    raise Problem(404, f"nothing at {path[:200]}; GET /docs.json lists what there is", bodies.HANG_UP)


async def _answered(request: Request, settings: Settings, answering: Coroutine[Any, Any, Any]) -> Any:
    """Return what is answered; whoever has gone is answered no more, and makes room for others."""
    task, gone = asyncio.ensure_future(answering), asyncio.ensure_future(_gone(request))
    try:
        async with asyncio.timeout(settings.timeout):
            await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            raise Problem(400, "the connection ended before the answer")
    except TimeoutError as error:
        raise Problem(503, f"busy: no answer within {settings.timeout:g} seconds; try again later", RETRY) from error
    finally:
        task.cancel()
        gone.cancel()
        del task, gone  # an error holds this frame, which would hold it, and the picture with it


async def _gone(request: Request) -> None:
    """Wait until the client has gone."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _one_of_many(answer: "Answer", started: float) -> dict[str, Any]:
    if isinstance(answer.prediction, UnreadableImage):
        return {"error": _unreadable(answer.prediction).document()}
    return _told(answer, started)


def _told(answer: "Answer", started: float) -> dict[str, Any]:
    assert not isinstance(answer.prediction, UnreadableImage)
    if answer.saliency is None:  # an explanation is of a picture that was answered before
        prometheus_metrics.count(answer.prediction, answer.live.identity.version)
    return {**schemas.answer_document(answer), "ms": round((time.perf_counter() - started) * 1000, 2)}


def _unreadable(error: UnreadableImage) -> Problem:
    prometheus_metrics.DECODE_FAILURES.inc()
    if isinstance(error, TooCostly):
        return Problem(400, f"too large a picture: {error}; send a smaller picture", code="picture_too_large")
    detail = f"not a picture that can be read: {error}; send a whole JPEG, PNG or WebP file"
    return Problem(400, detail, code="picture_unreadable")


def _engine(request: Request) -> "Engine":
    engine: Engine = request.app.state.engine
    return engine


def _origin(request: Request) -> str:
    """Return whom a request belongs to; behind a proxy, all of them are its own."""
    return origin_of(request.client)


def _flag(request: Request, name: str) -> bool:
    given = request.query_params.get(name, "false").lower()
    if given not in ("true", "false"):
        raise Problem(400, f"{name} is {given[:20]!r}, must be true or false", bodies.HANG_UP)
    return given == "true"


def _json(document: dict[str, Any]) -> Response:
    return Response(json.dumps(document, separators=(",", ":")), headers=FRESH, media_type="application/json")


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return error.response()


async def _overloaded(request: Request, error: Exception) -> Response:
    return Problem(503, f"busy: {error}; try again in a second", {**RETRY, **bodies.HANG_UP}).response()


async def _http_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return Problem(error.status_code, f"{request.url.path[:200]}: {error.detail}", error.headers).response()
