"""irisline labels: suspicious labels, and what a person decides about them."""

from typing import TYPE_CHECKING, Annotated

import typer

from irisline.cli.output import Json, show_json, show_table
from irisline.core import class_names, console, display_names, paths

if TYPE_CHECKING:
    from irisline.core.params import Params
    from irisline.labels.review import Label

app = typer.Typer(add_completion=False)

Ids = Annotated[
    list[str], typer.Argument(help="Pictures, as irisline labels lists them: cat/cat-0001.jpg.", metavar="ID…")
]
Why = Annotated[str, typer.Option(help="Why, for those who come after.")]
Replace = Annotated[bool, typer.Option("--replace", help="In place of an earlier decision.")]


SHOWN = 20  # unless told otherwise
Limit = Annotated[int, typer.Option(help="How many the table shows, the most suspicious first.", min=1)]
Every = Annotated[bool, typer.Option("--all", help="Labels that are not suspect, or decided, too.")]


@app.callback(invoke_without_command=True)
def labels(context: typer.Context, limit: Limit = SHOWN, every: Every = False, as_json: Json = False) -> None:
    """List suspicious labels; accept, reject or set them. What people decide is data/label_patches.csv."""
    if context.invoked_subcommand is None:
        listing(limit, every, as_json)
    elif (limit, every, as_json) != (SHOWN, False, False):
        raise typer.BadParameter(f"give it behind the verb: irisline labels {context.invoked_subcommand} …")


@app.command("list", epilog="Example: irisline labels list --limit 50")
def listing(limit: Limit = SHOWN, every: Every = False, as_json: Json = False) -> None:
    """List the labels that are suspect and that nobody has decided about."""
    from irisline.labels import review

    found = [label for label in review.listed(_params().base.classes) if every or label.open]
    if as_json:
        show_json([label.document() for label in found])
        return
    if not found:
        console.say("no label waits for a decision")
        return
    columns = ("rank", "id", "label", "suggested", "confidence", "split", "decision")
    show_table(columns, (_row(label) for label in found[:limit]))
    if len(found) > limit:
        console.say(f"{len(found) - limit} more: --limit {len(found)}")
    console.say(f"look at {paths.LABELS_REPORT}/suspects.png; then irisline labels accept, reject or set")


@app.command(epilog="Example: irisline labels accept cat/cat-0042.jpg")
def accept(ids: Ids, why: Why = "", replace: Replace = False) -> None:
    """The label is right: it is not suspect any more."""
    _decide(ids, replace, "accept", "", why)


@app.command(epilog='Example: irisline labels reject cat/cat-0042.jpg --why "no cat in it"')
def reject(
    ids: Ids, why: Annotated[str, typer.Option(help="Why; rejected.csv tells it.")], replace: Replace = False
) -> None:
    """The picture is of no class, or of no use: it stays out, with the reason."""
    _decide(ids, replace, "reject", "", why)


@app.command("set", epilog="Example: irisline labels set cat/cat-0042.jpg dog")
def set_(
    ids: Ids,
    to: Annotated[str, typer.Argument(help="One of base.classes.", metavar="LABEL")],
    why: Why = "",
    replace: Replace = False,
) -> None:
    """The picture shows another class: it gets that label, and stays where it lies."""
    _decide(ids, replace, "set", to, why)


def _decide(ids: list[str], replace: bool, action: str, label: str, why: str) -> None:
    from irisline.labels import decisions, review
    from irisline.release.tracking import store

    settings, file, who = _params(), paths.POOL / paths.LABEL_PATCHES, store.user()
    classes, label = settings.base.classes, display_names.same(label)
    if label and label not in classes:
        raise typer.BadParameter(f"{label!r} is not one of base.classes ({class_names.some(classes)})")
    known = review.of_pictures(ids, classes, settings.collect)
    decided = [one.decided(action, label or (one.given if action == "accept" else ""), who, why) for one in known]
    fresh = decisions.append(file, decided, classes, replace)
    for patch in fresh:
        console.say(f"{patch.id}: {patch.decision}")
    if fresh:
        console.say(f"{file}: {len(fresh)} new; type dvc add {paths.POOL} && make repro")
    else:
        console.say(f"{file}: says so already, nothing to do")


def _params() -> "Params":
    from irisline.core import params

    return params.read(paths.PARAMS)


def _row(label: "Label") -> list[object]:
    sure = None if label.confidence is None else f"{label.confidence:.2f}"
    return [label.rank, label.id, label.given, label.suggested, sure, label.split, label.decision]
