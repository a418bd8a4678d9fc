"""The limits that each picture is held to: which fact, which key of params, what it is where the key says auto.

An auto limit is the one that holds for photographs, loosened as far as this pool has pictures that are like the others, and
never further than where a picture tells nothing. Like the others is what lies inside a fence (Tukey, Exploratory Data
Analysis, 1977), drawn on a scale on which a fact spreads evenly. A function of the pool alone, whatever its order.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from irisline.core.params import AUTO, Validate

FENCE = 6
"""Times the way from the median to the quartile: of normal values, 0.005 % lie so far out, on both sides."""
LEAST_WAY = math.log(4)
"""From the median to the fence: pictures of one size may yet be joined by some of a quarter of it."""
ENOUGH = 20  # pictures of a class, for a fence of its own
OUTERMOST = 0.001  # of a bounded fact: so near its bounds, the scale ends

Facts = NDArray[np.float64]


@dataclass(frozen=True)
class PictureLimit:
    """A limit: its key in params, what a person calls it, the fact, and between what values auto may choose."""

    key: str
    name: str
    column: str
    photographs: float  # holds for photographs of anything; auto is never stricter
    nothing: float  # beyond it a picture tells nothing; auto is never looser
    bound: float | None = None  # the largest value there can be, where there is one

    @property
    def least(self) -> bool:
        """Tell whether a picture must have at least so much, rather than at most."""
        return self.key.startswith("min_")

    def refuses(self, facts: pd.Series, limit: float) -> "pd.Series[bool]":
        """Return which facts lie beyond a limit; one that is null does not."""
        return facts.lt(limit) if self.least else facts.gt(limit)

    def tells_nothing(self, facts: pd.Series, limit: float) -> "pd.Series[bool]":
        """Return which facts no limit should let through, unless the given one does."""
        return self.refuses(facts, self.looser(self.nothing, limit))

    def looser(self, one: float, other: float) -> float:
        """Return the one of two limits that lets more through."""
        return min(one, other) if self.least else max(one, other)

    def tighter(self, one: float, other: float) -> float:
        """Return the other one of the two."""
        return max(one, other) if self.least else min(one, other)

    def within(self, value: float) -> float:
        """Return the limit nearest to a value that is no stricter than for photographs, and beyond which is nothing."""
        return self.tighter(self.looser(value, self.photographs), self.nothing)

    def outward(self, value: float) -> float:
        """Return a value a person can read, as loose as the given one or a little looser."""
        digits = 0 if abs(value) >= 10 else 1 if abs(value) >= 1 else 2
        if self.column == "short_side":
            digits = 0
        rounded = (math.floor if self.least else math.ceil)(value * 10**digits) / 10**digits
        return int(rounded) if self.column == "short_side" else rounded

    def scaled(self, facts: Facts) -> Facts:
        """Return facts on a scale on which they spread evenly: logarithms, of the odds where there is a bound."""
        if self.bound is None:
            return np.log(facts)
        shares = np.clip(facts / self.bound, OUTERMOST, 1 - OUTERMOST)
        return np.log(shares / (1 - shares))


ALL = (
    PictureLimit("min_side", "large enough", "short_side", 48, 8),
    PictureLimit("max_aspect", "not a strip", "aspect", 4.0, 50.0),
    PictureLimit("min_brightness", "not too dark", "brightness", 15.0, 0.5, bound=255),
    PictureLimit("max_brightness", "not too bright", "brightness", 240.0, 254.5, bound=255),
    PictureLimit("min_contrast", "has contrast", "contrast", 5.0, 1.0, bound=127.5),
    PictureLimit("min_sharpness", "sharp", "sharpness", 35.0, 2.0, bound=100),
    PictureLimit("min_entropy", "has detail", "entropy", 3.0, 0.01, bound=8),
)
"""In the order a person should hear of them."""
BY_NAME = {each.name: each for each in ALL}


@dataclass(frozen=True)
class Limit:
    """The value that pictures are held to, and whether the pool chose it."""

    value: float
    auto: bool


def of(limits: Validate, table: pd.DataFrame) -> dict[str, Limit]:
    """Return the value of each limit by its key, for the facts of a pool as data_contract.with_shared_pixels gives them."""
    return {
        each.key: Limit(auto(each, table), True) if stated == AUTO else Limit(stated, False)
        for each in ALL
        for stated in [getattr(limits, each.key)]
    }


def auto(limit: PictureLimit, table: pd.DataFrame) -> float:
    """Return the loosest limit that the pool or one of its classes asks for: a class may be of night pictures."""
    chosen = limit.photographs
    for facts in _groups(table[limit.column], table["label"]):
        chosen = limit.looser(chosen, _outermost_inside_the_fence(limit, facts))
    return limit.within(limit.outward(chosen))


def _groups(facts: pd.Series, labels: pd.Series) -> Iterator[Facts]:
    """Yield the known facts of the pool, then of each class that has enough, sorted."""
    known = facts.dropna()
    for group in [known, *(of_class for _, of_class in known.groupby(labels) if len(of_class) >= ENOUGH)]:
        if len(group):
            yield np.sort(group.to_numpy(dtype=np.float64))


def _outermost_inside_the_fence(limit: PictureLimit, facts: Facts) -> float:
    outward = facts[::-1] if limit.least else facts
    scaled = limit.scaled(outward)
    median, quartile = scaled[len(scaled) // 2], scaled[len(scaled) * 3 // 4]
    way = max(FENCE * abs(quartile - median), LEAST_WAY)
    inside = (np.abs(scaled - median) <= way) | np.isclose(np.abs(scaled - median), way)
    return float(outward[inside][-1])
