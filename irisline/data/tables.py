"""Tables that people edit beside the pool, as CSV: read as they are, written whole. Knows nothing of their columns."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from irisline import paths
from irisline.errors import DataError


def text(file: Path) -> str:
    """Give the text of a table; raise DataError when it is not UTF-8."""
    try:
        return file.read_text(encoding="utf-8-sig")  # spreadsheets put a mark before the first column's name
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: not UTF-8: {error.reason} at byte {error.start}; save it as UTF-8") from error


def write(file: Path, columns: Sequence[str], lines: Iterable[Mapping[str, object]]) -> None:
    """Write the lines whole; a column a person added stays behind ours."""
    lines = list(lines)
    added = [name for name in dict.fromkeys(name for line in lines for name in line) if name not in columns]
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, [*columns, *added], lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(lines)
    paths.write_whole(file, buffer.getvalue())
