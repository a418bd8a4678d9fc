"""How a classifier behaves on changed pictures: by what must not matter no answer may flip, by another iris each one must.

Invariance and directional tests as in CheckList (Ribeiro et al. 2020), through the whole path from bytes to an answer. Knows
nothing of how answers are counted.
"""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path

from PIL import Image

from irisline.core import console, seeding
from irisline.core.execution import map_ordered
from irisline.core.params import Execution, Params, Preprocess
from irisline.dataset import crops, images, shards
from irisline.dataset.crops import View
from irisline.evaluation.evaluate import Answers
from irisline.evaluation.flips import Asked
from irisline.eyes import finder, perturbations
from irisline.eyes.perturbations import RECOLOUR, Shade
from irisline.inference.classifier import Classifier

SHADES = 24  # training pictures of a class whose irises are measured: the median of more is much the same
LOOKED_THROUGH = 96  # for them, drawn by key: a finder may miss some


@dataclass(frozen=True)
class Trial:
    """What is changed, how irises of each class look, and how pictures are read; it travels to workers."""

    names: tuple[str, ...]
    shades: Mapping[str, Shade]
    seed: int
    preprocess: Preprocess
    max_side: int
    max_pixels: int

    def decode(self, data: bytes) -> Image.Image:
        """Return the picture of a file, as the classifier reads it."""
        return images.decode(data, self.max_side, self.max_pixels)

    def look(self, picture: Image.Image) -> list[View]:
        """Return what the network sees of a picture that was saved and sent."""
        return crops.of(self.decode(images.encode(picture)), self.preprocess)


@dataclass(frozen=True)
class Changed:
    """A changed picture, and the class whose colour its irises were given, if they were."""

    change: str
    to: str | None
    picture: Image.Image


def trial(classifier: Classifier, folder: Path, params: Params) -> Trial:
    """Return what params.evaluate.changes asks for; irises are measured in the train split of a folder of rows."""
    names, seed = tuple(params.evaluate.changes), params.base.seed
    empty = Trial(names, {}, seed, classifier.preprocess, classifier.max_side, classifier.max_pixels)
    if RECOLOUR not in names:
        return empty
    found = {name: list(islice(_shades(folder, name, empty), SHADES)) for name in classifier.classes}
    found = {name: shades for name, shades in found.items() if shades}
    others = {name: [shade for other in found.keys() - {name} for shade in found[other]] for name in found}
    return replace(
        empty, shades={name: perturbations.clear(found[name], others[name]) for name in found if others[name]}
    )


def _shades(folder: Path, label: str, tried: Trial) -> Iterator[Shade]:
    rows = (row for row in shards.of_split(folder, "train") if row["label"] == label)
    for row in heapq.nsmallest(LOOKED_THROUGH, rows, key=lambda row: seeding.unit(tried.seed, "shade", row["sha256"])):
        picture = tried.decode(row["image"])
        for face in finder.find(picture).faces[:1]:
            yield perturbations.shade(picture, face)


def changed(row: shards.Row, tried: Trial) -> Iterator[Changed]:
    """Yield a row's picture under each change that can be made to it: some need eyes."""
    picture = tried.decode(row["image"])
    faces, others = finder.find(picture).faces, sorted(tried.shades.keys() - {row["label"]})
    for name in tried.names:
        random = seeding.generator(tried.seed, row["sha256"], name)
        if name != RECOLOUR and (faces or name not in perturbations.AROUND_EYES):
            yield Changed(name, None, perturbations.HARMLESS[name](picture, faces, random))
        if name == RECOLOUR and faces and others:
            to = seeding.pick(random, others)
            yield Changed(name, to, perturbations.recolour(picture, faces, tried.shades[to]))


def ask(classifier: Classifier, test: Answers, folder: Path, tried: Trial, execution: Execution) -> list[Asked]:
    """Return the answers on changed pictures of the test split of a folder of rows; test holds those on the unchanged.

    A picture that was not seen is left out. Irises are recoloured where the answer was right: of others it is in doubt what
    colour they are.
    """
    before = [classifier.classes[best] for best in test.logits.argmax(axis=1)]
    rows = zip(shards.of_split(folder, "test"), before, test.seen, strict=True)
    seen = ((row, said) for row, said, was_seen in rows if was_seen)
    asked: list[Asked] = []
    with console.progress("change the test split", int(test.seen.sum())) as advance:
        for shown in map_ordered(partial(_shown, tried=tried), seen, execution):
            asked += _answered(classifier, shown)
            advance(1)
    return asked


def _shown(item: tuple[shards.Row, str], tried: Trial) -> list[tuple[Asked, list[View]]]:
    row, before = item
    return [
        (Asked(row["id"], each.change, before, each.to or before), tried.look(each.picture))
        for each in changed(row, tried)
        if each.to is None or before == row["label"]
    ]


def _answered(classifier: Classifier, shown: Sequence[tuple[Asked, list[View]]]) -> Iterator[Asked]:
    outputs = classifier.outputs_of([seen for _, seen in shown]) if shown else []
    for (question, seen), of_seen in zip(shown, outputs, strict=True):
        yield replace(question, said=classifier.reader.picture(seen, of_seen).label if seen else None)
