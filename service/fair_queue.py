"""Whose turn it is: origins take turns, and of one origin its requests, an item each. Knows nothing of what is asked."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class _Request(Generic[T]):
    """The items of a request that wait, and its number: the highest is the newest."""

    number: int
    items: deque[T]


class FairQueue(Generic[T]):
    """Items that wait, each of some weight. Not safe among threads: whoever uses it holds a lock."""

    def __init__(self, weigh: Callable[[T], float] = lambda _: 1) -> None:
        self._weigh = weigh
        self._origins: OrderedDict[str, OrderedDict[int, _Request[T]]] = OrderedDict()
        self._count = self._newest = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[T]:
        """Yield all items, of one origin after those of another."""
        return (item for requests in self._origins.values() for each in requests.values() for item in each.items)

    def add(self, origin: str, request: int, items: Iterable[T]) -> None:
        """Let items of a request wait, behind those of the same request."""
        self._newest += 1
        own = self._origins.setdefault(origin, OrderedDict())
        waiting = own.setdefault(request, _Request(self._newest, deque())).items
        before = len(waiting)
        waiting.extend(items)
        self._count += len(waiting) - before

    def next(self) -> T:
        """Return the item whose turn it is; raise KeyError when none waits."""
        origin, requests = self._origins.popitem(last=False)
        key, request = requests.popitem(last=False)
        item = request.items.popleft()
        self._count -= 1
        if request.items:
            requests[key] = request
        if requests:
            self._origins[origin] = requests
        return item

    def has_room(self, origin: str, weight: float, most: float) -> bool:
        """Return whether give_way would make room."""
        return self._who_gives_way(origin, weight, most) is not None

    def give_way(self, origin: str, weight: float, most: float) -> list[T] | None:
        """Remove and return what gives way to more items of an origin, so that no more than most wait, by weight.

        Those are the newest requests of whoever has most waiting. None, and nothing is removed, where that is not enough, or
        the newcomer would be the one that has most.
        """
        chosen = self._who_gives_way(origin, weight, most)
        if not chosen:
            return chosen if chosen is None else []
        gone = {id(item) for request in chosen for item in request.items}
        items = [item for request in chosen for item in request.items]
        self.drop(lambda item: id(item) in gone)
        return items

    def drop(self, unwanted: Callable[[T], bool]) -> None:
        """Let items go that nobody waits for any more; the order of the rest stays."""
        for origin, requests in list(self._origins.items()):
            for key, request in list(requests.items()):
                kept = deque(item for item in request.items if not unwanted(item))
                requests[key] = _Request(request.number, kept)
                if not kept:
                    del requests[key]
            if not requests:
                del self._origins[origin]
        self._count = sum(1 for _ in self)

    def _who_gives_way(self, origin: str, weight: float, most: float) -> list[_Request[T]] | None:
        shares = {name: sum(map(self._weight, requests.values())) for name, requests in self._origins.items()}
        over = sum(shares.values()) + weight - most if self else 0  # alone, whatever comes has room
        if over <= 0:
            return []
        own = shares.pop(origin, 0) + weight
        left = {name: sorted(self._origins[name].values(), key=lambda each: each.number) for name in shares}
        chosen: list[_Request[T]] = []
        while over > 0:
            longest = max(shares, key=shares.__getitem__, default=None)
            if longest is None or own >= shares[longest]:
                return None
            request = left[longest].pop()
            chosen.append(request)
            shares[longest] -= self._weight(request)
            over -= self._weight(request)
        return chosen

    def _weight(self, request: _Request[T]) -> float:
        return sum(map(self._weigh, request.items))


class Pace:
    """Gives each origin one turn in a round of the event loop: to begin a request, or to have more of a body read.

    Many requests of one origin leave room for those of others.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    async def turn(self, origin: str) -> None:
        """Wait until a request may begin."""
        loop = asyncio.get_running_loop()
        if origin in self._waiting:
            turn = loop.create_future()
            self._waiting[origin].append(turn)
            await turn
        else:
            self._waiting[origin] = deque()
            loop.call_soon(self._next, origin)

    def _next(self, origin: str) -> None:
        waiting = self._waiting[origin]
        while waiting:
            turn = waiting.popleft()
            if not turn.done():  # else its client has gone
                turn.set_result(None)
                asyncio.get_running_loop().call_soon(self._next, origin)
                return
        del self._waiting[origin]


def origin_of(client: tuple[str, int] | None) -> str:
    """Return whom an address belongs to: who has one of IPv6 has all of the same first 64 bits."""
    if client is None:
        return ""
    try:
        address = ip_address(client[0])
    except ValueError:  # what a proxy on this machine has told
        return client[0][:100]
    if not isinstance(address, IPv6Address):
        return client[0]
    return str(address.ipv4_mapped or ip_network((int(address), 64), strict=False))
