"""Bodies together have a budget: whoever holds most gives way, and memory is given back once they have gone."""

import asyncio
from typing import Any

import pytest

from service.bodies import BRISK, LARGE, Budget
from service.problems import Problem


async def _bodies(budget: Budget, until: asyncio.Event, *arrived: tuple[str, int, float]) -> list[asyncio.Task[str]]:
    """Let bodies arrive that stay until then: their origin, bytes, and the seconds they have taken."""

    async def body(origin: str, count: int, seconds: float) -> str:
        try:
            with budget.held(origin) as held:
                held.take(count)
                held.since -= seconds
                await until.wait()
        except Problem as problem:
            return problem.detail
        return "read"

    tasks = [asyncio.create_task(body(*each)) for each in arrived]
    for _ in range(3):  # begun, and whoever gives way has gone
        await asyncio.sleep(0)
    return tasks


SENT_AWAY = "busy: too many bodies at once; try again in a second"
SLOW = 2 * BRISK


@pytest.mark.parametrize(
    ("arrived", "newcomer", "said"),
    [
        pytest.param(
            [("a", 50, 0), ("a", 30, 0), ("b", 20, SLOW)], ("c", 10), [0, 1, 0, 0], id="the newest of the most"
        ),
        pytest.param([("a", 80, SLOW), ("b", 20, SLOW)], ("a", 10), [1, 0, 0], id="one's own slow one"),
        pytest.param([("a", 80, 0), ("b", 20, SLOW)], ("a", 10), [0, 0, 1], id="nobody else's"),
        pytest.param([("a", 40, 0), ("b", 60, 0)], ("c", 70), [0, 0, 1], id="nobody who holds less"),
        pytest.param([("a", 5, SLOW)] * 20, ("b", 5), [0] * 19 + [1, 0], id="one of many"),
    ],
)
def test_whoever_holds_most_gives_way(arrived: list[Any], newcomer: tuple[str, int], said: list[int]) -> None:
    budget = Budget(100)

    async def question() -> list[str]:
        until = asyncio.Event()
        tasks = await _bodies(budget, until, *arrived) + await _bodies(budget, until, (*newcomer, 0))
        until.set()
        return await asyncio.gather(*tasks)

    assert asyncio.run(question()) == [SENT_AWAY if one else "read" for one in said]
    assert (budget.taken, budget.of_origin) == (0, {})


def test_memory_is_given_back_once_large_bodies_have_gone() -> None:
    empty = list[int]()
    budget = Budget(10**9, lambda: empty.append(1))
    asyncio.run(_asked_for(budget, LARGE - 1))
    assert empty == []
    asyncio.run(_asked_for(budget, LARGE))
    assert empty == [1]
    asyncio.run(_asked_for(budget, 1))
    assert empty == [1]


async def _asked_for(budget: Budget, count: int) -> None:
    with budget.held() as body:
        body.take(count)
