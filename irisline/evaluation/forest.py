"""A forest plot: error rates with their intervals, one below the other. Knows nothing of whose they are."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from irisline.core.plotting import BLUE, GREY, png, words
from irisline.evaluation.metrics import share_interval

NAME = 28  # signs of a name
FEW = 10  # pictures: below, a rate says hardly anything


@dataclass(frozen=True)
class Line:
    """What a rate is of, how many pictures were answered wrong, and of how many."""

    label: str
    wrong: int
    pictures: int


def named(name: str) -> str:
    """Return a name as the figure has room for it."""
    return words(name, NAME)


def draw(lines: Sequence[Line], title: str) -> bytes:
    """Draw the error rate of each line with its 95 % interval; grey where there are few pictures."""
    figure = Figure(figsize=(6.4, 1.4 + 0.36 * max(len(lines), 1)))
    axes = figure.subplots()
    for place, each in enumerate(lines):
        rate, ink = each.wrong / max(each.pictures, 1), GREY if each.pictures < FEW else BLUE
        axes.plot(share_interval(each.wrong, each.pictures), (place, place), color=ink)
        axes.plot(rate, place, "o", color=ink)
    axes.set_yticks(range(len(lines)), [each.label for each in lines])
    axes.set(xlim=(-0.02, 1.02), ylim=(max(len(lines), 1) - 0.5, -0.5), title=title)
    axes.set_xlabel(f"error rate, 95 % Wilson interval; grey: fewer than {FEW} pictures")
    return png(figure)
