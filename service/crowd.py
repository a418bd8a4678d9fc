"""How many connections there may be, of one address and in all. Knows nothing of what they say.

A client owes something while its request is not whole or it does not take its answer. When there are too many connections,
one that owes makes room for the next: whoever holds many without asking loses them, and whoever asks is answered.
"""

import resource
from collections import Counter
from typing import Protocol

from service.settings import Settings

RESERVE = 128  # open files that are no connections: the model's, the pipes of processes, logs
_FILES = 2  # open files that one connection takes: itself, and a file of the page


class Member(Protocol):
    """A connection."""

    origin: str

    @property
    def owes(self) -> bool:
        """Whether the service waits for the client, not the client for the service."""

    def cut(self, reason: str) -> None:
        """End at once."""


class Crowd:
    """The connections that are open, the one whose last request is the longest ago first."""

    def __init__(self, settings: Settings) -> None:
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        fit = settings.max_connections if files == resource.RLIM_INFINITY else (files - RESERVE) // _FILES
        self._most = max(1, min(settings.max_connections, fit))
        self._of_one = settings.max_connections_per_address or self._most
        self._members: dict[Member, None] = {}
        self._counts = Counter[str]()
        self.head_timeout = settings.head_timeout
        self.request_timeout = 2 * settings.timeout + settings.head_timeout

    def enter(self, new: Member) -> bool:
        """Return whether there is room for a connection; one that owes something is closed for it."""
        crowded = self._counts[new.origin] >= self._of_one
        if crowded or len(self._members) >= self._most:
            owing = (one for one in self._members if one.owes and (not crowded or one.origin == new.origin))
            leaving = max(owing, key=lambda one: self._counts[one.origin], default=None)
            if leaving is None:
                return False
            leaving.cut("crowded")
            self.leave(leaving)
        self._members[new] = None
        self._counts[new.origin] += 1
        return True

    def asked(self, member: Member) -> None:
        """Note that a member has sent a whole head."""
        if member in self._members:
            del self._members[member]
            self._members[member] = None

    def leave(self, member: Member) -> None:
        """Note that a connection ends, if it is a member."""
        if member in self._members:
            del self._members[member]
            self._counts[member.origin] -= 1
            if not self._counts[member.origin]:
                del self._counts[member.origin]
