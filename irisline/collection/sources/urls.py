"""A list of pictures that a person has made: a CSV with the columns label, url, licence and, if wished, some more.

No search; the words of a query are not looked at. Knows nothing of where the addresses lead.
"""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from irisline.collection.sources import text_cleaning
from irisline.collection.sources.candidate import Candidate, Query
from irisline.core import class_names
from irisline.core.bounded import plain_files
from irisline.core.errors import SearchFailed, UnfitFile
from irisline.core.params import Snapshot
from irisline.dataset import licences

NEEDED = ("label", "url", "licence")
WISHED = ("author", "page_url", "title")
Line = dict[str, str]


class Urls:
    """The pictures that snapshot.urls lists."""

    name = "urls"

    def __init__(self, settings: Snapshot, classes: list[str]) -> None:
        if not settings.urls:
            raise SearchFailed("urls: snapshot.urls is empty; set it in params.yaml to a CSV file of addresses")
        self._file = Path(settings.urls).expanduser()
        self._classes = classes

    def search(self, query: Query, limit: int) -> Iterator[Candidate]:
        """Yield at most limit pictures of the class in the order of the list, each address once.

        Raise SearchFailed that names the line which is wrong, whatever its class: a list is used whole or not at all.
        """
        urls: set[str] = set()
        for line in self._lines():
            if line["label"] == query.label and line["url"] not in urls and len(urls) < limit:
                urls.add(line["url"])
                yield self._candidate(line, query, len(urls))

    def _candidate(self, line: Line, query: Query, rank: int) -> Candidate:
        return Candidate(
            provider=self.name,
            provider_id=text_cleaning.id_of(line["url"]),
            query=query,
            rank=rank,
            image_url=line["url"],
            page_url=text_cleaning.address(line.get("page_url")),
            title=text_cleaning.line(line.get("title")),
            author=text_cleaning.line(line.get("author")),
            licence=line["licence"],
            licence_url=licences.url_of(line["licence"]),
        )

    def _lines(self) -> list[Line]:
        try:
            data = plain_files.read(self._file, plain_files.TABLE)
            text = data.decode("utf-8-sig")  # spreadsheets put a mark before the first column's name
        except FileNotFoundError as error:
            raise SearchFailed(f"urls: {self._file}: no such file; mind snapshot.urls in params.yaml") from error
        except UnfitFile as error:
            raise SearchFailed(f"urls: {error}") from error
        except (OSError, UnicodeDecodeError) as error:
            raise SearchFailed(f"urls: {self._file}: {text_cleaning.line(str(error))}; save it as UTF-8") from error
        reader = csv.DictReader(io.StringIO(text, newline=""))
        try:
            if missing := [name for name in NEEDED if name not in (reader.fieldnames or ())]:
                raise SearchFailed(
                    f"urls: {self._file}: no column {', '.join(missing)}; its first line names the columns"
                )
            return [self._checked(reader.line_num, line) for line in reader]
        except csv.Error as error:
            raise SearchFailed(
                f"urls: {self._file}: line {reader.reader.line_num}: {error}; correct or drop that line"
            ) from error

    def _checked(self, number: int, line: dict[str, str | None]) -> Line:
        """Return a line with its licence spelled as everywhere; raise SearchFailed that names it when it is wrong."""
        given = {name: (value or "").strip() for name, value in line.items() if name in (*NEEDED, *WISHED)}
        licence = licences.canonical(given["licence"]) or licences.of_url(given["licence"])
        where = f"urls: {self._file}: line {number}"
        if given["label"] not in self._classes:
            raise SearchFailed(
                f"{where}: label {given['label']!r} is not one of base.classes: {class_names.some(self._classes)}"
            )
        if not text_cleaning.address(given["url"]):
            raise SearchFailed(f"{where}: {given['url'][:100]!r} is no http or https address")
        if given["licence"] and not licence:
            raise SearchFailed(
                f"{where}: licence {given['licence'][:100]!r} is unknown; write CC-BY-SA-4.0, CC0-1.0, PDM-1.0, own or an "
                "address of creativecommons.org, or nothing when you do not know it"
            )
        return given | {"licence": licence}
