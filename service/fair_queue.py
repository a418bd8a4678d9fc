"""Whose turn it is: origins take turns, and of one origin its requests, an item each. Knows nothing of what is asked."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Generic, TypeVar

T = TypeVar("T")


class FairQueue(Generic[T]):
    """Items that wait. Not safe among threads: whoever uses it holds a lock."""

    def __init__(self) -> None:
        self._origins: OrderedDict[str, OrderedDict[int, deque[T]]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[T]:
        """Yield all items, of one origin after those of another."""
        return (item for requests in self._origins.values() for items in requests.values() for item in items)

    def add(self, origin: str, request: int, items: Iterable[T]) -> None:
        """Let items of a request wait, behind those of the same request."""
        waiting = self._origins.setdefault(origin, OrderedDict()).setdefault(request, deque())
        before = len(waiting)
        waiting.extend(items)
        self._count += len(waiting) - before

    def next(self) -> T:
        """Return the item whose turn it is; raise KeyError when none waits."""
        origin, requests = self._origins.popitem(last=False)
        request, items = requests.popitem(last=False)
        item = items.popleft()
        self._count -= 1
        if items:
            requests[request] = items
        if requests:
            self._origins[origin] = requests
        return item

    def of(self, origin: str) -> int:
        """Return how many items of an origin wait."""
        return sum(len(items) for items in self._origins.get(origin, {}).values())

    def is_longest(self, origin: str, more: int = 0) -> bool:
        """Return whether as many items of an origin wait, with so many more, as of any other."""
        return self.of(origin) + more >= max(map(self.of, self._origins), default=0)

    def pop_longest(self) -> list[T]:
        """Remove the newest request of the origin of which most items wait, and return its items."""
        origin = max(self._origins, key=self.of)
        requests = self._origins[origin]
        _, items = requests.popitem()
        if not requests:
            del self._origins[origin]
        self._count -= len(items)
        return list(items)

    def drop(self, unwanted: Callable[[T], bool]) -> None:
        """Let items go that nobody waits for any more; the order of the rest stays."""
        for origin, requests in list(self._origins.items()):
            for request, items in list(requests.items()):
                requests[request] = deque(item for item in items if not unwanted(item))
                if not requests[request]:
                    del requests[request]
            if not requests:
                del self._origins[origin]
        self._count = sum(1 for _ in self)


class Pace:
    """Lets one request of each origin begin in a round of the event loop: many of one leave room for those of others."""

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
