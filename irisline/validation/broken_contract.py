"""What a person reads when the pool does not meet the data contract: every limit it breaks, and the value that would pass."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import pandas as pd

from irisline.core import display_names, paths
from irisline.core.errors import DataError
from irisline.validation import data_contract, fitted_limits, picture_limits, rejected
from irisline.validation.data_contract import Expectation
from irisline.validation.great_expectations import Broken, Failure
from irisline.validation.picture_limits import Limit

NAMED = 8  # classes in a line; of the rest, the number


def stop_if(
    broken: Sequence[Broken], table: pd.DataFrame, failures: Sequence[Failure], of_images: Sequence[Expectation]
) -> None:
    """Raise DataError with a line for each broken limit of the pool, then one for each expectation that pictures failed."""
    if not broken:
        return
    lines = list(_of_pool(broken, table))
    details = [
        *_of_pictures(of_images, table, failures),
        *filter(None, [rejected.told_aside(table).removeprefix(", ")]),
    ]
    if any(failure.expectation in picture_limits.BY_NAME for failure in failures):
        details.append("irisline fit-limits --dry-run shows values that let all but 1% of the pictures through")
    if len(lines) == 1:
        raise DataError(lines[0], details)
    raise DataError(
        f"{len(lines)} limits of the data contract are broken; see {paths.VALIDATE_REPORT}/", lines + details
    )


def _of_pool(broken: Sequence[Broken], table: pd.DataFrame) -> Iterator[str]:
    """Yield a line for each limit, one for all classes that break it; where nothing is accepted, the first alone."""
    accepted = table.loc[table["split"].notna(), "label"].unique()
    by_limit: dict[str, list[Broken]] = defaultdict(list)
    for each in broken:
        part, label = (each.expectation.where.get(column) for column in ("split", "label"))
        if part in (None, data_contract.ANY) or label in accepted:  # a class that has none is in no split
            by_limit[each.expectation.param or each.expectation.name].append(each)
    for group in list(by_limit.values())[: None if len(accepted) else 1]:
        yield _of_classes(group, table) if "label" in group[0].expectation.where else _of_table(group[0], table)


def _of_table(broken: Broken, table: pd.DataFrame) -> str:
    line, observed = broken.expectation, broken.observed
    if line.name == data_contract.HAS_PICTURES:
        return f"{paths.COLLECTED}: no pictures in the pool; {line.advice}"
    if observed is None:
        return f"{line.name}: not met, {line.limit}; {line.advice}"
    seen = f"{observed:.4g}"
    if line.name == data_contract.SHARE_REJECTED:
        seen = f"{observed:.1%}, {int(table['rejected'].sum())} of {len(table)} pictures"
    passing = math.ceil(observed * 100) / 100 if "max_value" in line.kwargs else math.floor(observed * 100) / 100
    passes = f"; {line.param}: {passing:g} would pass" if 0 < passing < 1 else ""
    return f"{line.name}: {seen}, {line.limit}; {line.advice}{passes}"


def _of_classes(group: Sequence[Broken], table: pd.DataFrame) -> str:
    line, part = group[0].expectation, group[0].expectation.where["split"]
    names = _listed([str(each.expectation.where["label"]) for each in group])
    advice = line.advice.replace("<class>", names) if len(group) == 1 else line.advice
    least = min(int(each.observed or 0) for each in group)
    if part != data_contract.ANY:
        return f"no {part} {data_contract.OF_CLASS}{names}; {advice}, raise {line.param}, or take another base.seed"
    if any(_set_aside(each, table) and _enough(each, table) for each in group):
        advice += ", or lower split.near_duplicate_distance"
    passing = f"; {line.param}: {least} would pass" if least else ""
    counts = _listed([_count(each, table) for each in group])
    each_of = " each" if len(group) > 1 else ""
    return f"{data_contract.OF_CLASS}{counts}, {line.limit}{each_of}; {advice}{passing}"


def _count(broken: Broken, table: pd.DataFrame) -> str:
    """Return the name of a class, how many of its pictures are accepted, and what became of the others."""
    label, accepted = broken.expectation.where["label"], int(broken.observed or 0)
    of_class = table[table["label"] == label]
    refused, aside = int(of_class["rejected"].sum()), _set_aside(broken, table)
    lost = [f"{count} {what}" for count, what in ((refused, "rejected"), (aside, "near-duplicates")) if count]
    return f"{label}: {accepted}" + (f" of {len(of_class)} ({', '.join(lost)})" if lost else "")


def _set_aside(broken: Broken, table: pd.DataFrame) -> int:
    of_class = table[table["label"] == broken.expectation.where["label"]]
    return int((of_class["split"].isna() & (of_class["rejected"] == 0)).sum())


def _enough(broken: Broken, table: pd.DataFrame) -> bool:
    """Tell whether a class would have enough pictures with those that were set aside."""
    least: int = broken.expectation.kwargs["min_value"]
    return (broken.observed or 0) + _set_aside(broken, table) >= least


def _of_pictures(of_images: Sequence[Expectation], table: pd.DataFrame, failures: Sequence[Failure]) -> Iterator[str]:
    """Yield how many pictures failed each expectation, with an example, and what would let them through."""
    times = Counter(failure.expectation for failure in failures)
    for line in of_images:
        if line.name in times:
            first = next(failure for failure in failures if failure.expectation == line.name)
            seen = f"{display_names.shown(first.id)} ({first.value or 'none'})"
            advice = _value(line, table) if line.name in picture_limits.BY_NAME else line.advice
            limit = "" if line.limit in data_contract.NO_VALUE else f", {line.limit}"
            yield f"{line.name}: {times[line.name]} of {len(table)} pictures, such as {seen}{limit}; {advice}"


def _value(line: Expectation, table: pd.DataFrame) -> str:
    """Return what to do about a limit of pictures: the value that lets all but 1 % of them through, where it is another."""
    each = picture_limits.BY_NAME[line.name]
    now = line.kwargs["min_value" if each.least else "max_value"]
    then = fitted_limits.fitted({each.key: Limit(now, False)}, table)[each.key].value
    nothing = int(each.tells_nothing(table[each.column], now).sum())
    advice, of_whom = (
        (f"{nothing} of them tell nothing, remove those", "the others") if nothing else (line.advice, "them")
    )
    return f"{advice}; {line.param}: {then:g} would let all but 1% of {of_whom} through" if then != now else advice


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
