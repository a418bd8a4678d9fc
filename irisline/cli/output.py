"""The one way commands answer: a table on a terminal, tab-separated lines in a pipe, JSON when asked for."""

import json
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from irisline.core import console, display_names

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Show rows under their columns' names, if they have any; a cell that is None is a dash."""
    cells = [["-" if cell is None else display_names.shown(str(cell)) for cell in row] for row in rows]
    if not console.out.is_terminal:
        typer.echo("\n".join("\t".join(line) for line in [columns, *cells] if line))
        return
    table = Table(*columns, box=None, header_style="bold", pad_edge=False, show_header=bool(columns))
    for line in cells:
        table.add_row(*map(Text, line))
    console.out.print(table)


def show_json(document: Any) -> None:
    """Print a document as JSON and nothing else; of a name that is not UTF-8, the numbers."""
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False).encode("utf-8", "backslashreplace").decode())
