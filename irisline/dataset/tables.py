"""Tables that people open in a spreadsheet, as CSV: read as they were written, written whole. Knows nothing of their columns.

A spreadsheet takes a cell that begins like a formula for one, and runs it: =, +, -, @, their wide forms, tab or a line
break, also behind spaces or quotes (OWASP, CSV Injection). Such a cell is written behind an apostrophe, and read without.
"""

import csv
import io
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from irisline.core import paths
from irisline.core.bounded import plain_files
from irisline.core.errors import DataError

_FORMULA = re.compile(r"""[\s"'\u2018\u2019\u201c\u201d]*[=+\-@\uff1d\uff0b\uff0d\uff20\t\r\n]""")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)

Line = dict[str, str]


class _Lines(list[str]):
    """A list that a CSV writer can write to, a line at a time."""

    write = list.append


def as_csv(columns: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    """Return a table as text: the names of its columns, then its rows."""
    lines = _Lines()
    writer = csv.writer(lines, lineterminator="\r\n")  # so that it quotes a cell with either
    writer.writerows([_harmless(cell) for cell in row] for row in (columns, *rows))
    return "".join(line.removesuffix("\r\n") + "\n" for line in lines)


def write(file: Path, columns: Sequence[str], lines: Iterable[Mapping[str, object]]) -> None:
    """Write the lines whole; a column a person added stays behind ours."""
    lines = list(lines)
    added = [name for name in dict.fromkeys(name for line in lines for name in line) if name not in columns]
    every = [*columns, *added]
    paths.write_whole(file, as_csv(every, ([line.get(name, "") for name in every] for line in lines)))


def read(file: Path, needed: Collection[str]) -> list[tuple[int, Line]]:
    """Return the lines of a table, each with its number in the file, as they were before they were written.

    A cell that is missing is empty. Raise DataError when the file is not UTF-8, not CSV, lacks a needed column or has a line
    of more cells than columns; UnfitFile as plain_files.read does.
    """
    reader = csv.DictReader(io.StringIO(_text(file), newline=""), restval="", strict=True)
    try:
        if missing := set(needed) - {_as_it_was(name) for name in reader.fieldnames or ()}:
            raise DataError(f"{file}: no column {', '.join(sorted(missing))}; its first line names the columns")
        lines = [(reader.line_num, raw) for raw in reader]
    except csv.Error as error:
        raise DataError(f"{file}: line {reader.reader.line_num}: {error}; correct or drop that line") from error
    if long := [number for number, raw in lines if None in raw]:
        raise DataError(f"{file}: line {long[0]}: more cells than columns; put quotes around a cell with a comma")
    return [(number, {_as_it_was(name): _as_it_was(cell) for name, cell in raw.items()}) for number, raw in lines]


def _text(file: Path) -> str:
    data = plain_files.read(file, plain_files.TABLE)
    try:
        return data.decode("utf-8-sig")  # spreadsheets put a mark before the first column's name
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: not UTF-8: {error.reason} at byte {error.start}; save it as UTF-8") from error


def _harmless(cell: object) -> str:
    text = "" if cell is None else str(cell)
    return f"'{text}" if _is_formula(text) else text


def _as_it_was(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _is_formula(cell[1:]) else cell


def _is_formula(text: str) -> bool:
    """Return whether a spreadsheet may take a cell for a formula; also one that was made harmless, so that both come back."""
    return bool(_FORMULA.match(text)) and not _NUMBER.fullmatch(text)
