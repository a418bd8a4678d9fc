"""The processes that look at pictures: quick lanes for what is little work, slow ones, which give way to those, for the rest.

A picture that would take more than a quick lane allows, or had to be ended there, goes on in a slow one, if that may do it and
its request has paid for it. So whoever sends what is costly waits for others who do, and the kernel gives the processor to the
quick lanes first. Knows nothing of requests.
"""

import threading
from dataclasses import dataclass
from typing import Self

from irisline.core.errors import TooCostly
from irisline.dataset.crops import View
from irisline.dataset.decoding import Cost
from irisline.dataset.untrusted_crops import Cropper, Limits
from service.settings import Settings

QUICK = Cost(seconds=0.05, bytes=64 * 2**20)  # as foretold
LONGEST_QUICK = 0.2  # seconds of processor after which it is ended; finding regions is in it
GIVES_WAY = 5  # nice: a third of a quick lane's share


class Account:
    """The seconds of processor that the pictures of one request may take together."""

    def __init__(self, most: float) -> None:
        self._most, self._left, self._lock = most, most, threading.Lock()

    def left(self) -> float:
        """Return the seconds that are left; raise TooCostly when there are none."""
        if self._left <= 0:
            raise self._spent()
        return self._left

    def spend(self, seconds: float) -> None:
        """Take seconds from it, or give them back."""
        with self._lock:
            self._left -= seconds

    def reserve(self, seconds: float) -> None:
        """Take seconds from it before they are spent; raise TooCostly when there are not so many."""
        with self._lock:
            if self._left <= seconds:
                raise self._spent()
            self._left -= seconds

    def reserve_rest(self) -> float:
        """Take all that is left, and return how much that is: whoever reserved before may have it too."""
        with self._lock:
            rest, self._left = max(0.0, self._left), min(0.0, self._left)
        return rest

    def _spent(self) -> TooCostly:
        return TooCostly(f"the pictures of this request take more than {self._most:g} seconds; send fewer of them")


class Lane:
    """A process, and what it may spend on a picture."""

    def __init__(self, process: Cropper, longest: float) -> None:
        self.process, self._longest = process, longest

    def crop(self, classifier: Limits, picture: bytes, account: Account) -> list[View]:
        """Return the views of a picture; raise UnreadableImage, NeedsMore when it is for a slow lane."""
        return self.process.crop(picture, classifier, min(self._longest, account.left()), account.spend)

    def crop_longer(self, classifier: Limits, picture: bytes, account: Account, reserved: float) -> list[View]:
        """Return the views of a picture whose request has reserved seconds for it, and gives it all that it has left."""
        held = reserved + account.reserve_rest()
        taken: list[float] = []
        try:
            return self.process.crop(picture, classifier, min(self._longest, held), taken.append)
        finally:
            account.spend(sum(taken) - held)


@dataclass(frozen=True)
class Lanes:
    """All of them: one for each thread of the engine."""

    quick: list[Lane]
    slow: list[Lane]

    @classmethod
    def of(cls, threads: int, settings: Settings) -> Self:
        """Return as many quick lanes as threads answer, and half as many slow ones."""
        most = Cost(settings.max_seconds, settings.max_decode_bytes)
        quick = [Lane(Cropper(QUICK, ceiling=most), LONGEST_QUICK) for _ in range(threads)]
        return cls(quick, [Lane(Cropper(most, GIVES_WAY), most.seconds) for _ in range(max(1, threads // 2))])

    def start(self) -> None:
        """Have all processes ready."""
        for lane in (*self.quick, *self.slow):
            lane.process.start()

    def close(self) -> None:
        """End all processes."""
        for lane in (*self.quick, *self.slow):
            lane.process.close()
