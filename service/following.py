"""The service follows an alias of the registry: what the alias names is proven beside what is live, then takes over.

The registry is watched by a process of its own (irisline.release.serving.watch), so that nothing of it is loaded here. Whatever
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

from irisline.core.errors import IrislineError, Overloaded
from irisline.inference import proof
from irisline.inference.identity import NAME, Identity
from irisline.inference.runtime import has_cuda
from service import prometheus_metrics
from service.engine import Engine
from service.live import Live
from service.settings import Settings

PATIENCE = 20.0  # seconds that a start waits for the registry, before the version it was given answers
AGAIN = 5.0  # seconds before a watcher that has died is started anew, twice as many after each that brought nothing
LONGEST = 60.0  # seconds
LINE = 2**20  # bytes
START = 60.0  # seconds that a watcher may take to begin
SILENCE = 10.0  # seconds: it says each second that it lives
ENDS = 5.0  # seconds to wait for one that was killed: the kernel keeps who waits for a disk

log = logging.getLogger("bentoml.irisline")


class Follower:
    """Follows one alias for one engine. One task reads the watcher's news and never ends before it is told to."""

    def __init__(self, settings: Settings) -> None:
        if not os.environ.get("MLFLOW_TRACKING_URI"):
            raise IrislineError(
                "IRISLINE_FOLLOW: needs MLFLOW_TRACKING_URI, the registry to follow; irisline serve sets it"
            )
        self.settings = settings
        self.name = Identity.read(settings.model / NAME).name
        self.state = "starting"
        self.refused: dict[str, Any] | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="irisline-")
        self._engine: Engine | None = None
        self._latest: Live | None = None  # that the alias named and that was let in
        self._heard = asyncio.Event()  # some news, good or bad
        self._wait = AGAIN / 2
        self._task = asyncio.create_task(self._follow())

    def document(self) -> dict[str, Any]:
        """Return how following goes."""
        return {"alias": self.settings.follow, "state": self.state, "refused": self.refused}

    async def first(self) -> Live:
        """Return the version that the alias names now; the one that was given when that cannot be had in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self._heard.wait()
        if self._latest:
            return self._latest
        log.warning("IRISLINE_FOLLOW: %s; the version in %s answers meanwhile", self.state, self.settings.model)
        return await asyncio.to_thread(Live.load, self.settings.model, self.settings)

    def start(self, engine: Engine) -> None:
        """Bring the engine every version that the alias names from now on."""
        self._engine = engine
        self._bring()

    async def stop(self) -> None:
        """End the watcher."""
        self._task.cancel()
        proof.end()
        await asyncio.gather(self._task, return_exceptions=True)
        self._folder.cleanup()

    async def _follow(self) -> None:
        while True:
            before = self._latest
            try:
                async with contextlib.aclosing(self._news()) as news:
                    async for told in news:
                        await self._hear(told)
                self._tell(None, f"the watcher of {self.settings.follow} has ended; started anew")
            except IrislineError as error:  # what is live answers on, and the next news may be better
                if self.state != str(error):  # else it is told already, as a version's refusal
                    log.error("following %s: %s", self.settings.follow, error)
                self._tell(None, str(error))
            except Exception as error:
                log.exception("following %s", self.settings.follow)
                self._tell(None, f"a fault of the service: {error}")
            self._heard.set()
            self._wait = AGAIN if self._latest is not before else min(LONGEST, 2 * self._wait)
            await asyncio.sleep(self._wait)

    async def _hear(self, news: dict[str, Any]) -> None:
        """Bring in the version of the news, proven and warm, or note why not.

        Raise what says nothing of the version, a bug or a device out of memory say: a new watcher tells of it again.
        """
        if "folder" not in news:
            self._tell(news.get("version"), news.get("failed"))
        else:
            try:
                self._latest = await asyncio.to_thread(Live.load, Path(news["folder"]), self.settings)
            except Exception as error:
                self._tell(news["version"], str(error) or type(error).__name__)
                if isinstance(error, Overloaded) or not isinstance(error, IrislineError):
                    raise
            else:
                self._tell(None, None)
                self.refused = None
                self._bring()
        self._heard.set()

    def _bring(self) -> None:
        """Let the latest version take over, if another answers now."""
        if self._engine is None or self._latest is None or self._latest.identity == self._engine.live.identity:
            return
        before = self._engine.live
        self._engine.swap(self._latest)
        prometheus_metrics.SWAPS.labels("done").inc()
        prometheus_metrics.show_live(before, self._latest)
        log.info(
            "version %d answers now, instead of version %d", self._latest.identity.version, before.identity.version
        )

    def _tell(self, version: int | None, failure: str | None) -> None:
        """Tell how following goes; a failure of a version is its refusal, one without is the registry's."""
        self.state = failure or "following"
        prometheus_metrics.FOLLOWING.labels(self.settings.follow).set(version is not None or failure is None)
        if version is None or failure is None:
            return
        self.refused = {"version": version, "reason": failure, "at": datetime.now(UTC).isoformat(timespec="seconds")}
        prometheus_metrics.SWAPS.labels("refused").inc()
        log.error("version %d is refused: %s", version, failure)

    async def _news(self) -> AsyncGenerator[dict[str, Any], None]:
        """Yield the news of one watcher, until it ends; it ends with whoever asks. Raise IrislineError when it is stopped."""
        device = "gpu" if self.settings.device != "cpu" and has_cuda() else "cpu"
        seconds, own = str(self.settings.follow_seconds), str(os.getpid())
        words = (self.name, self.settings.follow, self._folder.name, seconds, device, own)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "irisline.release.serving.watch", *words,
            stdout=asyncio.subprocess.PIPE, stdin=asyncio.subprocess.DEVNULL, limit=LINE,
            cwd=self._folder.name,
            env=os.environ
            | {
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                "IRISLINE_TRUSTED_KEYS": str(self.settings.trusted_keys.absolute()),
            },
        )  # fmt: skip
        assert process.stdout
        try:
            patience = START
            while line := await asyncio.wait_for(process.stdout.readline(), patience):
                patience = SILENCE
                if line.strip():
                    yield json.loads(line)
        except TimeoutError as error:
            raise IrislineError(
                f"the watcher of {self.settings.follow} has said nothing for {patience:g} seconds; ended, and started anew"
            ) from error
        finally:
            if process.returncode is None:
                process.kill()  # a stopped one would heed nothing else
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), ENDS)
