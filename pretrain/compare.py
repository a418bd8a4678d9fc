"""What a start from drawn eyes brings, and what a balance of white: trainings side by side, as tables in Markdown.

A person runs it; no stage does. Trains on pictures of the pool as artifacts/validate holds them, wrong labels and all, with the
variants that params ask for; measures on drawn pictures of another seed, and on a person's own. Knows nothing of calibration:
confidence is the softmax of the logits.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from PIL import Image

from irisline.collection.drawn_pool import draw_pool
from irisline.core import linear_light, params, paths, seeding
from irisline.core.errors import ModelError
from irisline.core.execution import map_ordered
from irisline.core.params import Params
from irisline.dataset import augmentation, crops, images, shards
from irisline.eyes import finder
from irisline.networks import architectures
from irisline.networks.architectures import Network
from irisline.training import learner
from irisline.training.learner import Progress
from irisline.training.samples import Samples

STARTS = {"scratch": ("one_cycle", 0.003), "rendered": ("fine_tune", 0.001), "imagenet": ("fine_tune", 0.001)}
"""Schedule and highest learning rate of each: the best of those tried for it."""

COUNTS = (20, 50, 100, 150)
EPOCHS = 4
OTHER_SEED = 1_000_003
HELD_OUT = 200
SURE = 0.9
LIGHTS = {"as it is": (1.0, 1.0, 1.0), "warm": (1.3, 1.0, 0.6), "cold": (0.75, 1.0, 1.4)}
"""By how much each band of linear light is multiplied: roughly a lamp, and shade, under a camera set for daylight."""

Squares = NDArray[np.uint8]


@dataclass(frozen=True)
class Shown:
    """The eyes of the nearest person of a picture, uint8 (n, 3, size, size), and the class it is filed under."""

    squares: Squares
    label: str


def main(
    real: Annotated[Path | None, typer.Option(help="A folder of your own pictures: a folder for each class.")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each kind.")] = 3,
) -> None:
    """Print the tables of docs/eyes.md. Needs artifacts/validate/: type make repro before."""
    given = params.read(paths.PARAMS)
    torch.set_num_threads(1)
    training = _of_training(given)
    with TemporaryDirectory() as folder:
        draw_pool(Path(folder), HELD_OUT, OTHER_SEED, given.base.classes, defects=False)
        measured = {"drawn": _of_folder(Path(folder), given)} | ({"real": _of_folder(real, given)} if real else {})
    _head("pictures", measured)
    for start in STARTS:
        try:
            for count in COUNTS:
                _row(f"{start} | {count}", start, count, range(seeds), training, measured, given)
        except ModelError as error:  # weights that cannot be had here
            typer.echo(f"{start} is left out: {error}", err=True)
    lit = {
        f"{name}, {cast}": [_lit(one, gains) for one in shown]
        for name, shown in measured.items()
        for cast, gains in LIGHTS.items()
    }
    neutral = {name: [_balanced(one) for one in shown] for name, shown in lit.items()}
    whiter = [[_balanced(one) for one in family] for family in training]
    _head("squares", lit)
    for start in ("scratch", "rendered"):
        _row(f"{start} | as they are", start, COUNTS[-1], range(seeds), training, lit, given)
        _row(f"{start} | white made neutral", start, COUNTS[-1], range(seeds), whiter, neutral, given)


def _head(second: str, measured: dict[str, list[Shown]]) -> None:
    columns = ["start", second, *(f"{name}: wrong of {len(shown)}" for name, shown in measured.items())]
    typer.echo(f"\n| {' | '.join(columns)} |\n{'|---' * len(columns)}|")


def _of_training(given: Params) -> list[list[Shown]]:
    """Return each training picture with its variants, those without an eye left out."""
    rows = list(shards.of_split(paths.ACCEPTED, "train"))
    make = partial(augmentation.variants, seed=given.base.seed, strengths=given.augment)
    families = map_ordered(partial(_family, make=make, given=given), rows, given.execution)
    return [family for family in families if family]


def _family(row: shards.Row, make: "partial[list[shards.Row]]", given: Params) -> list[Shown]:
    seen = [_shown(each["image"], row["label"], given) for each in (row, *make(row))]
    return [one for one in seen if one]


def _of_folder(folder: Path, given: Params) -> list[Shown]:
    files = [(file, name) for name in given.base.classes for file in sorted((folder / name).iterdir())]
    limits = given.collect.max_side, given.collect.max_pixels
    pictures = ((images.encode(images.decode(file.read_bytes(), *limits)), name) for file, name in files)
    return [one for data, name in pictures if (one := _shown(data, name, given))]


def _shown(data: bytes, label: str, given: Params) -> Shown | None:
    nearest = [view.pixels for view in crops.of_stored(data, given.preprocess) if view.subject == 0]
    return Shown(np.stack(nearest), label) if nearest else None


def _lit(shown: Shown, gains: Sequence[float]) -> Shown:
    linear = linear_light.to_linear(shown.squares) * np.array(gains, np.float32)[:, None, None]
    return Shown(linear_light.to_display(linear), shown.label)


def _balanced(shown: Shown) -> Shown:
    pictures = (finder.balanced(Image.fromarray(square.transpose(1, 2, 0))) for square in shown.squares)
    return Shown(np.stack([images.as_pixels(picture) for picture in pictures]), shown.label)


def _row(
    name: str,
    start: str,
    count: int,
    seeds: Iterable[int],
    training: Sequence[list[Shown]],
    measured: dict[str, list[Shown]],
    given: Params,
) -> None:
    trained = [_trained(start, seed, _some(training, count, seed), given) for seed in seeds]
    cells = (", ".join(_wrong(one, shown, given.base.classes) for one in trained) for shown in measured.values())
    typer.echo(f"| {name} | {' | '.join(cells)} |")


def _some(training: Sequence[list[Shown]], count: int, seed: int) -> list[list[Shown]]:
    order = sorted(range(len(training)), key=lambda index: seeding.unit("compare", seed, index))
    return [training[index] for index in order[:count]]


def _trained(start: str, seed: int, families: list[list[Shown]], given: Params) -> Network:
    schedule, rate = STARTS[start]
    recipe = {"init": start, "schedule": schedule, "learning_rate": rate, "epochs": EPOCHS, "device": "cpu"}
    train = given.train.model_copy(update=recipe)
    classes = given.base.classes
    built = architectures.build(train.arch, len(classes), start, seed, classes)
    samples = _samples([one for family in families for one in family], classes)
    with TemporaryDirectory() as folder:
        learner.fit(built, samples, _samples(families[0][:1], classes), train, seed, Progress(Path(folder) / "epoch"))
    return built.eval()


def _samples(shown: Sequence[Shown], classes: list[str]) -> Samples:
    labels = [classes.index(one.label) for one in shown for _ in one.squares]
    return Samples(torch.from_numpy(np.concatenate([one.squares for one in shown])), torch.tensor(labels))


@torch.inference_mode()
def _wrong(trained: Network, measured: Sequence[Shown], classes: list[str]) -> str:
    """Return how many got a wrong answer, and how many of them with a confidence above SURE."""
    logits = torch.stack([trained(torch.from_numpy(one.squares)).mean(0) for one in measured])
    truth = torch.tensor([classes.index(one.label) for one in measured])
    confidence, answer = logits.softmax(1).max(1)
    wrong = answer != truth
    surely = int((wrong & (confidence > SURE)).sum())
    return f"{int(wrong.sum())}" + (f" ({surely} surely)" if surely else "")


if __name__ == "__main__":
    typer.run(main)
