"""Which split a picture belongs to, for good: a function of the seed and its own pixels, never of the other pictures.

Let split(x, S) be the split of picture x in pool S. If adding a picture may never move an old one, then
split(x, S) = split(x, {x}): nothing but x itself may decide. So each picture is drawn by a keyed hash, and each class gets
its shares as a fair draw gives them: a scheme that meets them more closely needs a memory of earlier runs.

Near-duplicates must not sit in two splits either. A group keeps its members of the most held-out split it reaches and sets
the others aside; a picture of the test split stays there whatever is added.
"""

from collections.abc import Collection, Sequence

import pandas as pd

from irisline.core import seeding
from irisline.core.params import Params, Split
from irisline.validation import near_duplicates

NAMES = ("train", "valid", "test")  # from the least to the most held out


def own(sha256: str, seed: int, shares: Split) -> str:
    """Return the split of one picture, from the sha256 of its pixels: train, valid or test."""
    drawn = seeding.unit(seed, "split", sha256)
    if drawn < shares.test:
        return "test"
    return "valid" if drawn < shares.test + shares.valid else "train"


def of_groups(sha256s: Sequence[str], groups: Sequence[str], seed: int, shares: Split) -> list[str | None]:
    """Return the split of each picture, or None where it is set aside: its group is in a more held-out split."""
    drawn = [own(sha256, seed, shares) for sha256 in sha256s]
    held_out: dict[str, str] = {}
    for group, name in zip(groups, drawn, strict=True):
        held_out[group] = max(name, held_out.get(group, name), key=NAMES.index)
    return [name if held_out[group] == name else None for group, name in zip(groups, drawn, strict=True)]


def divide(table: pd.DataFrame, rejected: Collection[str], params: Params) -> pd.DataFrame:
    """Return the table with rejected (1 or 0), and group and split: null where rejected; split null where set aside."""
    out = table["id"].isin(list(rejected))
    rest = table[~out]
    sha256s = rest["sha256"].tolist()
    groups = near_duplicates.groups(rest["phash"].tolist(), sha256s, params.split.near_duplicate_distance)
    splits = of_groups(sha256s, groups, params.base.seed, params.split)
    return table.assign(
        rejected=out.astype("float64"),
        group=pd.Series(groups, index=rest.index, dtype="str"),
        split=pd.Series(splits, index=rest.index, dtype="str"),
    )
