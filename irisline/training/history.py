"""What each epoch of a training gave, as text and as curves. Knows nothing of how it is trained."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from irisline.core.plotting import BLUE, ORANGE, png

Epoch = dict[str, float]

COLUMNS = ("epoch", "train_loss", "valid_loss", "error_rate", "learning_rate", "images_per_second")


def as_tsv(history: Sequence[Epoch]) -> str:
    """Return the history as tab-separated text, one line per epoch."""
    lines = ["\t".join(COLUMNS)]
    lines += ["\t".join(f"{row[name]:.8g}" for name in COLUMNS) for row in history]
    return "\n".join(lines) + "\n"


def curves(history: Sequence[dict[str, float]]) -> bytes:
    """Draw the losses and the error rate by epoch."""
    figure = Figure(figsize=(9, 3.6))
    left, right = figure.subplots(1, 2)
    epochs = [row["epoch"] for row in history]
    _line(left, epochs, [row["train_loss"] for row in history], BLUE, "training")
    _line(left, epochs, [row["valid_loss"] for row in history], ORANGE, "validation")
    _line(right, epochs, [row["error_rate"] for row in history], ORANGE, "validation")
    left.set(xlabel="epoch", ylabel="cross-entropy, nats", title="Loss")
    right.set(xlabel="epoch", ylabel="share of wrong answers", title="Error rate", ylim=(0, None))
    left.legend(frameon=False)
    for axes in (left, right):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return png(figure)


def _line(axes: Axes, x: Sequence[float], y: Sequence[float], colour: str, label: str) -> None:
    axes.plot(x, y, "o-", color=colour, label=label)
