"""One training from the tables on disk to a network with its history. Knows nothing of MLflow or where outputs go."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from irisline.core import console, paths
from irisline.core.errors import DataError
from irisline.core.params import Params
from irisline.dataset import shards as manifest
from irisline.dataset import training_set
from irisline.domains import wording
from irisline.labels import suspects
from irisline.networks import architectures as network
from irisline.networks.architectures import Network
from irisline.networks.bundle import file_digest
from irisline.training import learner, samples, schedule
from irisline.training.history import Epoch
from irisline.training.learner import Progress, Watch
from irisline.training.samples import Samples

SEEDED_BY = {"base", "labels", "preprocess", "train"}  # the sections that decide what is trained


@dataclass(frozen=True)
class Trained:
    """A trained network, how it got there, and the pictures it was validated on."""

    network: Network
    history: list[Epoch]
    validation: Samples


def run(params: Params, init: str, progress_file: Path, on_epoch: Callable[[Epoch], None]) -> Trained:
    """Train from initial weights (scratch, rendered, imagenet or file:PATH), or go on from where the progress file stands."""
    training, validation = load(params)
    names = params.base.classes
    net = network.build(params.train.arch, len(names), init, params.base.seed, names)
    network.check_size(net, params.train.arch, params.preprocess.size)
    progress = Progress.resume(progress_file)
    epochs = sum(phase.epochs for phase in schedule.phases(params.train, len(training)))
    if progress.history:
        console.say(f"train: goes on after epoch {len(progress.history)} of {epochs}")
    left = (epochs - len(progress.history)) * len(training)
    with console.progress("train", left) as advance:
        watch = Watch(advance, on_epoch, progress)
        history = learner.fit(net, training, validation, params.train, params.base.seed, progress, [watch])
    return Trained(net, history, validation)


def load(params: Params) -> tuple[Samples, Samples]:
    """Return the training samples, variants included, and the validation samples; raise DataError when a class is absent."""
    originals = manifest.table(paths.ACCEPTED).select(["split", "label"]).to_pylist()
    for split in ("train", "valid", "test"):
        _check_classes({row["label"] for row in originals if row["split"] == split}, split, params)
    rows = (
        chain(
            suspects.of_training(manifest.of_split(paths.ACCEPTED, "train"), params.labels, variant=False),
            suspects.of_training(manifest.stream(paths.AUGMENTED), params.labels, variant=True),
        ),
        manifest.of_split(paths.ACCEPTED, "valid"),
    )
    # In one go: workers take longer to start than a hundred pictures to decode.
    trained, valid = samples.load(rows, params.base.classes, params.preprocess, params.execution)
    for split, found in (("train", trained), ("valid", valid)):
        _check_seen(found, split, params)
    return trained, valid


def key(params: Params, init: str) -> str:
    """Return the digest of all that decides what is trained: params, rows, and the file of initial weights if there is one."""
    start = network.rendered(params.train.arch) if init == "rendered" else Path(init.removeprefix("file:"))
    folders = (paths.ACCEPTED, paths.LABELLED, paths.AUGMENTED)
    shards = (file_digest(file) for folder in folders for file in sorted(folder.glob("*.parquet")))
    described = params.model_dump_json(include=SEEDED_BY)
    weights = file_digest(start) if init.startswith(("file:", "rendered")) and start.is_file() else init
    return hashlib.sha256("\n".join((described, weights, *shards)).encode()).hexdigest()[:16]


def facts(params: Params, epochs: int) -> dict[str, Any]:
    """Return what model.json says of a model beyond its weights: how to feed it, how it was made, on whose pictures."""
    pictures = training_set.of(manifest.table(paths.ACCEPTED))
    return {
        "name": params.base.name,
        "classes": params.base.classes,
        "preprocess": params.preprocess.model_dump(),
        "max_side": params.collect.max_side,
        "max_pixels": params.collect.max_pixels,
        "arch": params.train.arch,
        "init": params.train.init,
        "epochs": epochs,
        "data_licences": training_set.counts(pictures, "licence"),
        "data_providers": training_set.counts(pictures, "provider"),
        "data_pictures": training_set.digest(pictures),
    }


def _check_classes(present: set[str], split: str, params: Params) -> None:
    absent = [name for name in params.base.classes if name not in present]
    if absent:
        raise DataError(
            f"{paths.ACCEPTED}: no {absent[0]} picture in the {split} split; add pictures of {absent[0]}, "
            f"or raise split.{split}"
        )


def _check_seen(found: Samples, split: str, params: Params) -> None:
    words = wording.OF[params.preprocess.crop]
    counts = found.classes.bincount(minlength=len(params.base.classes)).tolist()
    if blind := [name for name, count in zip(params.base.classes, counts, strict=True) if not count]:
        raise DataError(
            f"{paths.ACCEPTED}: {words.nothing_found} in any {blind[0]} picture of the {split} split; add pictures that show "
            f"{words.target}, or set preprocess.crop: none"
        )
