"""Whose turn it is: jobs wait by host, few of one host run at a time, and a host that asks for quiet has it.

Knows nothing of HTTP. Hosts take turns, so a long list of one host's does not keep the others waiting. A host is quiet exactly
while the timer runs that ends its quiet, so that none can stay quiet for ever.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field

from irisline.collection.downloads.addresses import Target

PATIENCE = 300.0  # seconds of quiet that one host may ask for in a run, all in all
SILENCE = 20  # jobs running that got no answer from a host, after which it is left alone


@dataclass(eq=False, slots=True)
class Job:
    """One picture on its way."""

    url: str
    target: Target  # where its next request goes
    left: float  # seconds of its timeout
    redirects: int = 0
    retries: int = 0


@dataclass(eq=False, slots=True)
class Host:
    """What one host has to do, and how it fares."""

    waiting: deque[Job] = field(default_factory=deque)
    offered: int = 0  # turns that nobody has taken yet
    running: int = 0
    wakes: asyncio.TimerHandle | None = None  # ends its quiet
    quiet: float = 0.0  # seconds it has asked for
    silent: int = 0  # jobs without an end of their own since the last that had one

    @property
    def loud(self) -> bool:
        """Whether the host asks for more quiet than it may."""
        return self.quiet > PATIENCE

    @property
    def given_up(self) -> str:
        """Return why the host is asked no more; nothing when it is."""
        if self.loud:
            return f"asks for more quiet than the {PATIENCE:g} s that one host may have"
        return f"did not answer {SILENCE} times running" if self.silent >= SILENCE else ""

    def heard(self, whole: bool) -> None:
        """Note whether the host gave a whole answer, of whatever kind, or none in time."""
        if not self.given_up:
            self.silent = 0 if whole else self.silent + 1


class HostQueue:
    """The jobs of a run that wait."""

    def __init__(self, per_host: int) -> None:
        self._per_host = per_host
        self._hosts: dict[str, Host] = {}
        self._ready: asyncio.Queue[Host | None] = asyncio.Queue()  # a host for each turn it offers
        self._open, self._whole = 0, False  # jobs that have not ended; whether no more will come

    def add(self, job: Job) -> None:
        """Take a new job."""
        self._open += 1
        self.again(job)

    def whole(self) -> None:
        """Note that no new job will come."""
        self._whole = True
        self._end()

    def again(self, job: Job) -> None:
        """Let a job wait for the next turn of the host it is at now, before those that have not begun."""
        host = self._hosts.setdefault(job.target.host, Host())
        begun = job.redirects or job.retries
        host.waiting.appendleft(job) if begun else host.waiting.append(job)
        self._offer(host)

    def later(self, job: Job, seconds: float) -> None:
        """Let a job wait for a turn after some time."""
        asyncio.get_running_loop().call_later(seconds, self.again, job)

    def quiet(self, host: Host, seconds: float) -> None:
        """Return a host's next turn after some time only."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        until, known = now + seconds, host.wakes.when() if host.wakes else now
        if until <= known:
            return
        host.quiet += until - max(now, known)
        if host.wakes:
            host.wakes.cancel()
        host.wakes = None if host.given_up else loop.call_at(until, self._wake, host)
        self._offer(host)

    async def next(self) -> tuple[Host, Job] | None:
        """Wait for a turn; nothing when all jobs have ended."""
        while host := await self._ready.get():
            host.offered -= 1
            if not host.wakes:
                host.running += 1
                return host, host.waiting.popleft()
        self._ready.put_nowait(None)  # for whoever else waits
        return None

    def more(self, host: Host) -> bool:
        """Whether a host may have more to give, as far as is known."""
        return bool(host.waiting) or not self._whole

    def leave(self, host: Host) -> None:
        """End a turn."""
        host.running -= 1
        self._offer(host)

    def ended(self) -> None:
        """Note that a job has ended."""
        self._open -= 1
        self._end()

    def _end(self) -> None:
        if self._whole and not self._open:
            self._ready.put_nowait(None)

    def _wake(self, host: Host) -> None:
        host.wakes = None
        self._offer(host)

    def _offer(self, host: Host) -> None:
        while not host.wakes and host.offered + host.running < self._per_host and host.offered < len(host.waiting):
            host.offered += 1
            self._ready.put_nowait(host)
