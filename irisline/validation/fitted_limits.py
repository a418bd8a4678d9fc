"""Limits that let all but a few of a pool's pictures through, where the ones it has refuse more. Writes nothing."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from irisline.validation import picture_limits
from irisline.validation.picture_limits import Limit, PictureLimit

REFUSED = 0.01  # the share of pictures that may be


def fitted(limits: Mapping[str, Limit], table: pd.DataFrame) -> dict[str, Limit]:
    """Return limits by key, loosened so far that together they refuse at most REFUSED of the pictures that tell something.

    Those that are least like the others stay out: the furthest beyond auto limits, then beyond the given ones. So do all that
    tell nothing, however many they are. No limit becomes stricter, and the order of the pictures has no say.
    """
    ours = [each for each in picture_limits.ALL if each.key in limits]
    known = table[table["short_side"].notna()].sort_values("id", kind="stable")
    nothing = [each.tells_nothing(known[each.column], limits[each.key].value) for each in ours]
    telling = known[~np.any(nothing, axis=0)]
    excess = np.max([_excess(each, limits[each.key].value, telling) for each in ours], axis=0)
    asked = {each.key: each.looser(picture_limits.auto(each, table), limits[each.key].value) for each in ours}
    oddness = np.max([_excess(each, asked[each.key], telling) for each in ours], axis=0)
    kept = telling.iloc[np.lexsort((-excess, -oddness))[int(REFUSED * len(telling)) :]]
    return {each.key: _loosened(each, limits[each.key], kept) for each in ours}


def _excess(each: PictureLimit, limit: float, table: pd.DataFrame) -> picture_limits.Facts:
    """Return how far pictures lie beyond a limit, of the way from what holds for photographs to what tells nothing."""
    at, photographs, nothing = each.scaled(np.array([limit, each.photographs, each.nothing]))
    facts = each.scaled(table[each.column].to_numpy(dtype=np.float64))
    excess: picture_limits.Facts = np.maximum(0.0, (facts - at) / (nothing - photographs))
    return excess


def _loosened(each: PictureLimit, limit: Limit, kept: pd.DataFrame) -> Limit:
    if not each.refuses(kept[each.column], limit.value).any():
        return limit
    outermost = each.outward(float(kept[each.column].min() if each.least else kept[each.column].max()))
    return replace(limit, value=each.tighter(outermost, each.nothing))
