"""Where work runs changes nothing: order, results and errors are the same, and memory is bounded."""

import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from irisline.core import execution
from irisline.core.errors import DataError, IrislineError
from irisline.core.params import Execution
from tests.planted import ROOT

LOCAL = [Execution(engine="local", workers=workers) for workers in (1, 2)]


def slow_when_even(number: int) -> int:
    time.sleep(0.01 * (number % 2 == 0))
    return number * number


def fail_at_five(number: int) -> int:
    if number == 5:
        raise DataError("five; take another")
    return number


def process_id(_: int) -> int:
    return os.getpid()


@pytest.mark.parametrize("where", LOCAL, ids=lambda where: f"{where.workers} workers")
def test_results_keep_the_order_of_their_items(where: Execution) -> None:
    assert list(execution.map_ordered(slow_when_even, range(40), where)) == [number**2 for number in range(40)]


@pytest.mark.parametrize("where", LOCAL, ids=lambda where: f"{where.workers} workers")
def test_an_exception_reaches_the_caller_after_the_results_before_it(where: Execution) -> None:
    found: list[int] = []
    with pytest.raises(DataError, match=r"^five; take another$"):
        found.extend(execution.map_ordered(fail_at_five, range(40), where))
    assert found == [0, 1, 2, 3, 4]


def test_many_workers_are_other_processes_and_one_is_this() -> None:
    assert set(execution.map_ordered(process_id, range(8), LOCAL[0])) == {os.getpid()}
    assert os.getpid() not in set(execution.map_ordered(process_id, range(8), LOCAL[1]))


@pytest.mark.parametrize("where", LOCAL, ids=lambda where: f"{where.workers} workers")
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


def hang(file: str) -> None:
    Path(f"{file}.{os.getpid()}").touch()
    time.sleep(60)


@pytest.mark.slow
def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys; from irisline.core import execution; from tests.core import test_execution as these\n"
        "list(execution.map_ordered(these.hang, [sys.argv[1]] * 4, these.LOCAL[1]))\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "at_it")], cwd=ROOT) as parent:
        deadline = time.monotonic() + 60
        while len(list(tmp_path.iterdir())) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        family = psutil.Process(parent.pid).children(recursive=True)
        parent.kill()
    assert len(family) >= 2
    assert not psutil.wait_procs(family, timeout=10)[1]


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="needs ray: pip install 'irisline[ray]'")
def test_ray_gives_the_same_results_and_errors() -> None:
    code = (
        "from irisline.core import execution, params; from irisline.core.errors import DataError\n"
        "from tests.core import test_execution as these\n"
        "ray, found = params.Execution(engine='ray', workers=2), []\n"
        "print(list(execution.map_ordered(these.slow_when_even, range(40), ray)) == [number**2 for number in range(40)])\n"
        "try: found.extend(execution.map_ordered(these.fail_at_five, range(40), ray))\n"
        "except DataError as error: print(found, error)\n"
    )  # in a process of its own: Ray leaves ten others beside it
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines() == ["True", "[0, 1, 2, 3, 4] five; take another"], done.stderr


def test_ray_without_ray_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    where = Execution(engine="ray", workers=1)
    with pytest.raises(IrislineError, match=r"execution.engine: ray is not installed; type pip install 'irisline\[ray"):
        list(execution.map_ordered(slow_when_even, [1], where))
