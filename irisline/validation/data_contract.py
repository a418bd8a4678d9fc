"""The data contract: what each picture and the whole pool must meet, built from params, and the columns it is read from.

Plain data: knows nothing of how a fact is measured, how a line is judged or where the answers go.
Which licences are accepted is what a snapshot may fetch: snapshot.licences, and a person's own pictures.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import pandas as pd

from irisline.core.params import Params
from irisline.dataset import licences
from irisline.domains import columns, wording
from irisline.validation import split

HAS_PICTURES = "the pool has pictures"
SHARE_REJECTED = "share rejected"
OF_CLASS = "pictures of class "
SEEN = "share of pictures in which "
UNKNOWN = "unknown"  # among the families: a picture may be without a licence
ANY = "*"  # in Expectation.where: any value but null


@dataclass(frozen=True)
class Expectation:
    """One line of the contract: what a person calls it, what Great Expectations checks, and what to do when it fails."""

    name: str
    type: str
    limit: str
    advice: str
    kwargs: dict[str, Any] = field(default_factory=dict)
    where: dict[str, str] = field(default_factory=dict)  # only the rows that have this value in this column

    @property
    def column(self) -> str:
        """The column it looks at, or empty when it counts rows."""
        return str(self.kwargs.get("column", ""))

    @property
    def sentence(self) -> str:
        """What the Data Docs say of it."""
        return f"{self.name}: {self.column} {self.limit}" if self.column else f"{self.name}: {self.limit}"


def of_images(params: Params) -> list[Expectation]:
    """Return what every picture must meet, in the order a person should hear of it."""
    limits, classes, families = params.validate_, params.base.classes, params.snapshot.licences
    return [
        _empty("readable", "reason", "replace the file"),
        _in_set("label is a class", "label", classes, "move it, or add the class to base.classes"),
        *_licensed(families),
        _between("under one label", "labels_of_pixels", None, 1, "remove it from every folder but the right one"),
        _empty("not an exact copy", "copy_of", "remove the copy"),
        _between("large enough", "short_side", limits.min_side, None, _change("lower", "min_side")),
        _between("not a strip", "aspect", None, limits.max_aspect, _change("raise", "max_aspect")),
        _between("not too dark", "brightness", limits.min_brightness, None, _change("lower", "min_brightness")),
        _between("not too bright", "brightness", None, limits.max_brightness, _change("raise", "max_brightness")),
        _between("has contrast", "contrast", limits.min_contrast, None, _change("lower", "min_contrast")),
        _between("sharp", "sharpness", limits.min_sharpness, None, _change("lower", "min_sharpness")),
        _between("has detail", "entropy", limits.min_entropy, None, _change("lower", "min_entropy")),
    ]


def of_pool(params: Params) -> list[Expectation]:
    """Return what the table must meet once failing rows are out and the splits are drawn, in order of weight."""
    limits, classes, families = params.validate_, params.base.classes, params.snapshot.licences
    parts = [part for part in split.NAMES if getattr(params.split, part) > 0]
    return [
        _rows(HAS_PICTURES, 1, "add pictures to data/<class>/", {}),
        _mean_at_most(SHARE_REJECTED, "rejected", limits.max_rejected_share, "max_rejected_share"),
        *_seen(params),
        *(
            _rows(f"{OF_CLASS}{name}", limits.min_per_class, _more(name, "lower validate.min_per_class"), where)
            for name in classes
            for where in [{"split": ANY, "label": name}]
        ),
        _smallest(
            "the rarest class, of its even share", "class_balance", limits.min_class_balance, "min_class_balance"
        ),
        _unique_share("share of unique pixels", "sha256", limits.min_unique_share, "min_unique_share"),
        *(
            _rows(f"{part} pictures of class {name}", 1, _more(name, advice), {"split": part, "label": name})
            for part, name in product(parts, classes)
            for advice in [f"free some of the splits in sources.csv: it needs {len(parts)} groups"]
        ),
        _accepted("accepted labels", "label", "expect_column_distinct_values_to_be_in_set", value_set=classes),
        *(
            []
            if UNKNOWN in families
            else [_accepted("known licences", "licence", "expect_column_values_to_not_be_null")]
        ),
        _accepted("accepted licences", "refused_licence", "expect_column_values_to_be_null"),
        _accepted("accepted pixels are unique", "sha256", "expect_column_values_to_be_unique"),
        _accepted("splits of a group", "splits_of_group", "expect_column_max_to_be_between", max_value=1),
    ]


def with_shared_pixels(table: pd.DataFrame, params: Params) -> pd.DataFrame:
    """Return a facts table with short_side, found, refused_licence, and what its rows say of one another: labels_of_pixels,
    copy_of.

    found is 1 or 0, null where nothing was sought. refused_licence is the licence where there is one and its family is
    not accepted. copy_of is the id of the copy to keep: the first whose licence is accepted, else the first. The other lines
    of of_images look at the pixels or their label, so they keep or reject all copies alike.
    """
    families, counts = params.snapshot.licences, columns.FOUND.get(params.preprocess.crop)
    found = table[counts] if counts else pd.Series(math.nan, table.index)
    stated = table["licence"].fillna("")
    refused = ~stated.map(lambda licence: licences.accepted(licence, families)).astype("bool")
    pixels = table.groupby("sha256")
    licensed_first = table.assign(refused=refused).sort_values("refused", kind="stable")
    kept = licensed_first.groupby("sha256")["id"].transform("first").reindex(table.index)
    return table.assign(
        refused_licence=table["licence"].where(refused),
        found=found.gt(0).astype("float64").where(found.notna()),
        short_side=table[["width", "height"]].min(axis=1).astype("float64"),
        labels_of_pixels=pixels["label"].transform("nunique").astype("float64"),
        copy_of=kept.where(kept != table["id"]),
    )


def with_outcome(table: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Return a table that has rejected, group and split with class_balance and splits_of_group, null where not accepted.

    class_balance is the number of accepted pictures of the row's class against what each class would have if all had as many.
    """
    accepted = table[table["split"].notna()]
    counts = accepted["label"].value_counts()
    return table.assign(
        class_balance=accepted["label"].map(counts * len(classes) / max(len(accepted), 1)).astype("float64"),
        splits_of_group=accepted.groupby("group")["split"].transform("nunique").astype("float64"),
    )


