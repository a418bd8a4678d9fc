"""A key decides, and nothing else does."""

import subprocess
import sys

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from irisline.core import seeding
from tests.planted import ROOT


def test_a_key_draws_the_same_in_any_process_and_leaves_the_global_generator_alone() -> None:
    before = np.random.get_state()[1].copy()  # type: ignore[index]
    here = seeding.generator(42, "ab", 1).integers(2**32)
    code = "from irisline.core import seeding; print(seeding.generator(42, 'ab', 1).integers(2**32), seeding.unit('a'))"
    there = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert there.stdout.split() == [str(here), str(seeding.unit("a"))]
    assert np.array_equal(before, np.random.get_state()[1])  # type: ignore[index]


def test_every_part_of_a_key_counts_and_parts_do_not_run_together() -> None:
    keys = [(1, "ab", 1), (2, "ab", 1), (1, "ab", 2), (1, "a", "b1"), (1, "ab1")]
    assert len({seeding.generator(*key).integers(2**62) for key in keys}) == len(keys)


@given(st.lists(st.one_of(st.integers(), st.text()), min_size=1))
def test_a_unit_is_a_share(key: list[object]) -> None:
    assert 0 <= seeding.unit(*key) < 1


def test_units_are_evenly_spread() -> None:
    counts, _ = np.histogram([seeding.unit("spread", number) for number in range(10_000)], bins=10, range=(0, 1))
    assert counts.min() > 880  # four standard deviations below 1000
    assert counts.max() < 1120
