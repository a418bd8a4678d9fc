"""irisline take-down: a picture out of the pool for good, and every version that was made from it named."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from irisline.cli.output import Json, show_json, show_table
from irisline.core import console, paths
from irisline.core.errors import ReleaseError

if TYPE_CHECKING:
    from irisline.collection.removal import Removal
    from irisline.core.params import Params
    from irisline.release.publishing.purge_steps import Step
    from irisline.release.publishing.trained_on import Use


def take_down(
    what: Annotated[str, typer.Argument(help="An id of the pool, an image's or page's URL, a sha256, or an author.")],
    reason: Annotated[str, typer.Option(help="Why, for data/take_downs.csv.")],
    author: Annotated[
        bool, typer.Option("--author", help="It is an author, to be kept out though the pool has none of theirs.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Take pictures out of the pool, never fetch them again, and name every version that was made from them."""
    from irisline.collection import removal as removing
    from irisline.core import params

    settings = params.read(paths.PARAMS)
    removal = removing.remove(settings, what, reason, author)
    uses, failure = _uses(settings, what, removal)
    steps = _steps(settings, removal, uses)
    if as_json:
        show_json(_document(removal, uses, steps, failure))
    else:
        _tell(what, removal, uses, steps, told=not failure)
    if failure:
        console.fail(f"which versions hold it is not known: {failure}; type the same command again when that is fixed")
    if failure or not (removal.known or uses):
        raise typer.Exit(1)


def _uses(settings: "Params", what: str, removal: "Removal") -> "tuple[list[Use], str]":
    """Return the versions, and why not when the store cannot be read: the pictures are gone from the pool all the same."""
    from irisline.release.publishing import trained_on

    pixels, page = [one.pixels for one in removal.removed if one.pixels], what if removal.kind == "url" else ""
    if not removal.ids and not page:
        return [], ""
    try:
        found = trained_on.uses(settings, removal.ids, pixels, page)
        return [use for use in found if removal.known or not use.unknown], ""
    except ReleaseError as error:
        return [], str(error)


def _steps(settings: "Params", removal: "Removal", uses: "list[Use]") -> "list[Step]":
    from irisline.release.publishing import purge_steps

    return purge_steps.steps(settings.base.name, uses) if removal.removed or uses else []


def _document(removal: "Removal", uses: "list[Use]", steps: "list[Step]", failure: str) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(removal) | {
        "versions": None if failure else [use.document() for use in uses],
        "to_do": [asdict(step) for step in steps],
    }


def _tell(what: str, removal: "Removal", uses: "list[Use]", steps: "list[Step]", told: bool) -> None:
    for one in removal.removed:
        console.say(f"removed {paths.POOL}/{one.id}")
    if not removal.known:
        console.fail(f"{what}: no picture of the pool{_remembered(removal)}")
    elif not removal.removed:
        before = "had no file in the pool, and will never be fetched" if removal.changed else "was taken down before"
        console.say(f"{', '.join(removal.ids)}: {before}")
    for name, others in removal.alike.items():
        console.say(f"looks like {name} and stays: {', '.join(others)}; irisline take-down removes it too")
    if uses:
        console.say("")
        show_table(("version", "aliases", "train", "valid", "test", "golden"), map(_row, uses))
    elif removal.known and told:
        console.say("no registered version was made from it")
    if steps:
        console.say("\nwhat to do next")
        show_table((), [(step.command, step.why) for step in steps])


def _remembered(removal: "Removal") -> str:
    if removal.kind == "id":
        return ""
    return "; it is remembered, and will never be fetched" if removal.changed else "; it was remembered before"


def _row(use: "Use") -> list[object]:
    named = [use.version.number, ", ".join(use.version.aliases) or None]
    if use.unknown:
        return [*named, f"unknown: {use.unknown}", None, None, None]
    parts = [len(use.splits.get(part, ())) for part in ("train", "valid", "test")]
    return [*named, *parts, len(use.golden)]
