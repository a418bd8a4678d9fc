"""The live model: what waits is answered in batches by a few threads, and another version takes over without a loss.

A thread that is free takes a picture, has it looked at and takes the next, up to its share of all that are under way: batches
grow with the load, nobody waits for one to fill, and who was just answered is often back before the batch is decoded. Clients
take turns, and their requests, a picture each: who sends one does not wait for the many of others. What is too much work for a
quick lane is handed on to the threads of the slow ones.
Knows nothing of HTTP, registries, or where the files of a version come from.
"""

import asyncio
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from irisline.core.errors import Overloaded, TooCostly
from irisline.dataset.crops import View
from irisline.dataset.untrusted_images import NeedsMore
from service.answering import Answer, explain, predict, without_frames
from service.fair_queue import FairQueue
from service.jobs import Job, deliver
from service.lanes import Account, Lane, Lanes
from service.live import Live
from service.settings import Settings

MAX_EXPLANATIONS = 8  # at a time, half of them of one origin: each costs as much as some sixty answers
LONGEST_BATCH = 0.05  # seconds: who was looked at first waits no longer for others to join
MAX_SLOW = 5.0  # seconds of work, as foretold, that may wait for one slow lane


class Engine:
    """Threads that answer with the version that is live."""

    def __init__(
        self, live: Live, lanes: Lanes, settings: Settings, on_batch: Callable[[int], None] = lambda _: None
    ) -> None:
        self.live = live
        self._lanes, self._settings, self._on_batch = lanes, settings, on_batch
        self._waiting: FairQueue[Job] = FairQueue()
        # Handed on by the quick lanes, with what it may take.
        self._slow: FairQueue[tuple[Job, NeedsMore]] = FairQueue(lambda handed: handed[1].likely)
        self._taken, self._slow_taken = 0, list[Job]()  # and not answered yet
        self._moved = time.monotonic()  # when something was answered, or came while there was nothing to do
        self._changed = threading.Condition()
        self._closing = False
        self._explaining = ThreadPoolExecutor(1, thread_name_prefix="explain")
        self._explanations = Counter[str]()  # that wait or are made, by origin
        work = [(self._serve, lane) for lane in lanes.quick] + [(self._serve_slow, lane) for lane in lanes.slow]
        self._workers = [threading.Thread(target=_repeat, args=each, name="answer", daemon=True) for each in work]
        for worker in self._workers:
            worker.start()

    @property
    def waiting(self) -> int:
        """How many pictures nobody has taken yet."""
        with self._changed:
            return len(self._waiting) + len(self._slow)

    @property
    def stalled_for(self) -> float:
        """Return the seconds since anything was answered, while pictures wait or are at work; 0 when there are none."""
        busy = self._waiting or self._slow or self._taken or self._slow_taken
        return time.monotonic() - self._moved if busy else 0.0

    def swap(self, live: Live) -> None:
        """Let another version answer from the next batch on; the old one goes when its last batch is done."""
        self.live = live

    async def answer(self, pictures: Sequence[bytes], origin: str = "") -> list[Answer]:
        """Return one answer per picture of a client; raise Overloaded, for all of them, when they would be too many to wait.

        Whoever has more waiting than that is sent away instead, the newest request first.
        """
        loop, account = asyncio.get_running_loop(), Account(self._settings.max_seconds)
        jobs = [Job(picture, origin, account, loop.create_future(), loop) for picture in pictures]
        most = self._most(many=len(jobs) > 1)
        with self._changed:
            self._drop_gone()
            too_many = _too_many(len(self._waiting), most)
            crowded_out = self._waiting.give_way(origin, len(jobs), most)
            if crowded_out is None:
                raise Overloaded(too_many)
            _send_away(crowded_out, too_many)
            self._moved = self._moved if self.stalled_for else time.monotonic()
            self._waiting.add(origin, id(account), jobs)
            self._changed.notify_all()
        try:
            return await asyncio.gather(*(job.future for job in jobs))
        finally:
            _withdraw(jobs)

    def check_room(self, many: bool, origin: str = "") -> None:
        """Raise Overloaded when a request would be refused for those that wait already: its body need not be read."""
        most = self._most(many)
        with self._changed:
            self._drop_gone()
            if not self._waiting.has_room(origin, 2 if many else 1, most):
                raise Overloaded(_too_many(len(self._waiting), most))

    def _most(self, many: bool) -> int:
        return self._settings.max_queue // 2 if many else self._settings.max_queue  # room for who sends one

    async def explain(self, picture: bytes, origin: str = "") -> Answer:
        """Return an answer with what the model looked at; raise Overloaded when too many are asked for at a time."""
        own, every = self._explanations[origin], self._explanations.total()
        for waiting, limit in ((own, MAX_EXPLANATIONS // 2), (every, MAX_EXPLANATIONS)):
            if waiting >= limit:
                raise Overloaded(f"{waiting} explanations are asked for already, the limit is {limit}")
        self._explanations[origin] += 1
        try:
            (answer,) = await self.answer([picture], origin)
            return await asyncio.get_running_loop().run_in_executor(self._explaining, explain, answer)
        finally:
            self._explanations -= Counter([origin])  # an origin without any is forgotten

    def close(self) -> None:
        """End the threads once all that waits is answered."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        for worker in self._workers:
            worker.join()
        self._explaining.shutdown()
        self._lanes.close()

    def _serve(self, lane: Lane) -> bool:
        """Answer a batch, all of it by one version; return False when the engine closes. Nothing is held on to."""
        job = self._next(0)
        if job is None:
            with self._changed:
                self._changed.notify_all()  # the slow ones wait until nothing is waiting any more
            return False
        live, jobs, prepared, taken, until = self.live, [], [], 0, time.monotonic() + LONGEST_BATCH
        while job:
            taken += 1
            seen: list[View] | Exception | None = _prepare(live, job, lane.crop)
            if isinstance(seen, NeedsMore):
                seen = self._hand_on(job, seen)
            if seen is not None:
                jobs.append(job)
                prepared.append(seen)
            job = self._next(taken) if time.monotonic() < until else None
        self._finish(live, jobs, prepared)
        with self._changed:
            self._taken -= taken
            if self._closing:
                self._changed.notify_all()
        return True

    def _serve_slow(self, lane: Lane) -> bool:
        """Answer a picture that was handed on; return False when the engine closes."""
        with self._changed:
            self._changed.wait_for(lambda: self._slow or (self._closing and not self._taken and not self._waiting))
            if not self._slow:
                return False
            job, foretold = self._slow.next()
            self._slow_taken.append(job)
        if not job.future.done():
            look = partial(lane.crop_longer, reserved=foretold.seconds)
            self._finish(self.live, [job], [_prepare(self.live, job, look)])
        self._slow_taken.remove(job)
        return True

    def _hand_on(self, job: Job, foretold: NeedsMore) -> Exception | None:
        """Let a slow lane have a picture; return why not, if it cannot be."""
        with self._changed:
            self._drop_gone()
            try:
                job.account.reserve(foretold.seconds)
            except TooCostly as error:
                return without_frames(error)
            too_many = f"{len(self._slow)} large pictures wait already; send smaller ones"
            crowded_out = self._slow.give_way(job.origin, foretold.likely, MAX_SLOW * len(self._lanes.slow))
            if crowded_out is None:
                return Overloaded(too_many)
            _send_away([each for each, _ in crowded_out], too_many)
            self._slow.add(job.origin, id(job.account), [(job, foretold)])
            self._changed.notify_all()
        return None

    def _finish(self, live: Live, jobs: list[Job], prepared: Sequence[list[View] | Exception]) -> None:
        """Run the network on what was seen, and tell whoever asked."""
        started = time.thread_time()
        try:
            answers: list[Answer | Exception] = list(predict(live, prepared))
        except Exception as error:  # a bug must not end the thread: whoever asked is told
            answers = [error for _ in jobs]
        counts = [len(views) if isinstance(views, list) else 0 for views in prepared]
        for job, count in zip(jobs, counts, strict=True):  # the network is run for it too
            job.account.spend((time.thread_time() - started) * count / max(1, sum(counts)))
        deliver(jobs, answers)
        if jobs:
            self._moved = time.monotonic()
            self._on_batch(len(jobs))

    def _next(self, batch: int) -> Job | None:
        """Return the next job of a batch that has so many, none when it has its share; wait for the first till the end."""
        with self._changed:
            while True:
                while not self._waiting and not batch and not self._closing:
                    self._changed.wait()
                under_way = self._taken + len(self._waiting)
                share = min(self._settings.max_batch, math.ceil(under_way / len(self._lanes.quick)))
                if not self._waiting or (batch and batch >= share):
                    return None
                job = self._waiting.next()
                if not job.future.done():  # else its sender has gone
                    self._taken += 1
                    return job

    def _drop_gone(self) -> None:
        """Drop the jobs whose sender has gone."""
        self._waiting.drop(lambda job: job.future.done())
        self._slow.drop(lambda handed: handed[0].future.done())


def _withdraw(jobs: list[Job]) -> None:
    """Let nothing more be looked at of a request, and hold none of it: an error holds the frames it came through."""
    for job in jobs:
        job.future.cancel()
    jobs.clear()


def _send_away(jobs: Sequence[Job], why: str) -> None:
    deliver(jobs, [Overloaded(why) for _ in jobs])


def _too_many(waiting: int, most: int) -> str:
    return f"{waiting} pictures wait already, the limit is {most}"


def _repeat(serve: Callable[[Lane], bool], lane: Lane) -> None:
    while serve(lane):
        pass


def _prepare(live: Live, job: Job, look: Callable[..., list[View]]) -> list[View] | Exception:
    """Return what a network sees of a picture, or why it cannot be told."""
    try:
        return look(live.classifier, job.picture, job.account)
    except Exception as error:  # whoever asked is told of a bug, and nobody else
        return without_frames(error)
