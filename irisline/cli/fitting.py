"""irisline fit-limits: the limits that validate holds each picture to, fitted to the pictures that are there."""

import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from irisline.cli.output import show_table
from irisline.core import console, paths
from irisline.core.errors import DataError, IrislineError

if TYPE_CHECKING:
    import pandas as pd

    from irisline.core.params import Params
    from irisline.validation.great_expectations import Failure
    from irisline.validation.picture_limits import Limit

SHEET = paths.FIT_LIMITS_REPORT / "still_refused.png"


def fit_limits(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the values; leave params.yaml as it is.")] = False,
) -> None:
    """Loosen the limits of validate in params.yaml until they let 99 % of the pictures through; auto becomes a number.

    None becomes stricter, and what tells nothing stays out: black frames, blank pages, thumbnails of a few pixels.
    """
    from irisline.cli import params_file
    from irisline.core import params
    from irisline.validation import data_contract, fitted_limits, image_statistics, picture_limits, refused_sheet

    settings = params.read(paths.PARAMS)
    _collect()
    table = data_contract.with_shared_pixels(
        image_statistics.table(paths.COLLECTED, settings.execution, "none"), settings
    )
    before = picture_limits.of(settings.validate_, table)
    failures = _failures(settings, before, table)
    others = {failure.id for failure in failures if failure.expectation not in picture_limits.BY_NAME}
    table = table[~table["id"].isin(list(others))]
    if table.empty:
        raise DataError(f"{paths.COLLECTED}: no pictures to fit limits to; add pictures to {paths.POOL}/<class>/")
    after = fitted_limits.fitted(before, table)
    refused = [failure for failure in failures if failure.id not in others], _failures(settings, after, table)
    _show(before, after, *refused)
    for when, out in zip(("now", "then"), refused, strict=True):
        count = len({failure.id for failure in out})
        console.say(f"{when}, {count} of {len(table)} pictures are refused by these limits ({count / len(table):.1%})")
    refused_sheet.write(SHEET, paths.COLLECTED, refused[1], "Still refused")
    console.say(f"look at {SHEET}: what would still be refused")
    values = {key: limit.value for key, limit in after.items() if limit.auto or limit != before[key]}
    if not values:
        console.say(f"{paths.PARAMS}: nothing to change")
    elif dry_run:
        console.say(f"{paths.PARAMS} is as it was; without --dry-run, {', '.join(values)} would be written")
    else:
        params_file.change(paths.PARAMS, "validate", values)
        console.say(f"{paths.PARAMS}: {', '.join(values)} written; type make repro")


def _collect() -> None:
    """See to it that what was collected is what lies in the pool, where DVC can tell."""
    if not Path(".dvc").is_dir():
        return
    done = subprocess.run([sys.executable, "-m", "dvc", "repro", "--quiet", "collect"], check=False)
    if done.returncode:
        raise IrislineError("the pool could not be collected: the lines above say why")


def _failures(settings: "Params", limits: "Mapping[str, Limit]", table: "pd.DataFrame") -> "list[Failure]":
    from irisline.validation.great_expectations import Judge

    with TemporaryDirectory(prefix="irisline-") as scratch:
        return Judge(settings, limits, Path(scratch)).failures(table)


def _show(
    before: "Mapping[str, Limit]",
    after: "Mapping[str, Limit]",
    refused_now: "Sequence[Failure]",
    refused_then: "Sequence[Failure]",
) -> None:
    from irisline.validation import picture_limits

    now, then = (Counter(failure.expectation for failure in out) for out in (refused_now, refused_then))
    rows = [
        (
            f"validate.{each.key}",
            f"{before[each.key].value:g}{' (auto)' * before[each.key].auto}",
            now[each.name],
            f"{after[each.key].value:g}",
            then[each.name],
        )
        for each in picture_limits.ALL
    ]
    show_table(("param", "now", "refuses", "then", "refuses"), rows)
