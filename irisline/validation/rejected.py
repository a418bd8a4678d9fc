"""What a person reads of single pictures: rejected.csv, nothing_found.csv, and the one line when the stage stops."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple, fields
from pathlib import Path

import pandas as pd

from irisline.core import display_names, paths
from irisline.core.errors import DataError
from irisline.dataset import tables
from irisline.validation import data_contract
from irisline.validation.great_expectations import Broken, Failure

FILE, NOTHING_FOUND = "rejected.csv", "nothing_found.csv"
SET_ASIDE = "near-duplicates in one split"
CONFLICT = "looks the same under one label"
KEY = "split.near_duplicate_distance"


def set_aside(table: pd.DataFrame) -> list[Failure]:
    """Return the pictures that stay out for what they look like, each with the id of another.

    That one is in a more held-out split, or looks the same and has another label: which of the two is right, a person decides.
    """
    grouped = table[table["group"].notna()]
    kept = grouped[grouped["split"].notna()].drop_duplicates("group")
    instead = {row["group"]: f"{row['split']}: {row['id']}" for row in kept.to_dict("records")}
    return [
        Failure(row["id"], row["label"], CONFLICT, "conflict", row["conflict"], "remove it, or review its label")
        if pd.notna(row["conflict"])
        else Failure(row["id"], row["label"], SET_ASIDE, "group", instead.get(row["group"], ""), "must be in one split")
        for row in grouped[grouped["split"].isna()].to_dict("records")
    ]


def told_aside(table: pd.DataFrame) -> str:
    """Return how many pictures stay out for what they look like, and why, to go on a line; nothing where none does."""
    conflicts = int(table["conflict"].notna().sum())
    aside = int((table["group"].notna() & table["split"].isna()).sum()) - conflicts
    said = f", {aside} set aside: near-duplicates of pictures in a more held-out split ({KEY})" if aside else ""
    if not conflicts:
        return said
    file = paths.VALIDATE_REPORT / FILE
    return f"{said}, {conflicts} kept out: each looks the same as one under another label ({file}, {KEY})"


def write(folder: Path, failures: Sequence[Failure]) -> None:
    """Write rejected.csv: one line for each expectation a picture failed, with the value seen and the limit."""
    columns = (field.name for field in fields(Failure))
    paths.write_whole(folder / FILE, tables.as_csv(columns, map(astuple, failures)))


def write_nothing_found(folder: Path, table: pd.DataFrame) -> None:
    """Write nothing_found.csv: the pictures in which their domain found nothing, with their split if they are accepted."""
    columns = ["id", "label", "split"]
    unseen = table.loc[table["found"] == 0, columns].astype(object)
    paths.write_whole(
        folder / NOTHING_FOUND, tables.as_csv(columns, unseen.where(unseen.notna(), None).to_numpy().tolist())
    )


def stop_if(broken: Sequence[Broken], table: pd.DataFrame, failures: Sequence[Failure]) -> None:
    """Raise DataError with one line about the weightiest broken expectation of the pool, if there is one."""
    if not broken:
        return
    more = f" ({len(broken) - 1} more in {paths.VALIDATE_REPORT}/index.html)" if len(broken) > 1 else ""
    raise DataError(_sentence(broken[0], table, failures) + more + told_aside(table))


def _sentence(broken: Broken, table: pd.DataFrame, failures: Sequence[Failure]) -> str:
    line = broken.expectation
    present = table.loc[table["split"].notna(), "label"].unique()
    if line.name == data_contract.HAS_PICTURES:
        return f"{paths.COLLECTED}: no pictures in the pool; {line.advice}"
    if line.name == data_contract.SHARE_REJECTED:
        return _rejected(broken, table, failures)
    if line.name.startswith(data_contract.OF_CLASS) and len(present) == 1:
        return f"{paths.POOL}: all accepted pictures are of class {present[0]}, a classifier needs two; {line.advice}"
    if line.name.startswith(data_contract.OF_CLASS) and broken.observed == 0:
        return f"{paths.POOL}: {line.name}: none accepted, {line.limit}; {line.advice}"
    seen = "not met" if broken.observed is None else f"{broken.observed:.4g}"
    file = NOTHING_FOUND if line.name.startswith(data_contract.SEEN) else FILE
    return f"{paths.VALIDATE_REPORT / file}: {line.name}: {seen}, {line.limit}; {line.advice}"


def _rejected(broken: Broken, table: pd.DataFrame, failures: Sequence[Failure]) -> str:
    often, times = Counter(failure.expectation for failure in failures).most_common(1)[0]
    example = next(failure for failure in failures if failure.expectation == often)
    return (
        f"{paths.VALIDATE_REPORT / FILE}: {int(table['rejected'].sum())} of {len(table)} images rejected "
        f"({broken.observed:.0%}), {broken.expectation.limit}; most often failed: {often} ({times}), "
        f"e.g. {display_names.shown(example.id)}; {broken.expectation.advice}"
    )
