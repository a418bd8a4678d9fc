"""What waits for the disk is bounded by its bytes, and no picture is too large to pass."""

import asyncio

import pytest

from irisline.collection.downloads.byte_budget import ByteBudget


async def passed(budget: int, sizes: list[int]) -> tuple[int, int]:
    """Return the most bytes and pieces that were inside at once, when all go through and each stays a while."""
    room, inside, most = ByteBudget(budget), [], (0, 0)

    async def go(size: int) -> None:
        nonlocal most
        await room.take(size)
        inside.append(size)
        most = max(most, (sum(inside), len(inside)))
        await asyncio.sleep(0.01)
        inside.remove(size)
        await room.give(size)

    await asyncio.wait_for(asyncio.gather(*map(go, sizes)), timeout=5)
    return most


@pytest.mark.parametrize(
    ("budget", "sizes", "most"),
    [
        (64, [20] * 30, (60, 3)),
        (64, [1] * 30, (30, 30)),
        (64, [100] * 3, (100, 1)),
    ],
    ids=["large", "small", "larger than the room"],
)
def test_no_more_bytes_wait_than_there_is_room_for_save_one_larger_picture(
    budget: int, sizes: list[int], most: tuple[int, int]
) -> None:
    assert asyncio.run(passed(budget, sizes)) == most
