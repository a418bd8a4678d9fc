"""How fast a provider may be asked, and how a stretch of time is said. Knows nothing of what is asked."""

import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Clock:
    """Where time and chance come from, so that a test need not wait."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random


@dataclass
class Rate:
    """At most so many questions in any stretch of so many seconds; all of them may come at once."""

    questions: int
    seconds: float
    _asked: deque[float] = field(default_factory=deque)

    def wait(self, now: float) -> float:
        """Return the seconds until the next question is allowed."""
        return max(0.0, self._asked[0] + self.seconds - now) if len(self._asked) >= self.questions else 0.0

    def note(self, now: float) -> None:
        """Count a question that is asked now."""
        self._asked.append(now)
        if len(self._asked) > self.questions:
            self._asked.popleft()

    def __str__(self) -> str:
        return f"{self.questions} request{'s' if self.questions != 1 else ''} in {duration(self.seconds)}"


def duration(seconds: float) -> str:
    """Return a stretch of time as a person says it."""
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = round(seconds / size)
            return f"{count} {unit}{'s' if count != 1 else ''}"
    return f"{seconds:.0f} seconds"
