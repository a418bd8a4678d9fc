"""Where work runs changes nothing: order, results and errors are the same, and memory is bounded."""

import importlib.util
import os
import sys
import time
from collections.abc import Iterator

import pytest

from irisline import execution
from irisline.errors import DataError, IrislineError
from irisline.params import Execution

LOCAL = [Execution(engine="local", workers=workers) for workers in (1, 2)]
WITHOUT_RAY = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="needs ray: pip install 'irisline[ray]'"
)
EVERYWHERE = [
    pytest.param(LOCAL[0], id="1 worker"),
    pytest.param(LOCAL[1], id="2 workers"),
    pytest.param(Execution(engine="ray", workers=2), id="ray", marks=[WITHOUT_RAY, pytest.mark.slow]),
]


@pytest.fixture(scope="module", autouse=True)
def no_ray_afterwards() -> Iterator[None]:
    """End what Ray has started: ten processes that would stay as long as this one."""
    yield
    if "ray" in sys.modules:
        sys.modules["ray"].shutdown()


def slow_when_even(number: int) -> int:
    time.sleep(0.01 * (number % 2 == 0))
    return number * number


def fail_at_five(number: int) -> int:
    if number == 5:
        raise DataError("five; take another")
    return number


def process_id(_: int) -> int:
    return os.getpid()


@pytest.mark.parametrize("where", EVERYWHERE)
def test_results_keep_the_order_of_their_items(where: Execution) -> None:
    assert list(execution.map_ordered(slow_when_even, range(40), where)) == [number**2 for number in range(40)]


@pytest.mark.parametrize("where", EVERYWHERE)
def test_an_exception_reaches_the_caller_after_the_results_before_it(where: Execution) -> None:
    found: list[int] = []
    with pytest.raises(DataError, match=r"^five; take another$"):
        found.extend(execution.map_ordered(fail_at_five, range(40), where))
    assert found == [0, 1, 2, 3, 4]


def test_many_workers_are_other_processes_and_one_is_this() -> None:
    assert set(execution.map_ordered(process_id, range(8), LOCAL[0])) == {os.getpid()}
    assert os.getpid() not in set(execution.map_ordered(process_id, range(8), LOCAL[1]))


@pytest.mark.parametrize("where", EVERYWHERE)
def test_items_are_pulled_only_as_far_ahead_as_the_workers_need(where: Execution) -> None:
    pulled = taken = furthest = 0

    def items() -> Iterator[int]:
        nonlocal pulled
        for number in range(100):
            pulled += 1
            yield number

    for _ in execution.map_ordered(slow_when_even, items(), where):
        furthest = max(furthest, pulled - taken)
        taken += 1
    assert taken == pulled == 100
    assert furthest <= where.workers * execution.AHEAD


def test_a_caller_that_stops_early_stops_the_workers() -> None:
    results = execution.map_ordered(slow_when_even, range(10_000), LOCAL[1])
    assert next(results) == 0
    results.close()  # type: ignore[attr-defined]


def test_ray_without_ray_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    where = Execution(engine="ray", workers=1)
    with pytest.raises(IrislineError, match=r"execution.engine: ray is not installed; type pip install 'irisline\[ray"):
        list(execution.map_ordered(slow_when_even, [1], where))
