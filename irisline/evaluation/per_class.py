"""How well a model does on each class, and which it takes for which: tables, and a figure of the classes with most errors.

Counts in, files out. Knows nothing of how answers come about.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from irisline.dataset import tables
from irisline.evaluation import forest
from irisline.evaluation.metrics import share_interval

TABLE, CONFUSIONS, FIGURE = "classes.csv", "confusions.csv", "classes.png"
SHOWN = 20  # classes in the figure and in a model card
SHARES = ("precision", "recall", "f1")

Share = tuple[float, float, float]


@dataclass(frozen=True)
class OfClass:
    """The test pictures of a class: how many, how often it was said of any picture, and how often rightly."""

    name: str
    pictures: int
    said: int
    right: int

    @property
    def wrong(self) -> int:
        """Pictures of the class that were called another."""
        return self.pictures - self.right

    @property
    def recall(self) -> Share:
        """The share of its pictures that are called so, with its 95 % interval."""
        return _share(self.right, self.pictures)

    @property
    def precision(self) -> Share:
        """The share right among the pictures that are called so, with its 95 % interval."""
        return _share(self.right, self.said)

    @property
    def f1(self) -> Share:
        """The harmonic mean of the two, with its 95 % interval.

        With s, the share of right ones among the pictures that are or are called so, it is 2 s / (1 + s), which grows with s:
        the ends of the interval of s give its own.
        """
        value, low, high = (2 * share / (1 + share) for share in _share(self.right, self.said + self.wrong))
        return value, low, high


@dataclass(frozen=True)
class Confusion:
    """So many of a class's test pictures that were called another."""

    actual: str
    predicted: str
    pictures: int
    of: int


def of(counts: NDArray[np.int64], classes: Sequence[str]) -> list[OfClass]:
    """Return the numbers of each class from counts (classes, classes), rows true, columns predicted."""
    told = zip(classes, counts.sum(axis=1), counts.sum(axis=0), np.diag(counts), strict=True)
    return [OfClass(name, int(pictures), int(said), int(right)) for name, pictures, said, right in told]


def confusions(counts: NDArray[np.int64], classes: Sequence[str]) -> list[Confusion]:
    """Return who is taken for whom, the most pictures first, of as many the largest share of the class."""
    sizes = counts.sum(axis=1)
    found = [
        Confusion(classes[row], classes[column], int(counts[row, column]), int(sizes[row]))
        for row, column in np.argwhere(counts)
        if row != column
    ]
    return sorted(found, key=lambda each: (-each.pictures, each.of))


def worst(found: Sequence[OfClass]) -> list[OfClass]:
    """Return the classes with most errors, as many as are shown, of as many errors those with fewer pictures first."""
    return sorted(found, key=lambda each: (-each.wrong, each.pictures))[:SHOWN]


def files(counts: NDArray[np.int64], classes: Sequence[str]) -> dict[str, bytes]:
    """Return classes.csv, confusions.csv and classes.png."""
    found = of(counts, classes)
    shown = worst(found)
    which = f"The {SHOWN} of {len(found)} classes with most errors" if len(found) > SHOWN else "Errors of each class"
    lines = [forest.Line(f"{forest.named(each.name)} ({each.pictures})", each.wrong, each.pictures) for each in shown]
    return {
        TABLE: table(found).encode(),
        CONFUSIONS: _confusions_table(confusions(counts, classes)).encode(),
        FIGURE: forest.draw(lines, f"{which}, test split"),
    }


def table(found: Sequence[OfClass]) -> str:
    """Return classes.csv: one line per class; a share of no pictures is empty."""
    columns = [f"{name}{end}" for name in SHARES for end in ("", "_low", "_high")]
    rows = [
        [
            each.name,
            each.pictures,
            each.said,
            each.right,
            *(_cell(value) for name in SHARES for value in getattr(each, name)),
        ]
        for each in found
    ]
    return tables.as_csv(["class", "pictures", "said", "right", *columns], rows)


def _confusions_table(found: Sequence[Confusion]) -> str:
    rows = ((each.actual, each.predicted, each.pictures, each.of, f"{each.pictures / each.of:.6f}") for each in found)
    return tables.as_csv(("actual", "predicted", "pictures", "of", "share"), rows)


def _share(count: int, of: int) -> Share:
    """Return a share with its interval; 0 of none."""
    return (count / max(of, 1), *share_interval(count, of))


def _cell(value: float) -> str:
    return f"{value:.6f}"
