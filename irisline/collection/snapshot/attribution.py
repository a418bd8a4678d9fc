"""ATTRIBUTION.md: who made the pictures of the pool, as their licences ask. Plain text from the lines of sources.csv."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from urllib.parse import quote

from irisline.collection.snapshot.source_lines import label_of
from irisline.collection.sources import text_cleaning
from irisline.core import display_names
from irisline.dataset import licences
from irisline.dataset.sources_table import Line, by_id, is_fetched

HEAD = """# Attribution

Who made the pictures of this pool, and under which licence each may be used. Written anew by `irisline snapshot`.
"""


def text(lines: Iterable[Line], present: Collection[str], classes: Iterable[str]) -> str:
    """Return the page for the files of the pool: one line for each picture by others; own and drawn ones are summed."""
    known = {name: line for name, line in by_id(lines).items() if is_fetched(line)}
    parts = [HEAD]
    for label in classes:
        files = sorted(name for name in present if label_of(name) == label)
        parts.append(f"\n## {label}\n\n")
        parts.extend(f"- {_credit(known[name])}\n" for name in files if _kind(known.get(name)) == "others")
        parts.extend(_sums(Counter(_kind(known.get(name)) for name in files)))
    return "".join(parts)


def _kind(line: Line | None) -> str:
    if line is None or line.get("licence") == "own":
        return "own"
    return "drawn" if line.get("provider") == "drawn" else "others"


def _sums(kinds: Counter[str]) -> Iterator[str]:
    if kinds["own"]:
        yield f"- Own pictures: {kinds['own']}\n"
    if kinds["drawn"]:
        yield f"- Drawn by Irisline: {kinds['drawn']}\n"
    if not kinds.total():
        yield "No pictures.\n"


def _credit(line: Line) -> str:
    """Return title, author, source and licence, in the order that Creative Commons recommends."""
    title = display_names.markdown(line.get("title", ""))
    work = _linked(f'"{title}"' if title else "Untitled", line.get("page_url", ""))
    author = display_names.markdown(line.get("author", "")) or "an unknown author"
    licence = display_names.markdown(line.get("licence", "")) or "licence unknown"
    terms = _linked(licence, line.get("licence_url") or licences.url_of(line.get("licence", "")))
    return f"{work} by {author}, {terms} ({display_names.code(line['id'])})"


def _linked(words: str, url: str) -> str:
    """Return words that lead to a page of the web; without a link where the address is none."""
    if not text_cleaning.address(url.replace(" ", "%20")):
        return words
    return f"[{words}]({quote(url, safe=':/?#@!$&+,;=%~')})"
