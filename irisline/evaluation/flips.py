"""Answers on perturbed pictures, counted: which flip, which are lost, and the shares of them. No pictures, no networks."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from irisline.evaluation.metrics import share_interval


@dataclass(frozen=True)
class Asked:
    """What was said of a test picture, what should be after a perturbation, and what is; None when nothing is found."""

    id: str
    perturbation: str
    before: str
    wanted: str
    said: str | None = None

    @property
    def directional(self) -> bool:
        """Whether the answer should follow: the picture was changed towards another class."""
        return self.wanted != self.before

    @property
    def flipped(self) -> bool:
        """Whether the answer changed; where it should follow, to the class that is wanted."""
        return self.said is not None and (self.said == self.wanted) == self.directional


@dataclass(frozen=True)
class Flips:
    """How many perturbed pictures got an answer, how many of these flip, and in how many more nothing was found."""

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
    """Return the counts of each perturbation that got an answer, in the order of asking."""
    counts = {
        name: counted([each for each in asked if each.perturbation == name])
        for name in dict.fromkeys(each.perturbation for each in asked)
    }
    return {name: each for name, each in counts.items() if each.answers}


def counted(asked: Sequence[Asked]) -> Flips:
    """Return the counts of all of these."""
    lost = sum(each.said is None for each in asked)
    return Flips(len(asked) - lost, sum(each.flipped for each in asked), lost)


def measure(asked: Sequence[Asked], background: Collection[str]) -> dict[str, float]:
    """Return the numbers for metrics.json, each where there are answers to count.

    flip_rate: the share of answers that flip by what must not matter; background_flip_rate: by the perturbations of the
    background alone; expected_flip_rate: of those that follow a picture changed towards another class, with _low and _high,
    the 95 % interval (answers about one picture are not independent, so the other two have none). flips_<perturbation>: the
    share of each; lost_rate: of all perturbed pictures, in how many nothing is found any more.
    """
    invariant = [each for each in asked if not each.directional]
    around = [each for each in asked if each.perturbation in background]
    expected = counted([each for each in asked if each.directional])
    pooled = {
        "flip_rate": counted(invariant),
        "background_flip_rate": counted(around),
        "expected_flip_rate": expected,
    }
    found = {f"flips_{name}": flips.rate for name, flips in of_each(invariant).items()}
    found |= {name: flips.rate for name, flips in pooled.items() if flips.answers}
    if expected.answers:
        found |= dict(zip(("expected_flip_rate_low", "expected_flip_rate_high"), expected.interval, strict=True))
    return found | ({"lost_rate": counted(asked).lost / len(asked)} if asked else {})


def sentence(numbers: Mapping[str, float]) -> str:
    """Say what was measured."""
    told = []
    if "flip_rate" in numbers:
        told.append(f"{numbers['flip_rate']:.1%} of answers flip when what must not matter is changed")
    if "expected_flip_rate" in numbers:
        told.append(f"{numbers['expected_flip_rate']:.1%} when what must matter is")
    return ", ".join(told) or "no picture was perturbed"
