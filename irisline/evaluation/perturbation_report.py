"""The pages of the perturbation tests: every answer on a perturbed picture, the shares that flip, and an example to look at."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from PIL import Image

from irisline.core.plotting import BLUE, GREY, ORANGE, png, words
from irisline.dataset import crops, shards, tables
from irisline.dataset.images import Pixels
from irisline.evaluation import flips, perturbation_tests
from irisline.evaluation.flips import Asked, Flips
from irisline.evaluation.perturbation_tests import Trial

ALL = "all of these"  # several answers about each picture, which are not independent: no interval
CANDIDATES = 16  # pictures that are looked through for one to show
LABEL = 16  # signs of a class above a picture
THUMBNAIL = 200  # pixels of the longer side


@dataclass(frozen=True)
class Example:
    """A perturbed picture, what the network sees of it, and what to write above."""

    picture: Image.Image
    square: Pixels
    caption: str
    flipped: bool


def files(
    asked: Sequence[Asked], folder: Path, tried: Trial, most: float | None, least: float | None
) -> dict[str, bytes]:
    """Return the files of reports/evaluate/ for answers on the test split of a folder of rows.

    The figure shows the largest share that may flip by what must not matter, and the least by what must, where there are such.
    """
    return {
        "perturbations.csv": table(asked).encode(),
        "perturbations.png": draw(asked, list(examples(asked, folder, tried)), most, least),
    }


def table(asked: Sequence[Asked]) -> str:
    """Return perturbations.csv: one line per perturbed picture; said is empty where nothing was found."""
    columns = ("id", "perturbation", "before", "wanted", "said", "flipped")
    return tables.as_csv(
        columns,
        ((one.id, one.perturbation, one.before, one.wanted, one.said, str(one.flipped).lower()) for one in asked),
    )


def examples(asked: Sequence[Asked], folder: Path, tried: Trial) -> Iterator[Example]:
    """Yield a test picture as it is and perturbed: of those with most answers as wanted, the one that shows most."""
    right = Counter(each.id for each in asked if each.said == each.wanted)
    most = max(right.values(), default=0)
    rows = (row for row in shards.of_split(folder, "test") if most and right[row["id"]] == most)
    complete = list(islice(rows, CANDIDATES))
    for shown in sorted(complete, key=lambda row: tried.domain.scale(tried.decode(row["image"])))[:1]:  # much around it
        yield from _perturbed(
            shown, {each.perturbation: each for each in asked if each.id == shown["id"] and each.said}, tried
        )


def _perturbed(row: shards.Row, said: Mapping[str, Asked], tried: Trial) -> Iterator[Example]:
    picture = tried.decode(row["image"])
    square = crops.of(picture, tried.preprocess)[0].pixels
    yield _example(picture, square, f"as it is:\n{words(next(iter(said.values())).before, LABEL)}", False)
    for each in perturbation_tests.perturbed(row, tried):
        if each.perturbation in said:
            answer, square = said[each.perturbation], tried.look(each.picture)[0].pixels
            yield _example(
                each.picture,
                square,
                f"{_spoken(each.perturbation)}:\n{words(answer.said or '', LABEL)}",
                answer.flipped,
            )


def _example(picture: Image.Image, square: Pixels, caption: str, flipped: bool) -> Example:
    picture.thumbnail((THUMBNAIL, THUMBNAIL))
    return Example(picture, square.transpose(1, 2, 0), caption, flipped)


def _spoken(perturbation: str) -> str:
    return perturbation.replace("_", " ")


def draw(asked: Sequence[Asked], shown: Sequence[Example], most: float | None, least: float | None) -> bytes:
    """Draw the share of answers that flip by each perturbation with its limit, and a picture under each."""
    figure = Figure(figsize=(13.5, 6.4), layout="constrained")
    figure.suptitle("Perturbation tests: answers that flip when the picture is changed, with 95 % intervals")
    above, below = figure.subfigures(2, 1, squeeze=False, height_ratios=(3.6, 2.6)).flat
    directional = flips.of_each([each for each in asked if each.directional])
    panels = above.subplots(1, 1 + bool(directional), squeeze=False, width_ratios=(2, 1)[: 1 + bool(directional)]).flat
    invariant = [each for each in asked if not each.directional]
    counts = {ALL: flips.counted(invariant)} | flips.of_each(invariant)
    _bars(panels[0], counts, most, "What must not matter: at most {:.0%} may flip")
    if directional:
        _bars(panels[1], directional, least, "What matters: at least {:.0%} must flip")
    for axes in panels:
        axes.set_ylim(len(counts) - 0.4, -0.6)
    for number, example in enumerate(shown, start=1):
        _show(below.add_subplot(2, len(shown), number), example.picture, example)
        _show(below.add_subplot(2, len(shown), number + len(shown)), example.square)
    return png(figure)


def _bars(axes: Axes, counts: Mapping[str, Flips], limit: float | None, title: str) -> None:
    shown = {_spoken(name): each for name, each in counts.items() if each.answers}
    for place, (name, each) in enumerate(shown.items()):
        low, high = (each.rate, each.rate) if name == ALL else each.interval
        axes.barh(place, each.rate, xerr=[[each.rate - low], [high - each.rate]], color=BLUE, ecolor=GREY, capsize=2)
        lost = f", {each.lost} lost" if each.lost else ""
        axes.text(high, place, f"  {each.flips} of {each.answers}{lost}", va="center", fontsize=8)
    if limit is not None:
        axes.axvline(limit, color=ORANGE, linestyle="--")
    axes.set(xlabel="share of answers that flip", xlim=(0, None))
    axes.set_title("No limit" if limit is None else title.format(limit), fontsize=10)
    axes.set_yticks(range(len(shown)), list(shown))
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))


def _show(axes: Axes, image: Image.Image | Pixels, example: Example | None = None) -> None:
    axes.imshow(image)
    axes.axis("off")
    if example:
        axes.set_title(example.caption, fontsize=8, color=ORANGE if example.flipped else "black")