def _empty(name: str, column: str, advice: str) -> Expectation:
    return Expectation(name, "expect_column_values_to_be_null", "must be empty", advice, {"column": column})


def _filled(name: str, column: str, advice: str) -> Expectation:
    return Expectation(name, "expect_column_values_to_not_be_null", "must be given", advice, {"column": column})


def _licensed(families: Sequence[str]) -> list[Expectation]:
    """The licence policy: where unknown licences are accepted, a row may be without."""
    limit = f"must be one of {', '.join([*families, licences.OWN])}"
    advice = "remove the picture, or accept its licence in snapshot.licences"
    kwargs = {"column": "refused_licence"}
    accepted = Expectation("licence is accepted", "expect_column_values_to_be_null", limit, advice, kwargs)
    if UNKNOWN in families:
        return [accepted]
    return [_filled("licence is known", "licence", "write its licence in data/sources.csv"), accepted]


def _in_set(name: str, column: str, values: list[str], advice: str) -> Expectation:
    kwargs = {"column": column, "value_set": values}
    return Expectation(name, "expect_column_values_to_be_in_set", f"must be one of {', '.join(values)}", advice, kwargs)


def _between(name: str, column: str, low: float | None, high: float | None, advice: str) -> Expectation:
    limit = f"must be at least {low:g}" if high is None else f"must be at most {high:g}"
    kwargs = {"column": column, "min_value": low, "max_value": high}
    return Expectation(name, "expect_column_values_to_be_between", limit, advice, kwargs)


def _mean_at_most(name: str, column: str, share: float, key: str) -> Expectation:
    kwargs = {"column": column, "max_value": share}
    limit = f"must be at most {share:.0%}"
    return Expectation(name, "expect_column_mean_to_be_between", limit, _change("raise", key), kwargs)


def _seen(params: Params) -> list[Expectation]:
    """A finder's miss is no fault of the picture: too many are the pool's."""
    if params.preprocess.crop not in columns.FOUND:
        return []
    share, target = params.validate_.min_found_share, wording.OF[params.preprocess.crop].target
    kwargs = {"column": "found", "min_value": share}
    advice = f"add pictures that show {target}, lower validate.min_found_share, or set preprocess.crop: none"
    limit = f"must be at least {share:.0%}"
    return [Expectation(f"{SEEN}{target} is found", "expect_column_mean_to_be_between", limit, advice, kwargs)]


def _smallest(name: str, column: str, share: float, key: str) -> Expectation:
    kwargs = {"column": column, "min_value": share}
    limit = f"must be at least {share:.0%}"
    return Expectation(name, "expect_column_min_to_be_between", limit, _change("lower", key), kwargs)


def _unique_share(name: str, column: str, share: float, key: str) -> Expectation:
    kwargs = {"column": column, "min_value": share}
    limit, kind = f"must be at least {share:.0%}", "expect_column_proportion_of_unique_values_to_be_between"
    return Expectation(name, kind, limit, _change("lower", key), kwargs)


def _more(label: str, otherwise: str) -> str:
    return f"add pictures to data/{label}/, or {otherwise}"


def _rows(name: str, least: int, advice: str, where: dict[str, str]) -> Expectation:
    limit = f"must be at least {least}"
    return Expectation(name, "expect_table_row_count_to_be_between", limit, advice, {"min_value": least}, where)


def _accepted(name: str, column: str, kind: str, **kwargs: Any) -> Expectation:
    """What the quarantine and the split promise, checked once more on the pictures they let through."""
    advice = "this should never happen: report it"
    return Expectation(name, kind, "must keep to the contract", advice, {"column": column, **kwargs}, {"split": ANY})


def _change(verb: str, key: str) -> str:
    return f"correct them or {verb} validate.{key}"
