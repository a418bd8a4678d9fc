"""Keyed randomness: a generator that depends on a key alone, so that any worker, in any order, draws the same."""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

Option = TypeVar("Option")


def generator(*key: object) -> np.random.Generator:
    """Return the generator of a key, such as (seed, sha256, index)."""
    return np.random.default_rng(int.from_bytes(_digest(key)[:16], "big"))


def unit(*key: object) -> float:
    """Return the number in [0, 1) of a key: evenly spread over keys."""
    return int.from_bytes(_digest(key)[:8], "big") / 2**64


def _digest(key: tuple[object, ...]) -> bytes:
    return hashlib.sha256("\x1f".join(map(str, key)).encode()).digest()


def pick(random: np.random.Generator, options: Sequence[Option]) -> Option:
    """Return one of the options, all equally likely; repeat an option to make it likelier."""
    return options[int(random.integers(len(options)))]
