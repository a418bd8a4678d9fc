"""How many planted defects the shipped contract finds in freshly drawn pools, how many good pictures it costs, and how many of
the wrong labels the stage after it finds suspect.

Found: the defect's file is rejected or set aside; of a duplicate, either file of the pair is, or both are in one group.
Not asked of the contract, and shown apart: what is wrong with a picture's meaning (wrong label, no eye, two colours).
Good: neither in the answer key nor the original of a duplicate. Lost: a good picture that is rejected or set aside.
"""

import csv
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import _project
from bench._pictures import EVERY_CORE
from bench._side_by_side import at_least, at_most, heading, number
from irisline.collection.drawn_pool import draw_pool
from irisline.core import paths
from irisline.core.execution import map_ordered
from irisline.dataset import shards
from irisline.eyes.rendering import Answer
from irisline.validation import rejected as quarantine

FIRST_SEED = 1001  # pools that nobody set the limits on
OF_MEANING = ("wrong_label", "no_eye", "mixed_eyes")
OF_PAIRS = ("exact_duplicate", "near_duplicate")


@dataclass(frozen=True)
class Pool:
    """What was planted in a pool of pictures, and what became of its files."""

    answers: list[Answer]
    files: set[str]
    rejected: set[str]
    set_aside: set[str]
    groups: dict[str, str]  # of the accepted
    suspects: set[str]  # among those

    def found(self, answer: Answer) -> bool:
        """Tell whether the defect was taken out, or the two of a pair put in one group."""
        pair = {answer.file, answer.detail} if answer.defect in OF_PAIRS else {answer.file}
        if pair & (self.rejected | self.set_aside):
            return True
        return len(pair) == 2 and len({self.groups[file] for file in pair}) == 1

    @property
    def wrong_labels(self) -> set[str]:
        """Return the files that lie under another class than they show."""
        return {answer.file for answer in self.answers if answer.defect == "wrong_label"}

    @property
    def good(self) -> set[str]:
        """Return the files that nothing is wrong with."""
        originals = {answer.detail for answer in self.answers if answer.defect in OF_PAIRS}
        return self.files - originals - {answer.file for answer in self.answers}


def main() -> None:
    """Print what was found of each defect, the share found, the share of good pictures lost, and what was found suspect."""
    count, seeds = number("BENCH_IMAGES", 300), number("BENCH_SEEDS", 6)
    heading(f"Planted defects: {seeds} fresh pools of {count} drawn pictures, the shipped params.yaml")
    with _project.scratch() as folder:
        drawn = map_ordered(partial(_draw, folder, count), range(FIRST_SEED, FIRST_SEED + seeds), EVERY_CORE)
        pools = [_judge(project, answers) for project, answers in drawn]
    _show_found(pools)
    _show_lost(pools)
    _show_suspects(pools)


def _draw(folder: Path, count: int, seed: int) -> tuple[Path, list[Answer]]:
    project = _project.bare(folder / str(seed))
    return project, draw_pool(project / paths.POOL, count, seed, ("blue", "brown"))


def _judge(project: Path, answers: list[Answer]) -> Pool:
    for name in ("collect", "validate", "labels"):
        _project.run("python", "-m", f"pipelines.{name}", folder=project)
    with (project / paths.VALIDATE_REPORT / quarantine.FILE).open(newline="") as file:
        failures = [(line["id"], line["expectation"]) for line in csv.DictReader(file)]
    accepted = shards.table(project / paths.ACCEPTED)
    return Pool(
        answers,
        files=set(shards.table(project / paths.COLLECTED)["id"].to_pylist()),
        rejected={name for name, expectation in failures if expectation != quarantine.SET_ASIDE},
        set_aside={name for name, expectation in failures if expectation == quarantine.SET_ASIDE},
        groups=dict(zip(accepted["id"].to_pylist(), accepted["group"].to_pylist(), strict=True)),
        suspects={row["id"] for row in shards.stream(project / paths.LABELLED) if row["suspect"]},
    )


def _show_found(pools: list[Pool]) -> None:
    outcomes = [(answer.defect, pool.found(answer)) for pool in pools for answer in pool.answers]
    planted, found = Counter(name for name, _ in outcomes), Counter(name for name, taken in outcomes if taken)
    for name in sorted(planted, key=lambda name: (name in OF_MEANING, name)):
        print(f"  {name:<16}{found[name]:3} of {planted[name]:3} found{'  (not asked)' * (name in OF_MEANING)}")
    asked = [taken for name, taken in outcomes if name not in OF_MEANING]
    at_least(f"share found of {len(asked)} defects of data quality", sum(asked) / len(asked), 0.95)


def _show_lost(pools: list[Pool]) -> None:
    good = sum(len(pool.good) for pool in pools)
    rejected = sum(len(pool.good & pool.rejected) for pool in pools)
    set_aside = sum(len(pool.good & pool.set_aside) for pool in pools)
    print(f"  of {good} good pictures, {rejected} rejected and {set_aside} set aside")
    at_most("share lost of the good pictures", (rejected + set_aside) / good, 0.02)


def _show_suspects(pools: list[Pool]) -> None:
    for place, pool in enumerate(pools):
        found, wrong = len(pool.suspects & pool.wrong_labels), len(pool.wrong_labels)
        print(f"  pool {FIRST_SEED + place}: {found} of {wrong} wrong labels suspect, {len(pool.suspects)} suspects")
    found = sum(len(pool.suspects & pool.wrong_labels) for pool in pools)
    wrong, suspects = sum(len(pool.wrong_labels) for pool in pools), sum(len(pool.suspects) for pool in pools)
    at_least("share of the wrong labels that are suspect", found / max(1, wrong), 0.9)
    at_least("share of the suspects whose labels are wrong", found / max(1, suspects), 0.6)


if __name__ == "__main__":
    main()
