"""Which split a picture belongs to: drawn by the seed and its own pixels, filled up where a class would be without.

Let split(x, S) be the split of picture x in pool S. If adding a picture may never move an old one, then
split(x, S) = split(x, {x}): nothing but x itself may decide, and a small class may miss a split. If pictures may move only
towards being held out, and each class of N pictures has one in test, then of any N training pictures one would be in test:
fewer than N are left to train on, however many there are. So without a memory something must give, and it is this:

1. Each picture draws its split by a keyed hash. Those that draw test stay there.
2. A class with less than half its share in test takes pictures that drew valid; one with less than half its share in valid
   takes pictures that drew train. Those nearest to drawing it come first, so that as few as can be move when pictures come.

A picture that drew valid is in valid or in test, one that drew train in train or in valid: none ever moves from test to train,
nor from train to test. The one exception is a class in which nothing drew either of two splits: of N pictures a share of
(1 - valid - test)**N. A split that sources.csv gives is kept: that is the memory, for who needs one.

The frames of a clip draw as one, by the first: frames that come behind move nothing, one that is put before or between may.

Near-duplicates must not sit in two splits either. A group keeps its members of the most held-out split it reaches and sets
the others aside; a picture of the test split stays there whatever is added.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from irisline.core import paths, seeding
from irisline.core.errors import DataError
from irisline.core.params import Params, Split
from irisline.validation import groups, near_duplicates
from irisline.validation.near_duplicates import Pairs

NAMES = ("train", "valid", "test")  # from the least to the most held out


@dataclass(frozen=True)
class Member:
    """What is split as one: its labels, the split it drew, the number it drew it by, and whether it may be moved."""

    labels: frozenset[str]
    drawn: str
    key: float
    fixed: bool = False


def own(drawn_by: str, seed: int, shares: Split) -> str:
    """Return the split that one picture draws by the sha256 of its pixels, or a group by its name: train, valid or test."""
    return _of_key(seeding.unit(seed, "split", drawn_by), shares)


def _of_key(key: float, shares: Split) -> str:
    if key < shares.test:
        return "test"
    return "valid" if key < shares.test + shares.valid else "train"


def filled(members: Sequence[Member], shares: Split) -> list[str]:
    """Return the split of each member, so that each label has at least half its share in each, where it has enough members.

    A member of several labels is where the most held out of them has it.
    """
    of_label = defaultdict(list)
    for place, member in enumerate(members):
        for label in member.labels:
            of_label[label].append(place)
    names = [NAMES[0]] * len(members)
    for places in of_label.values():
        found = _of_label([members[place] for place in places], shares)
        for place, name in zip(places, found, strict=True):
            names[place] = max(name, names[place], key=NAMES.index)
    return names


def _of_label(members: Sequence[Member], shares: Split) -> list[str]:
    names = [member.drawn for member in members]
    wanted = {name: share for name in NAMES if (share := getattr(shares, name)) > 0}
    if len(members) < len(wanted):
        return names
    least = {name: max(1, round(len(members) * share / 2)) for name, share in wanted.items()}
    free = sorted((place for place, member in enumerate(members) if not member.fixed), key=lambda p: members[p].key)
    counts = Counter(names)

    def fill(name: str, most: int, origin: str, left: int, order: Iterable[int]) -> None:
        """Move members from origin in this order until the split has its least, or most if that is fewer."""
        for place in order:
            if counts[name] >= min(most, least.get(name, 0)) or counts[origin] <= left:
                return
            if names[place] == origin:
                names[place] = name
                counts.update({name: 1, origin: -1})

    fill("test", len(members), "valid", 0, free)
    fill("test", 1, "train", 1, free)
    fill("valid", len(members), "train", 1, free)
    for name, origin in (("valid", "test"), ("train", "valid"), ("train", "test")):
        fill(name, 1, origin, 1, reversed(free))
    return names


def divide(table: pd.DataFrame, rejected: Collection[str], params: Params) -> pd.DataFrame:
    """Return the table without thumbnails, with rejected (1 or 0), group, conflict and split.

    group and split are null where rejected, split also where set aside. conflict is the label and id of a picture that shows
    the same under another label, unless a person reviewed the row: then which is right is not known, and neither is kept.
    Raise DataError where sources.csv gives one group two splits.
    """
    out, readable = table["id"].isin(list(rejected)), table[table["sha256"].notna()]
    rest = _drawn(readable, params)[~out[readable.index]]
    distance = params.split.near_duplicate_distance
    alike = near_duplicates.pairs(rest["phash"].tolist(), rest["thumbnail"].tolist(), distance)
    together = groups.chained(zip(rest["unit"], rest["drawn"], strict=True))
    component = near_duplicates.components(len(rest), near_duplicates.joined(alike, together))
    rest = rest.assign(component=component, conflict=_conflicts(rest, alike))
    added = {
        "group": rest.groupby("component")["sha256"].transform("min").map(lambda sha256: sha256[:16]),
        "conflict": rest["conflict"],
        "split": _splits(rest, params.split),
    }
    text = {name: pd.Series(column, table.index, dtype="str") for name, column in added.items()}
    return table.drop(columns="thumbnail").assign(rejected=out.astype("float64"), **text)


def _drawn(table: pd.DataFrame, params: Params) -> pd.DataFrame:
    """Return readable rows with unit, what their split is drawn by; key, the number drawn; the split drawn; fixed, if given."""
    units = groups.units(table)
    given = [name if isinstance(name, str) else "" for name in table["given_split"]]
    of_unit = defaultdict(set)
    for unit, name in zip(units, given, strict=True):
        of_unit[unit].add(name)
    for unit, names in of_unit.items():
        if len(names := names - {""}) > 1 and unit.startswith(groups.NAMED):
            raise DataError(
                f"{paths.POOL / paths.SOURCES}: {unit} is given the splits {' and '.join(sorted(names))}; "
                "pictures of one group lie in one split: give them the same, or none"
            )
    keys = [seeding.unit(params.base.seed, "split", unit) for unit in units]
    taken = [name or max(of_unit[unit], key=("", *NAMES).index) for unit, name in zip(units, given, strict=True)]
    drawn = [name or _of_key(key, params.split) for key, name in zip(keys, taken, strict=True)]
    return table.assign(unit=units, key=keys, drawn=drawn, fixed=[name != "" for name in taken])


def _conflicts(rows: pd.DataFrame, alike: Pairs) -> pd.Series:
    """Return for each row the label and id of what looks the same and has another label; null where a person reviewed it."""
    labels, ids, reviewed = rows["label"].tolist(), rows["id"].tolist(), rows["reviewed"].notna().tolist()
    found: dict[int, str] = {}
    for left, right in zip(*(side.tolist() for side in alike), strict=True):
        for one, other in ((left, right), (right, left)):
            if labels[one] != labels[other] and not reviewed[one]:
                named = f"{labels[other]}: {ids[other]}"
                found[one] = min(named, found.get(one, named))
    return pd.Series([found.get(place) for place in range(len(rows))], rows.index, dtype="str")


def _splits(rows: pd.DataFrame, shares: Split) -> pd.Series:
    """Return the split of each row that stays: in no conflict, and in the most held-out split that its group drew."""
    depth = rows["drawn"].map(NAMES.index)
    kept = rows[(depth == depth.groupby(rows["component"]).transform("max")) & rows["conflict"].isna()]
    one = kept.sort_values("key").groupby("component").agg({"drawn": "first", "key": "first", "fixed": "any"})
    labels = defaultdict(set)
    for component, label in zip(kept["component"], kept["label"], strict=True):
        labels[component].add(label)
    facts = zip(one.index, one["drawn"].tolist(), one["key"].tolist(), one["fixed"].tolist(), strict=True)
    members = [Member(frozenset(labels[place]), drawn, key, fixed) for place, drawn, key, fixed in facts]
    return kept["component"].map(dict(zip(one.index, filled(members, shares), strict=True)))
