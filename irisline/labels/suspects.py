"""Labels that may be wrong: which are suspect, how people see them, and what training does with them.

Knows the table, not how confidence in a label comes about, nor what people decide.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from irisline.core import paths
from irisline.core.params import Labels
from irisline.dataset import contact_sheet, shards, tables
from irisline.dataset.shards import Row

COLUMNS = 6
MOST = 48  # pictures on the sheet; labels.csv has them all
SHEET, TABLE = "suspects.png", "labels.csv"
SHOWN = ("rank", "id", "label", "suggested", "confidence", "suspect", "reviewed", "split", "sha256")


def ranked(rows: Iterable[Row], trusted: bool, threshold: float) -> list[Row]:
    """Return rows that have suggested and confidence with suspect and rank, the least confidence first, not judged ones last.

    Suspect is a label with less confidence than the threshold that nobody has reviewed; none, unless the judges are trusted.
    """
    ordered = sorted(rows, key=lambda row: (row["confidence"] is None, row["confidence"], row["id"]))
    return [
        row
        | {
            "rank": None if row["confidence"] is None else number,
            "suspect": trusted
            and not row["reviewed"]
            and row["confidence"] is not None
            and row["confidence"] < threshold,
        }
        for number, row in enumerate(ordered, 1)
    ]


def metrics(rows: Sequence[Row], accuracy: float | None, precision: float | None) -> dict[str, Any]:
    """Return the counts of a table, and the accuracy and precision of those who judged, None where nobody could."""
    return {
        "labels": len(rows),
        "judged": sum(row["confidence"] is not None for row in rows),
        "reviewed": sum(row["reviewed"] is not None for row in rows),
        "suspects": sum(row["suspect"] for row in rows),
        "suspects_in_training": sum(row["suspect"] and row["split"] == "train" for row in rows),
        "accuracy": None if accuracy is None else round(accuracy, 6),
        "precision": None if precision is None else round(precision, 6),
    }


def table(rows: Iterable[Row]) -> Iterator[Row]:
    """Return the rows as the table on disk has them."""
    return ({name: row[name] for name in shards.LABELLED.names} for row in rows)


def sentence(counts: dict[str, Any], labels: Labels) -> str:
    """Say in a line what was found and where to look."""
    if counts["accuracy"] is None:
        return "labels: too few pictures of a class to judge labels by; none is suspect"
    if counts["accuracy"] < labels.min_accuracy:
        return (
            f"labels: models of simple features are right about {counts['accuracy']:.0%} of the labels, limit is "
            f"{labels.min_accuracy:.0%} (labels.min_accuracy): too few to judge them, none is suspect"
        )
    if counts["precision"] is not None and counts["precision"] < labels.min_precision:
        return (
            f"labels: when a tenth of the labels is swapped, {counts['precision']:.0%} of the suspects were swapped, "
            f"limit is {labels.min_precision:.0%} (labels.min_precision): right labels are doubted, none is suspect"
        )
    if not counts["suspects"]:
        return f"labels: none of {counts['judged']} labels is suspect"
    return (
        f"labels: {counts['suspects']} of {counts['judged']} labels are suspect, {counts['suspects_in_training']} of them in "
        f"training ({labels.suspects}); look at {paths.LABELS_REPORT / SHEET}, then type irisline labels"
    )


def as_csv(rows: Iterable[Row]) -> str:
    """Return the table as people read it, the least confidence first."""
    told = (row | {"suspect": "yes" if row["suspect"] else ""} for row in rows)
    return tables.as_csv(SHOWN, ([row[name] for name in SHOWN] for row in told))


def draw(rows: Sequence[Row], pictures: Path, target: Path) -> None:
    """Draw the suspects with rank, given label, suggested label and confidence, from a folder that has their bytes."""
    shown = [row for row in rows if row["suspect"]][:MOST]
    wanted = {row["id"] for row in shown}
    found = {row["id"]: row["image"] for row in shards.stream(pictures, ["id", "image"]) if row["id"] in wanted}
    cells = [
        (found[row["id"]], f"{row['rank']}  {row['label']}: {row['suggested']}?  {row['confidence']:.2f}")
        for row in shown
    ]
    lines = [cells[at : at + COLUMNS] for at in range(0, len(cells), COLUMNS)]
    title = "Suspicious labels: rank, given label, suggested label, confidence in the given one"
    contact_sheet.write(lines, title if lines else "No suspicious labels", target)


def of_training(rows: Iterable[Row], labels: Labels, variant: bool) -> Iterator[Row]:
    """Return the rows that are trained on, originals or variants: suspects as params say.

    A suspect that is weighed down trains without its variants: it is seen once where others are seen 1 + augment.variants
    times.
    """
    out = ids() if labels.suspects == "drop" or (labels.suspects == "down_weight" and variant) else set()
    return (row for row in rows if row["id"] not in out)


def not_calibrated_on(labels: Labels) -> set[str]:
    """Return the ids of pictures whose labels no confidence is fitted on: the suspects, unless params keep them."""
    return set() if labels.suspects == "keep" else ids()


def ids() -> set[str]:
    """Return the ids of the suspects that the labels stage has left; raise MissingInput without its table."""
    rows = shards.stream(paths.LABELLED, ["id", "suspect"])
    return {row["id"] for row in rows if row["suspect"]}
