"""irisline new and upgrade: a project for any pictures, in a folder of its own, and what it notes of the platform."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from irisline.core import console, display_names

if TYPE_CHECKING:
    from irisline.new_project.layout import Layout

_SHOWN = 12  # classes that are named with their number of pictures


def new(
    folder: Annotated[Path, typer.Argument(help="The project's folder; must be new or empty.")],
    pictures: Annotated[
        Path | None, typer.Option("--from", help="Your pictures: folders by class, or a table of labels beside them.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="The model's name in the registry; else the folder's.")] = None,
    class_level: Annotated[
        int | None, typer.Option(help="Of nested folders, those that are the classes; 1: the first.", min=1)
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(help="A CSV, TSV or Parquet table: a column of files, one of labels.")
    ] = None,
    mirror: Annotated[
        bool, typer.Option(help="Whether a mirrored picture is still of its class; not so of letters.")
    ] = True,
    template: Annotated[str | None, typer.Option(help="The pictures that come with the platform instead.")] = None,
) -> None:
    """Make a project for any pictures: look at them, copy them, choose the params; then make repro does the rest."""
    from irisline.domains import templates
    from irisline.new_project import choices, create, layout

    if template in templates.BUNDLED and pictures is None:
        create.bundled(folder)
        console.say(f"{folder}: ready; type cd {folder} && make repro")
        return
    if pictures is None or template is not None:
        raise typer.BadParameter(f"say --from PICTURES or --template {'|'.join(templates.BUNDLED)}, one of them")
    create.check_target(folder)
    found = layout.read(pictures, class_level, labels)
    for line in _told(found):
        console.say(line)
    chosen = choices.of(found, choices.short_sides(found.pictures), name or folder.absolute().name, mirror)
    with console.progress("new", len(found.pictures)) as advance:
        create.project(folder, found, chosen, advance)
    for key, choice in chosen.items():
        value = " ".join(choice.value.split())
        console.say(f"params.yaml: {key}: {display_names.short(value, 60)}  ({choice.why})")
    console.say(f"{folder}: ready; type cd {folder} && make repro")


def upgrade() -> None:
    """Note the platform that is installed here in platform.yaml: DVC runs the stages again whose code has changed."""
    from irisline.new_project import platform

    if platform.note(Path()):
        console.say(f"{platform.FILE}: notes the platform that is installed now; its changed stages run again")


def _told(found: "Layout") -> list[str]:
    counts = Counter(picture.label for picture in found.pictures)
    named = [f"{display_names.shown(label)} {counts[label]}" for label in found.classes[:_SHOWN]]
    more = f", {len(counts) - _SHOWN} more" if len(counts) > _SHOWN else ""
    return [f"{len(found.pictures)} pictures of {len(counts)} classes: {', '.join(named)}{more}", *found.notes]
