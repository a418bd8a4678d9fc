"""What a person reads of single pictures: rejected.csv and nothing_found.csv."""

from collections.abc import Sequence
from dataclasses import astuple, fields
from pathlib import Path

import pandas as pd

from irisline.core import paths
from irisline.dataset import tables
from irisline.validation import data_contract
from irisline.validation.great_expectations import Failure

FILE, NOTHING_FOUND = data_contract.REJECTED.name, data_contract.NOTHING_FOUND.name
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
