"""The test split in slices, by facts of the row: where a model errs more, and where it is more often unsure.

Knows nothing of how a fact is measured, nor of what is done about a slice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from irisline.core.domain import Cut
from irisline.dataset import shards, tables
from irisline.domains.slices import CUTS
from irisline.evaluation import forest
from irisline.evaluation.evaluate import Answers
from irisline.evaluation.metrics import share_interval

TABLE, FOREST = "slices.csv", "slices.png"


@dataclass(frozen=True)
class Slice:
    """The pictures of the test split whose fact lies in one group: how many, wrong ones, and those answered without doubt."""

    by: str
    name: str
    pictures: int
    wrong: int
    answered: int

    @property
    def few(self) -> bool:
        """Whether its numbers say hardly anything."""
        return self.pictures < forest.FEW


def of(test: Answers, folder: Path) -> list[Slice]:
    """Return the slices of the answers on the test split of a folder of rows; none by a fact that no row has.

    A picture is in no slice by a fact that it has not: one that was not seen in none at all.
    """
    columns = ["id", "split", *(cut.fact for cut in CUTS)]
    rows = {row["id"]: row for row in shards.stream(folder, columns) if row["split"] == "test"}
    measured = [cut for cut in CUTS if any(row[cut.fact] is not None for row in rows.values())]
    return [found for cut in measured for found in _of_cut(cut, [rows[name][cut.fact] for name in test.ids], test)]


def files(found: Sequence[Slice]) -> dict[str, bytes]:
    """Return slices.csv and slices.png."""
    return {TABLE: table(found).encode(), FOREST: draw(found)}


def table(found: Sequence[Slice]) -> str:
    """Return slices.csv: one line per slice; shares of no pictures are empty."""
    shares = [f"{name}{end}" for name in ("error_rate", "coverage") for end in ("", "_low", "_high")]
    rows = []
    for each in found:
        told = [
            (count / max(each.pictures, 1), *share_interval(count, each.pictures))
            for count in (each.wrong, each.answered)
        ]
        values = [f"{value:.6f}" if each.pictures else "" for values in told for value in values]
        rows.append([each.by, each.name, each.pictures, each.wrong, each.answered, *values])
    return tables.as_csv(["by", "slice", "pictures", "wrong", "answered", *shares], rows)


def draw(found: Sequence[Slice]) -> bytes:
    """Draw the error rate of each slice that has pictures."""
    lines = [
        forest.Line(f"{each.by}: {each.name} ({each.pictures})", each.wrong, each.pictures)
        for each in found
        if each.pictures
    ]
    return forest.draw(lines, "Error rate by slice, test split" if lines else "No facts to slice by")


def _of_cut(cut: Cut, values: Sequence[float | None], test: Answers) -> list[Slice]:
    groups = np.array(["" if value is None else cut.group(value) for value in values])
    return [_slice(cut.title, name, np.flatnonzero(groups == name), test) for name in cut.names]


def _slice(by: str, name: str, at: NDArray[np.intp], test: Answers) -> Slice:
    return Slice(by, name, len(at), int(test.wrong[at].sum()), int((~test.unsure[at]).sum()))
