"""refused.png: refused pictures with the reason under each, so that a person sees whether a limit is right."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from irisline.core import display_names
from irisline.dataset import contact_sheet, shards
from irisline.validation import picture_limits
from irisline.validation.great_expectations import Failure

FILE = "refused.png"
COLUMNS, LINES = 8, 2  # of pictures, for each reason
_HIDDEN = ("reason", "licence", "refused_licence")  # nothing to show, and what may not be used


def write(target: Path, collected: Path, failures: Sequence[Failure], title: str = "Refused pictures") -> None:
    """Draw the pictures of a collected folder that lines gives, from their bytes there."""
    chosen = lines(failures)
    wanted = {failure.id for line in chosen for failure in line}
    pictures = {row["id"]: row["image"] for row in shards.stream(collected, ["id", "image"]) if row["id"] in wanted}
    cells = [[(pictures[failure.id], caption(failure)) for failure in line] for line in chosen]
    shown = f"{title}: at most {COLUMNS * LINES} of each reason, those nearest to the limit first"
    contact_sheet.write(cells, shown if cells else f"{title}: none to show", target)


def lines(failures: Sequence[Failure]) -> list[list[Failure]]:
    """Return what is shown, in lines: each picture once, by the first expectation it failed, the most frequent one first.

    Unreadable pictures are left out, and those whose licence is not accepted.
    """
    hidden = {failure.id for failure in failures if failure.column in _HIDDEN}
    first = {failure.id: failure for failure in reversed(failures) if failure.id not in hidden}
    by_reason: dict[str, list[Failure]] = defaultdict(list)
    for failure in sorted(first.values(), key=lambda failure: failure.id):
        by_reason[failure.expectation].append(failure)
    often = sorted(by_reason, key=lambda name: (-len(by_reason[name]), name))
    nearest = [_nearest_first(name, by_reason[name])[: COLUMNS * LINES] for name in often]
    return [one[start : start + COLUMNS] for one in nearest for start in range(0, len(one), COLUMNS)]


def caption(failure: Failure) -> str:
    """Return three lines: the value seen, the limit, the picture's name."""
    value = f"{float(failure.value):.3g}" if failure.expectation in picture_limits.BY_NAME else failure.value
    return "\n".join(
        display_names.shown(line)
        for line in (f"{failure.column} {value}", failure.limit, PurePosixPath(failure.id).stem)
    )


def _nearest_first(name: str, failures: list[Failure]) -> list[Failure]:
    if name not in picture_limits.BY_NAME:
        return failures
    least = picture_limits.BY_NAME[name].least
    return sorted(failures, key=lambda failure: float(failure.value), reverse=least)
