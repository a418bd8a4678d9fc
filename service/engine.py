"""The live model: what waits is answered in batches by a few threads, and another version takes over without a loss.

A thread that is free takes its share of all that waits, so that batches grow with the load and nobody waits for one to fill.
Knows nothing of HTTP, registries, or where the files of a version come from.
"""

import asyncio
import math
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from irisline.data.images import Pixels
from irisline.errors import Overloaded, UnreadableImage
from irisline.model import saliency
from irisline.model.classifier import Prediction
from service.live import Live

MAX_EXPLANATIONS = 4  # that may wait: each costs as much as some sixty answers


@dataclass(frozen=True)
class Answer:
    """A prediction and the version that gave it; or why the picture cannot be decoded."""

    live: Live
    prediction: Prediction | UnreadableImage
    saliency: list[list[float]] | None = None


@dataclass(frozen=True)
class _Waiting:
    """A picture, and whom to tell."""

    picture: bytes
    future: asyncio.Future[Answer]
    loop: asyncio.AbstractEventLoop


class Engine:
    """Threads that answer with the version that is live."""

    def __init__(
        self, live: Live, threads: int, max_batch: int, max_queue: int, on_batch: Callable[[int], None] = lambda _: None
    ) -> None:
        self.live = live
        self._threads, self._max_batch, self._max_queue, self._on_batch = threads, max_batch, max_queue, on_batch
        self._waiting: deque[_Waiting] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._explaining = ThreadPoolExecutor(1, thread_name_prefix="explain")
        self._explanations = 0
        self._workers = [threading.Thread(target=self._work, name=f"answer-{n}", daemon=True) for n in range(threads)]
        for worker in self._workers:
            worker.start()

    @property
    def waiting(self) -> int:
        """How many pictures nobody has taken yet."""
        return len(self._waiting)

    def swap(self, live: Live) -> None:
        """Let another version answer from the next batch on; the old one goes when its last batch is done."""
        self.live = live

    async def answer(self, pictures: Sequence[bytes]) -> list[Answer]:
        """Give one answer per picture; raise Overloaded, for all of them, when they would be too many to wait."""
        loop = asyncio.get_running_loop()
        jobs = [_Waiting(picture, loop.create_future(), loop) for picture in pictures]
        with self._changed:
            if self._waiting and len(self._waiting) + len(jobs) > self._max_queue:
                raise Overloaded(f"{len(self._waiting)} pictures wait already, the limit is {self._max_queue}")
            self._waiting.extend(jobs)
            self._changed.notify(len(jobs))
        return await asyncio.gather(*(job.future for job in jobs))

    async def explain(self, picture: bytes) -> Answer:
        """Give an answer with what the model looked at; raise Overloaded when too many explanations wait."""
        if self._explanations >= MAX_EXPLANATIONS:
            raise Overloaded(f"{self._explanations} explanations wait already, the limit is {MAX_EXPLANATIONS}")
        self._explanations += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._explaining, _explain, self.live, picture)
        finally:
            self._explanations -= 1

    def close(self) -> None:
        """End the threads once all that waits is answered."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        for worker in self._workers:
            worker.join()
        self._explaining.shutdown()

    def _work(self) -> None:
        while self._serve(self._take()):
            pass

    def _serve(self, jobs: list[_Waiting]) -> int:
        """Answer jobs, all by one version; give how many. Nothing of them or of the version is held on to."""
        if jobs:
            _deliver(jobs, _answers(self.live, jobs))
            self._on_batch(len(jobs))
        return len(jobs)

    def _take(self) -> list[_Waiting]:
        """Give this thread's share of what waits, at least one job; none when the engine closes."""
        with self._changed:
            while True:
                share = min(self._max_batch, math.ceil(len(self._waiting) / self._threads))
                taken = [self._waiting.popleft() for _ in range(share)]
                jobs = [job for job in taken if not job.future.done()]  # whoever has gone needs no answer
                if jobs or (self._closing and not self._waiting):
                    return jobs
                if not self._waiting:
                    self._changed.wait()


def _answers(live: Live, jobs: list[_Waiting]) -> list[Answer | Exception]:
    try:
        return list(_predict(live, [job.picture for job in jobs]))
    except Exception as error:  # a bug must not end the thread: whoever asked is told
        return [error for _ in jobs]


def _predict(live: Live, pictures: list[bytes]) -> list[Answer]:
    prepared = [_prepare(live, picture) for picture in pictures]
    readable = [pixels for pixels in prepared if not isinstance(pixels, UnreadableImage)]
    logits = iter(live.classifier.logits(np.stack(readable)) if readable else ())
    return [
        Answer(live, pixels if isinstance(pixels, UnreadableImage) else live.classifier.answer(next(logits)))
        for pixels in prepared
    ]


def _prepare(live: Live, picture: bytes) -> Pixels | UnreadableImage:
    try:
        return live.classifier.prepare(picture)
    except UnreadableImage as error:
        return error


def _explain(live: Live, picture: bytes) -> Answer:
    (answer,) = _predict(live, [picture])
    if isinstance(answer.prediction, UnreadableImage):
        return answer
    fall = saliency.occlusion(live.classifier, live.classifier.prepare(picture))
    return Answer(live, answer.prediction, fall.round(4).tolist())


def _deliver(jobs: list[_Waiting], answers: list[Answer] | list[Answer | Exception]) -> None:
    """Tell each loop once of all its answers; a loop that has ended has nobody left to tell."""
    told: dict[asyncio.AbstractEventLoop, list[Any]] = {}
    for job, answer in zip(jobs, answers, strict=True):
        told.setdefault(job.loop, []).append((job.future, answer))
    for loop, pairs in told.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_resolve, pairs)


def _resolve(pairs: list[tuple[asyncio.Future[Answer], Answer | Exception]]) -> None:
    for future, answer in pairs:
        if future.done():  # whoever asked has gone
            continue
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
