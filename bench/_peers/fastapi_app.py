"""FastAPI: the raw body, and a thread pool with one thread for each core, so that the event loop only reads and writes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.to_thread
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool

from bench._peers import CORES, load, told


@asynccontextmanager
async def _sized(_: FastAPI) -> AsyncIterator[None]:
    anyio.to_thread.current_default_thread_limiter().total_tokens = CORES
    yield


app, classifier = FastAPI(lifespan=_sized), load()


@app.post("/predict")
async def predict(request: Request) -> Response:
    """Answer the picture that is the body."""
    return Response(await run_in_threadpool(told, classifier, await request.body()), media_type="application/json")
