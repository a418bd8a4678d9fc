"""Room for bytes that wait: so many at most at the same time. Knows nothing of what they are."""

import asyncio


class ByteBudget:
    """So many bytes; who comes with more than all of it has it alone."""

    def __init__(self, budget: int) -> None:
        self._budget, self._held = budget, 0
        self._left = asyncio.Condition()

    async def take(self, size: int) -> None:
        """Wait until there is room for so many bytes, and hold it."""
        async with self._left:
            await self._left.wait_for(lambda: not self._held or self._held + size <= self._budget)
            self._held += size

    async def give(self, size: int) -> None:
        """Let go of what was taken."""
        async with self._left:
            self._held -= size
            self._left.notify_all()
