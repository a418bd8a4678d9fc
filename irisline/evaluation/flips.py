"""Answers on changed pictures, counted: which flip, which are lost, and the shares of them. No pictures, no networks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from irisline.evaluation.metrics import share_interval
from irisline.eyes.perturbations import RECOLOUR, SURROUNDINGS


@dataclass(frozen=True)
class Asked:
    """What was said of a test picture before a change, what should be after it, and what is; None when no eye is found."""

    id: str
    change: str
    before: str
    wanted: str
    said: str | None = None

    @property
    def flipped(self) -> bool:
        """Whether the answer changed; that about recoloured irises, to the class they were made to look like."""
        return self.said is not None and (self.said == self.wanted) == (self.change == RECOLOUR)


@dataclass(frozen=True)
class Flips:
    """How many changed pictures got an answer, how many of these flip, and in how many more no eye was found."""

    answers: int
    flips: int
    lost: int

    @property
    def rate(self) -> float:
        """Return the share of answers that flip."""
        return self.flips / self.answers

    @property
    def interval(self) -> tuple[float, float]:
        """Return the 95 % interval of the rate."""
        return share_interval(self.flips, self.answers)


def of_each(asked: Sequence[Asked]) -> dict[str, Flips]:
    """Return the counts of each change that got an answer, in the order of asking."""
    counts = {
        name: counted([each for each in asked if each.change == name])
        for name in dict.fromkeys(each.change for each in asked)
    }
    return {name: each for name, each in counts.items() if each.answers}


def counted(asked: Sequence[Asked]) -> Flips:
    """Return the counts of all of these."""
    lost = sum(each.said is None for each in asked)
    return Flips(len(asked) - lost, sum(each.flipped for each in asked), lost)


def measure(asked: Sequence[Asked]) -> dict[str, float]:
    """Return the numbers for metrics.json, each where there are answers to count.

    flip_rate: the share of answers that flip by what must not matter; surroundings_flip_rate: by another shirt and wall alone;
    recolour_rate: of those that flip to the class whose colour the irises got, with _low and _high, the 95 % interval (answers
    about one picture are not independent, so the other two have none). flips_<change>: the share of each; lost_rate: of all
    changed pictures, in how many no eye is found any more.
    """
    harmless = [each for each in asked if each.change != RECOLOUR]
    shirt = [each for each in asked if each.change in SURROUNDINGS]
    recoloured = counted([each for each in asked if each.change == RECOLOUR])
    pooled = {"flip_rate": counted(harmless), "surroundings_flip_rate": counted(shirt), "recolour_rate": recoloured}
    found = {f"flips_{name}": flips.rate for name, flips in of_each(harmless).items()}
    found |= {name: flips.rate for name, flips in pooled.items() if flips.answers}
    if recoloured.answers:
        found |= dict(zip(("recolour_rate_low", "recolour_rate_high"), recoloured.interval, strict=True))
    return found | ({"lost_rate": counted(asked).lost / len(asked)} if asked else {})


def sentence(numbers: Mapping[str, float]) -> str:
    """Say what was measured."""
    told = []
    if "flip_rate" in numbers:
        told.append(f"{numbers['flip_rate']:.1%} of answers flip when what must not matter is changed")
    if "recolour_rate" in numbers:
        told.append(f"{numbers['recolour_rate']:.1%} when the iris is")
    return ", ".join(told) or "no picture was changed"
