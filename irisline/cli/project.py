"""irisline pool, doctor, summary and ui: the project around the model."""

from pathlib import Path
from typing import Annotated

import typer

from irisline.cli.output import Json, show_json, show_table
from irisline.core import console, paths
from irisline.core.errors import IrislineError


def pool(
    count: Annotated[int, typer.Option(help="How many pictures.", min=1)],
    out: Annotated[Path, typer.Option(help="The folder to fill; must be new or empty.")],
    seed: Annotated[int | None, typer.Option(help="Else base.seed of params.yaml.", min=0)] = None,
    defects: Annotated[bool, typer.Option(help="Plant wrong labels, duplicates and spoiled files.")] = False,
) -> None:
    """Draw a pool of labelled pictures: the same bytes for the same seed."""
    from irisline.collection.drawn_pool import draw_pool
    from irisline.core import params

    if out.is_file():
        raise IrislineError(f"{out}: is a file; name a new folder")
    if out.is_dir() and any(out.iterdir()):
        raise IrislineError(f"{out}: holds files already; name a new folder")
    base = params.read(paths.PARAMS).base
    with console.progress("pool", count) as advance:
        try:
            draw_pool(out, count, base.seed if seed is None else seed, base.classes, defects, lambda *_: advance(1))
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error
    console.say(f"{out}: {count} pictures; type dvc add {out} to pin them")


def doctor(as_json: Json = False) -> None:
    """Say what is installed, which device and stores are used, what is missing and how to get it."""
    from dataclasses import asdict

    from irisline.cli import doctor as examination

    findings = examination.examine()
    if as_json:
        show_json([asdict(finding) for finding in findings])
    else:
        show_table(("", "what", "found", "what to do"), ([f.mark, f.what, f.found, f.advice] for f in findings))
    if not all(finding.well for finding in findings):
        raise typer.Exit(1)


def summary(
    since: Annotated[float | None, typer.Option(help="Seconds since 1970; stages that ended before: cached.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Exit 1 when the model may not be used, for CI.")] = False,
) -> None:
    """Say what the last run came to: stages and times, error rate, version, what to type next, and whether it may be used."""
    from irisline.cli import summary as recap
    from irisline.core import params

    found = recap.of(params.read(paths.PARAMS), since)
    for line in found.lines:
        console.say(line)
    if check and not found.usable:
        raise typer.Exit(1)


def ui(port: Annotated[int, typer.Option(help="On 127.0.0.1.", min=1, max=65535)] = 5000) -> None:
    """Open the MLflow pages over the project's store; Ctrl-C ends them."""
    from irisline.core import params
    from irisline.release.tracking import mlflow_ui

    mlflow_ui.serve(params.read(paths.PARAMS), port)
