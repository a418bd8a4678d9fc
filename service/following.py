"""The service follows an alias of the registry: what the alias names is proven beside what is live, then takes over.

The registry is watched by a process of its own (irisline.release.watch), so that nothing of it is loaded here. Whatever
fails, the version that is live goes on answering, and what was refused is told. Knows nothing of HTTP.
"""

import asyncio
import contextlib
import json
import logging
import os
import sys
import tempfile
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from irisline.errors import IrislineError
from irisline.model.identity import NAME, Identity
from irisline.model.runtime import has_cuda
from service import measures
from service.engine import Engine
from service.live import Live
from service.settings import Settings

PATIENCE = 20.0  # seconds that a start waits for the registry, before the version it was given answers
AGAIN = 5.0  # seconds before a watcher that has died is started anew
LINE = 2**20  # bytes

log = logging.getLogger("bentoml.irisline")


class Follower:
    """Follows one alias for one engine."""

    def __init__(self, settings: Settings) -> None:
        if not os.environ.get("MLFLOW_TRACKING_URI"):
            raise IrislineError(
                "IRISLINE_FOLLOW: needs MLFLOW_TRACKING_URI, the registry to follow; irisline serve sets it"
            )
        self.settings = settings
        self.state = "starting"
        self.refused: dict[str, Any] | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="irisline-")
        self._news = self._watch()
        self._task: asyncio.Task[None] | None = None

    def document(self) -> dict[str, Any]:
        """Give how following goes."""
        return {"alias": self.settings.follow, "state": self.state, "refused": self.refused}

    async def first(self) -> Live:
        """Give the version that the alias names now; the one that was given when that cannot be had in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                live = await self._load(await anext(self._news))
                if live:
                    return live
        log.warning("IRISLINE_FOLLOW: %s; the version in %s answers meanwhile", self.state, self.settings.model)
        return await asyncio.to_thread(Live.load, self.settings.model, self.settings)

    def start(self, engine: Engine) -> None:
        """Bring the engine every version that the alias names from now on."""
        self._task = asyncio.create_task(self._follow(engine))

    async def stop(self) -> None:
        """End the watcher."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._news.aclose()
        self._folder.cleanup()

    async def _follow(self, engine: Engine) -> None:
        async for news in self._news:
            live = await self._load(news)
            if live and live.identity != engine.live.identity:
                before = engine.live.identity
                engine.swap(live)
                measures.SWAPS.labels("done").inc()
                measures.show_live(before, live.identity)
                log.info("version %d answers now, instead of version %d", live.identity.version, before.version)

    async def _load(self, news: dict[str, Any]) -> Live | None:
        """Give the version of the news, proven and warm; note why when there is none."""
        if "folder" not in news:
            self._note(news.get("version"), news.get("failed"))
            return None
        try:
            live = await asyncio.to_thread(Live.load, Path(news["folder"]), self.settings)
        except IrislineError as error:
            self._note(news["version"], str(error))
            return None
        self.state, self.refused = "following", None
        measures.FOLLOWING.labels(self.settings.follow).set(1)
        return live

    def _note(self, version: int | None, failure: str | None) -> None:
        self.state = failure or "following"
        measures.FOLLOWING.labels(self.settings.follow).set(version is not None or failure is None)
        if version is None or failure is None:
            return
        self.refused = {"version": version, "reason": failure, "at": datetime.now(UTC).isoformat(timespec="seconds")}
        measures.SWAPS.labels("refused").inc()
        log.error("version %d is refused: %s", version, failure)

    async def _watch(self) -> AsyncGenerator[dict[str, Any], None]:
        """Give the watcher's news; one that has died is started anew."""
        name = Identity.read(self.settings.model / NAME).name
        device = "gpu" if self.settings.device != "cpu" and has_cuda() else "cpu"
        words = (name, self.settings.follow, self._folder.name, str(self.settings.follow_seconds), device)
        while True:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "irisline.release.watch", *words,
                stdout=asyncio.subprocess.PIPE, stdin=asyncio.subprocess.DEVNULL, limit=LINE,
                cwd=self._folder.name, env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )  # fmt: skip
            assert process.stdout
            try:
                async for line in process.stdout:
                    yield json.loads(line)
                yield {"version": None, "failed": f"the watcher of {self.settings.follow} has ended; started anew"}
            finally:
                if process.returncode is None:
                    process.terminate()
                    await process.wait()
            await asyncio.sleep(AGAIN)
