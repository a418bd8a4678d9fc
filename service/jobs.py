"""A picture that waits for its answer; deliver() hands answers from the threads that give them to the event loop that waits."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from service.answering import Answer
from service.lanes import Account


@dataclass(frozen=True)
class Job:
    """A picture, who pays for looking at it, and whom to tell."""

    picture: bytes
    origin: str
    account: Account
    future: asyncio.Future[Answer]
    loop: asyncio.AbstractEventLoop


def deliver(jobs: Sequence[Job], answers: Sequence[Answer | Exception]) -> None:
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
