"""Clients take turns, and their requests: nobody waits for all that another has sent."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.fair_queue import FairQueue, Pace, origin_of


def drained(turns: FairQueue[str]) -> list[str]:
    return [turns.next() for _ in range(len(turns))]


def test_origins_take_turns_and_of_one_origin_its_requests() -> None:
    turns: FairQueue[str] = FairQueue()
    turns.add("greedy", 1, ["a1", "a2", "a3"])
    turns.add("greedy", 2, ["b1", "b2"])
    turns.add("modest", 3, ["c1"])
    assert drained(turns) == ["a1", "c1", "b1", "a2", "b2", "a3"]
    assert not turns


def test_what_nobody_waits_for_is_dropped() -> None:
    turns: FairQueue[str] = FairQueue()
    turns.add("one", 1, ["a1", "a2"])
    turns.add("one", 2, ["b1"])
    turns.add("other", 3, ["c1"])
    turns.drop(lambda item: item in ("b1", "c1"))
    assert (list(turns), len(turns), drained(turns)) == (["a1", "a2"], 2, ["a1", "a2"])


def queue(**requests: int) -> FairQueue[str]:
    """Return a queue of requests in this order: greedy1=3 are three items of greedy."""
    made: FairQueue[str] = FairQueue()
    for name, count in requests.items():
        made.add(name.rstrip("0123456789"), hash(name), [f"{name}.{number}" for number in range(count)])
    return made


def test_whoever_has_most_waiting_gives_way_with_the_newest_requests() -> None:
    turns = queue(greedy1=2, greedy2=2, greedy3=1, modest1=1)
    assert turns.next() == "greedy1.0"  # it is served last again, and stays the oldest
    assert turns.give_way("new", 1, 5) == ["greedy3.0"]
    assert turns.give_way("new", 2, 4) == ["greedy2.0", "greedy2.1"]
    assert sorted(drained(turns)) == ["greedy1.1", "modest1.0"]


def test_nobody_gives_way_for_what_is_refused_all_the_same() -> None:
    turns = queue(a1=20, a2=20, b1=24)
    assert not turns.has_room("c", 32, 64)
    assert turns.give_way("c", 32, 64) is None
    assert turns.give_way("a", 1, 64) is None  # it has most itself
    assert len(turns) == 64
    assert turns.give_way("c", 12, 64) == [f"a2.{number}" for number in range(20)]
    assert queue().give_way("c", 100, 64) == []  # alone, whatever comes has room


def test_many_singles_of_one_give_way_to_a_batch_of_another_and_those_of_many_do_not() -> None:
    turns = queue(**{f"greedy{number}": 1 for number in range(126)})
    assert len(turns.give_way("batch", 32, 64) or []) == 126 - 32
    turns = FairQueue()
    for number in range(100):
        turns.add(f"office {number}", number, ["one"])
    assert turns.give_way("batch", 20, 64) is None


def test_items_have_weight() -> None:
    turns: FairQueue[float] = FairQueue(lambda seconds: seconds)
    turns.add("few", 1, [3.0])
    turns.add("many", 2, [0.5, 0.5])
    assert turns.give_way("new", 1.0, 5.0) == []
    assert turns.give_way("new", 1.5, 5.0) == [3.0]


@given(st.lists(st.tuples(st.sampled_from("xyz"), st.integers(0, 3), st.integers(0, 4))))
def test_each_item_comes_once_and_those_of_a_request_in_order(added: list[tuple[str, int, int]]) -> None:
    turns: FairQueue[str] = FairQueue()
    wanted = []
    for place, (origin, request, count) in enumerate(added):
        items = [f"{origin}{request} {place:03} {number}" for number in range(count)]
        wanted += items
        if items:
            turns.add(origin, request, items)
    found = drained(turns)
    assert sorted(found) == sorted(wanted)
    for asked in {item.split()[0] for item in wanted}:
        assert [item for item in found if item.startswith(f"{asked} ")] == [
            item for item in wanted if item.startswith(f"{asked} ")
        ]


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("what a proxy says", "what a proxy says"),
        ("x" * 5000, "x" * 100),
    ],
)
def test_an_origin_is_an_address_or_what_a_proxy_says(host: str, origin: str) -> None:
    assert origin_of((host, 1)) == origin


def test_one_request_of_an_origin_begins_in_a_round_of_the_loop() -> None:
    async def begun() -> list[str]:
        pace, order = Pace(), []

        async def ask(origin: str) -> None:
            await pace.turn(origin)
            order.append(origin)

        async with asyncio.TaskGroup() as group:
            many = [group.create_task(ask("greedy")) for _ in range(20)]
            await asyncio.sleep(0)
            many[5].cancel()
            group.create_task(ask("modest"))
        return order

    order = asyncio.run(begun())
    assert order.count("greedy") == 19
    assert order.index("modest") <= 3
    assert asyncio.run(begun()) == order
