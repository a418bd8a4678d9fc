"""Limits that let all but a few of a pool's pictures through, where the ones it has refuse more. Writes nothing."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from irisline.validation import picture_limits
from irisline.validation.picture_limits import Limit, PictureLimit

REFUSED = 0.01  # the share of pictures that may be


def fitted(limits: Mapping[str, Limit], table: pd.DataFrame) -> dict[str, Limit]:
    """Return limits by key, loosened so far that together they refuse at most REFUSED of the pictures; none becomes stricter.

    Those stay out that lie furthest beyond a limit, and all that tell nothing, however many they are. The order of the pictures
    has no say.
    """
    ours = [each for each in picture_limits.ALL if each.key in limits]
    known = table[table["short_side"].notna()].sort_values("id", kind="stable")
    loosest = {each.key: each.looser(each.nothing, limits[each.key].value) for each in ours}
    telling = known[~_any([each.refuses(known[each.column], loosest[each.key]) for each in ours], known)]
    excess = np.max([_excess(each, limits[each.key].value, telling) for each in ours], axis=0, initial=0.0)
    spare = max(0, int(REFUSED * len(known)) - (len(known) - len(telling)))
    kept = telling.iloc[np.sort(np.argsort(-excess, kind="stable")[spare:])]
    return {each.key: _loosened(each, limits[each.key], kept, loosest[each.key]) for each in ours}


def _any(masks: list["pd.Series[bool]"], known: pd.DataFrame) -> "pd.Series[bool]":
    return pd.concat([pd.Series(False, known.index), *masks], axis=1).any(axis=1)


def _excess(each: PictureLimit, limit: float, table: pd.DataFrame) -> picture_limits.Facts:
    """Return how far pictures lie beyond a limit, of the way from what holds for photographs to what tells nothing."""
    at, photographs, nothing = each.scaled(np.array([limit, each.photographs, each.nothing]))
    facts = each.scaled(table[each.column].to_numpy(dtype=np.float64))
    excess: picture_limits.Facts = np.maximum(0.0, (facts - at) / (nothing - photographs))
    return excess


def _loosened(each: PictureLimit, limit: Limit, kept: pd.DataFrame, loosest: float) -> Limit:
    if not each.refuses(kept[each.column], limit.value).any():
        return limit
    outermost = each.outward(float(kept[each.column].min() if each.least else kept[each.column].max()))
    return replace(limit, value=each.tighter(outermost, loosest))
