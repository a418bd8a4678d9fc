"""The live model: what waits is answered in batches by a few threads, and another version takes over without a loss.

A thread that is free takes a picture, decodes it and takes the next, up to its share of all that are under way: batches grow
with the load, nobody waits for one to fill, and who was just answered is often back before the batch is decoded.
Knows nothing of HTTP, registries, or where the files of a version come from.
"""

import asyncio
import math
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from irisline.data.views import View
from irisline.errors import Overloaded, UnreadableImage
from irisline.model import saliency
from irisline.model.answers import Prediction
from irisline.model.neighbours import Neighbour
from service.live import Live

MAX_EXPLANATIONS = 4  # that may wait: each costs as much as some sixty answers


@dataclass(frozen=True)
class Answer:
    """A prediction and the version that gave it, with what it rests on where that was asked; or why it cannot be decoded."""

    live: Live
    prediction: Prediction | UnreadableImage
    saliency: list[list[float]] | None = None
    nearest: Sequence[Neighbour] = ()


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
        self._taken = 0  # and not answered yet
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
        while self._serve():
            pass

    def _serve(self) -> int:
        """Answer a batch, all of it by one version; give how many, none when the engine closes. Nothing is held on to."""
        first = self._next(0)
        if first is None:
            return 0
        jobs = [first]
        answers = self._answers(self.live, jobs)
        with self._changed:
            self._taken -= len(jobs)
        _deliver(jobs, answers)
        self._on_batch(len(jobs))
        return len(jobs)

    def _answers(self, live: Live, jobs: list[_Waiting]) -> list[Answer | Exception]:
        """Give an answer to each job; more jobs are added to them while those that are there are decoded."""
        try:
            prepared = [_prepare(live, jobs[0].picture)]
            while job := self._next(len(jobs)):
                jobs.append(job)
                prepared.append(_prepare(live, job.picture))
            return list(_predict(live, prepared))
        except Exception as error:  # a bug must not end the thread: whoever asked is told
            return [error for _ in jobs]

    def _next(self, batch: int) -> _Waiting | None:
        """Give the next job of a batch that has so many, none when it has its share; wait for the first till the end."""
        with self._changed:
            while not self._somebody_waits() and not batch and not self._closing:
                self._changed.wait()
            share = min(self._max_batch, math.ceil((self._taken + len(self._waiting)) / self._threads))
            if not self._waiting or (batch and batch >= share):
                return None
            self._taken += 1
            return self._waiting.popleft()

    def _somebody_waits(self) -> bool:
        """Say whether a job waits; those whose sender has gone are dropped."""
        while self._waiting and self._waiting[0].future.done():
            self._waiting.popleft()
        return bool(self._waiting)


def _predict(live: Live, prepared: list[list[View] | UnreadableImage]) -> list[Answer]:
    outputs = iter(live.classifier.outputs_of([views for views in prepared if not isinstance(views, UnreadableImage)]))
    read = live.classifier.reader.picture
    return [
        Answer(live, views if isinstance(views, UnreadableImage) else read(views, next(outputs))) for views in prepared
    ]


def _prepare(live: Live, picture: bytes) -> list[View] | UnreadableImage:
    try:
        return live.classifier.look(picture)
    except UnreadableImage as error:
        return error


def _explain(live: Live, picture: bytes) -> Answer:
    views = _prepare(live, picture)
    if isinstance(views, UnreadableImage):
        return Answer(live, views)
    (outputs,) = live.classifier.outputs_of([views])
    answer = Answer(live, live.classifier.reader.picture(views, outputs))
    if not views:  # without an eye nothing was looked at
        return answer
    fall = saliency.occlusion(live.classifier, views[0].pixels)
    return replace(answer, saliency=fall.round(4).tolist(), nearest=live.classifier.reader.nearest(views, outputs))


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
