"""How a classifier answers on perturbed pictures: by what must not matter no answer may flip, by what must each one follows.

Through the whole path from bytes to an answer. Knows nothing of what a domain changes, nor of how answers are counted.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from irisline.core import console, seeding
from irisline.core.domain import Perturbations
from irisline.core.execution import map_ordered
from irisline.core.params import Crop, Execution, Params, Preprocess
from irisline.dataset import crops, images, shards
from irisline.dataset.crops import View
from irisline.domains import perturbations
from irisline.evaluation.evaluate import Answers
from irisline.evaluation.flips import Asked
from irisline.inference.classifier import Classifier

FEATURES = 24  # training pictures of a class whose class features are measured: the median of more is much the same
LOOKED_THROUGH = 96  # for them, drawn by key: some may show none
LEAST_COLOUR = 6  # of 255 between bands; grey pictures stored as JPEG have 0 to 2
MOSTLY = 0.9  # of the training pictures in grey, and all are taken as grey


@dataclass(frozen=True)
class Trial:
    """What a domain perturbs, what is typical of each class, and how pictures are read; it travels to workers."""

    crop: Crop
    names: tuple[str, ...]
    prototypes: Mapping[str, Any]
    seed: int
    preprocess: Preprocess
    max_side: int
    max_pixels: int

    @property
    def domain(self) -> Perturbations:
        """The perturbations to choose from."""
        return perturbations.OF[self.crop]

    def decode(self, data: bytes) -> Image.Image:
        """Return the picture of a file, as the classifier reads it."""
        return images.decode(data, self.max_side, self.max_pixels)

    def look(self, picture: Image.Image) -> list[View]:
        """Return what the network sees of a picture that was saved and sent."""
        return crops.of(self.decode(images.encode(picture)), self.preprocess)


@dataclass(frozen=True)
class Perturbed:
    """A perturbed picture, and the class it was changed towards, if it was."""

    perturbation: str
    to: str | None
    picture: Image.Image


def trial(classifier: Classifier, folder: Path, params: Params) -> Trial:
    """Return what params ask for; colour and what is typical of a class are measured in the train split of a folder of rows."""
    limits = classifier.max_side, classifier.max_pixels
    empty = Trial(params.preprocess.crop, (), {}, params.base.seed, classifier.preprocess, *limits)
    names = perturbations.chosen(params, _is_grey(folder, empty))
    empty = replace(empty, names=names)
    if not set(names) & set(empty.domain.directional):
        return empty
    found = {name: list(islice(_class_features(folder, name, empty), FEATURES)) for name in classifier.classes}
    found = {name: features for name, features in found.items() if features}
    others = {name: [feature for other in found.keys() - {name} for feature in found[other]] for name in found}
    prototypes = {name: empty.domain.class_prototype(found[name], others[name]) for name in found if others[name]}
    return replace(empty, prototypes=prototypes)


def _is_grey(folder: Path, tried: Trial) -> bool:
    """Return whether the training pictures are in grey."""
    drawn = _drawn(shards.of_split(folder, "train"), tried)
    bands_apart = [np.ptp(np.asarray(tried.decode(row["image"])), axis=2) for row in drawn]
    grey = [np.percentile(apart, 95) < LEAST_COLOUR for apart in bands_apart]
    return bool(sum(grey) > MOSTLY * len(grey))


def _drawn(rows: Iterable[shards.Row], tried: Trial) -> list[shards.Row]:
    return heapq.nsmallest(LOOKED_THROUGH, rows, key=lambda row: seeding.unit(tried.seed, "shade", row["sha256"]))


def _class_features(folder: Path, label: str, tried: Trial) -> Iterator[Any]:
    for row in _drawn((row for row in shards.of_split(folder, "train") if row["label"] == label), tried):
        if (feature := tried.domain.class_feature(tried.decode(row["image"]))) is not None:
            yield feature


def perturbed(row: shards.Row, tried: Trial) -> Iterator[Perturbed]:
    """Yield a row's picture under each perturbation that can be made to it."""
    picture, domain = tried.decode(row["image"]), tried.domain
    found, others = domain.detect(picture), sorted(tried.prototypes.keys() - {row["label"]})
    for name in tried.names:
        random = seeding.generator(tried.seed, row["sha256"], name)
        if name in domain.invariant:
            to, made = None, domain.apply(name, picture, found, random)
        elif others:
            to = seeding.pick(random, others)
            made = domain.apply_towards(name, picture, found, tried.prototypes[to])
        else:
            continue
        if made is not None:
            yield Perturbed(name, to, made)


def ask(classifier: Classifier, test: Answers, folder: Path, tried: Trial, execution: Execution) -> list[Asked]:
    """Return the answers on perturbed pictures of the test split of a folder of rows; test holds those on the unchanged.

    A picture that was not seen is left out. Pictures are changed towards another class where the answer was right: of others it
    is in doubt what they show.
    """
    before = [classifier.classes[best] for best in test.logits.argmax(axis=1)]
    rows = zip(shards.of_split(folder, "test"), before, test.seen, strict=True)
    seen = ((row, said) for row, said, was_seen in rows if was_seen)
    asked: list[Asked] = []
    with console.progress("perturb the test split", int(test.seen.sum())) as advance:
        for shown in map_ordered(partial(_shown, tried=tried), seen, execution):
            asked += _answered(classifier, shown)
            advance(1)
    return asked


def _shown(item: tuple[shards.Row, str], tried: Trial) -> list[tuple[Asked, list[View]]]:
    row, before = item
    return [
        (Asked(row["id"], each.perturbation, before, each.to or before), tried.look(each.picture))
        for each in perturbed(row, tried)
        if each.to is None or before == row["label"]
    ]


def _answered(classifier: Classifier, shown: Sequence[tuple[Asked, list[View]]]) -> Iterator[Asked]:
    outputs = classifier.outputs_of([seen for _, seen in shown]) if shown else []
    for (question, seen), of_seen in zip(shown, outputs, strict=True):
        yield replace(question, said=classifier.reader.picture(seen, of_seen).label if seen else None)
