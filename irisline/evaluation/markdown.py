"""Parts of a page in Markdown: lists, tables, numbers. Knows nothing of what they tell."""

from collections.abc import Iterable, Sequence

from irisline.core import display_names


def listed(*lines: str) -> str:
    """Return lines as a list."""
    return "\n".join(f"- {line}" for line in lines)


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return rows under their head."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def between(low: float | None, high: float | None) -> str:
    """Return an interval, nothing where there is none."""
    return "" if low is None or high is None else f"{low:.2f} to {high:.2f}"


def counted(counts: dict[str, int]) -> str:
    """Return how often each name is there."""
    return ", ".join(f"{display_names.markdown(name)} {count}" for name, count in counts.items())
