"""How many planted defects the shipped contract finds in freshly drawn pools, and how many good pictures it costs.

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
from irisline import paths
from irisline.data import manifest, quarantine
from irisline.data.rendering import Answer, draw_pool
from irisline.execution import map_ordered

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

    def found(self, answer: Answer) -> bool:
        """Tell whether the defect was taken out, or the two of a pair put in one group."""
        pair = {answer.file, answer.detail} if answer.defect in OF_PAIRS else {answer.file}
        if pair & (self.rejected | self.set_aside):
            return True
        return len(pair) == 2 and len({self.groups[file] for file in pair}) == 1

    @property
    def good(self) -> set[str]:
        """Give the files that nothing is wrong with."""
        originals = {answer.detail for answer in self.answers if answer.defect in OF_PAIRS}
        return self.files - originals - {answer.file for answer in self.answers}


def main() -> None:
    """Print what was found of each defect, the share found, and the share of good pictures lost."""
    count, seeds = number("BENCH_IMAGES", 300), number("BENCH_SEEDS", 3)
    heading(f"Planted defects: {seeds} fresh pools of {count} drawn pictures, the shipped params.yaml")
    with _project.scratch() as folder:
        drawn = map_ordered(partial(_draw, folder, count), range(FIRST_SEED, FIRST_SEED + seeds), EVERY_CORE)
        pools = [_judge(project, answers) for project, answers in drawn]
    _show_found(pools)
    _show_lost(pools)


def _draw(folder: Path, count: int, seed: int) -> tuple[Path, list[Answer]]:
    project = _project.bare(folder / str(seed))
    return project, draw_pool(project / paths.POOL, count, seed)


def _judge(project: Path, answers: list[Answer]) -> Pool:
    for name in ("collect", "validate"):
        _project.run("python", "-m", f"pipelines.{name}", folder=project)
    with (project / paths.VALIDATE_REPORT / quarantine.FILE).open(newline="") as file:
        failures = [(line["id"], line["expectation"]) for line in csv.DictReader(file)]
    accepted = manifest.table(project / paths.ACCEPTED)
    return Pool(
        answers,
        files=set(manifest.table(project / paths.COLLECTED)["id"].to_pylist()),
        rejected={name for name, expectation in failures if expectation != quarantine.SET_ASIDE},
        set_aside={name for name, expectation in failures if expectation == quarantine.SET_ASIDE},
        groups=dict(zip(accepted["id"].to_pylist(), accepted["group"].to_pylist(), strict=True)),
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


if __name__ == "__main__":
    main()
