"""What a person sees while work is done: lines, failures and progress. Quiet bars when nobody watches."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from irisline.core import display_names

out = Console(highlight=False, soft_wrap=True, emoji=False)
err = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)


class _Speed(ProgressColumn):
    """Units done per second."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self.unit = unit

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f} {self.unit}/s" if speed else "", style="progress.data.speed")


def say(line: str) -> None:
    """Print lines for a person."""
    out.print(_harmless(line), markup=False)


def fail(line: str, details: Iterable[str] = ()) -> None:
    """Print one line about a failure, and each of its details on an indented line of its own."""
    err.print(_in_a_line(line), style="red", markup=False)
    for detail in details:
        err.print(f"  {_in_a_line(detail)}", markup=False)


def _in_a_line(text: str) -> str:
    return " ".join(_harmless(text).split())


def warn(line: str) -> None:
    """Print one line about what a person should look at before going on."""
    err.print(" ".join(_harmless(line).split()), style="yellow", markup=False)


def _harmless(text: str) -> str:
    """Return lines in which no name commands the terminal."""
    return "\n".join(map(display_names.shown, text.split("\n")))


@contextmanager
def progress(what: str, total: int | None, unit: str = "images") -> Iterator[Callable[[int], None]]:
    """Yield a function that advances a bar by so many units; the bar shows only on a terminal and leaves one line behind."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Speed(unit), TimeRemainingColumn())
    with Progress(*columns, console=err, disable=not err.is_terminal) as bars:
        task = bars.add_task(what, total=total)
        yield lambda count: bars.advance(task, count)
