"""Pictures that the model of the workspace cannot know: how many it says so of, and what that costs of those it can.

Planted: eyes of other colours, one blue and one brown eye, and what `without_eyes` draws. Ordinary: eyes of the model's two
drawn colours whose keys no pool has. Each is answered twice: with the distance to the training pictures, and without.
"""

from collections.abc import Iterator
from functools import partial
from itertools import count, islice

from PIL import Image

from bench._pictures import EVERY_CORE
from bench._side_by_side import at_least, at_most, figure, heading, number
from irisline.core import paths
from irisline.core.execution import map_ordered
from irisline.dataset.images import encode
from irisline.eyes.rendering import render, sample, true_irises
from irisline.eyes.rendering.without_eyes import KINDS, draw_without_eye
from irisline.inference.classifier import Classifier
from irisline.inference.predictions import Reader

ORDINARY = ("blue", "brown")
OTHERS = ("hazel", "green", "grey")
ODD = "one blue, one brown"


def main() -> None:
    """Print for each kind the share of unsure answers with and without the score, then what both add up to."""
    each = number("BENCH_DRAWN", 150)
    if not (paths.TRAINED / "model.json").is_file():
        raise SystemExit(f"bench: {paths.TRAINED}/model.json: not here; type make repro to train a model")
    classifier = Classifier.load(paths.TRAINED, paths.CALIBRATED)
    heading(f"What the model does not know: {each} drawn pictures of each kind; unsure, and without the score")
    planted = [_told(classifier, kind, each) for kind in (*OTHERS, ODD, *KINDS)]
    ordinary = [_told(classifier, kind, each) for kind in ORDINARY]
    at_least("share unsure of what was planted", sum(unsure for unsure, _ in planted) / len(planted), 0.95)
    at_most("coverage lost by the score", sum(unsure - without for unsure, without in ordinary) / len(ordinary), 0.05)
    figure("share answered of ordinary pictures", 1 - sum(unsure for unsure, _ in ordinary) / len(ordinary))


def _told(classifier: Classifier, kind: str, each: int) -> tuple[float, float]:
    """Print and give the share of a kind's pictures that are unsure, with and without the score."""
    drawn = map_ordered(partial(_draw, kind), islice(_keys(kind), each), EVERY_CORE)
    alone = Reader(classifier.classes, classifier.reader.words, classifier.calibration)
    answers = [
        [reader.picture(*seen).unsure for reader in (classifier.reader, alone)] for seen in classifier.read(drawn)
    ]
    unsure, without = (sum(column) / each for column in zip(*answers, strict=True))
    print(f"  {kind:<20}{unsure:5.0%} unsure, {without:4.0%} without the score", flush=True)
    return unsure, without


def _keys(kind: str) -> Iterator[str]:
    """Return keys that no pool has; of odd eyes those whose picture shows both."""
    keys = (f"bench/unsure/{kind}/{at}" for at in count())
    return (key for key in keys if kind != ODD or all(iris.visible for iris in true_irises(sample(key, "blue"))))


def _draw(kind: str, key: str) -> bytes:
    if kind in KINDS:
        return encode(Image.fromarray(draw_without_eye(kind, key)))
    colours = ("blue", "brown") if kind == ODD else (kind,)
    return encode(Image.fromarray(render(sample(key, *colours))))


if __name__ == "__main__":
    main()
