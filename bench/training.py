"""Training on the CPU against a bare torch loop on preloaded tensors, and against stock fastai reading files.

All train the same network from the same weights, with Adam and decoupled weight decay, over as many batches and epochs,
with a pass over the validation pictures after each epoch. The bare loop has no schedule, keeps no history, saves nothing.
Irisline's decoding of stored pictures into its array is measured apart: it does not count against the bare loop, and does
against stock fastai, which decodes in every epoch. Bounding and hashing pictures is the collect stage's work, done once
for all trainings, and not counted.
"""

import copy
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import nn

from bench import _pictures, _project
from bench._side_by_side import Seconds, alternate, at_least, heading, number, ratio, show
from irisline.core import params as parameters
from irisline.core.execution import map_ordered
from irisline.core.params import Params
from irisline.dataset import pool
from irisline.dataset.shards import Row
from irisline.networks import architectures
from irisline.networks.architectures import DEVIATION, MEAN, Network
from irisline.training import learner, samples, schedule
from irisline.training.learner import Progress
from irisline.training.samples import Samples

VALIDATION = 5  # training batches for each batch of validation
DECODING, OURS, BARE = "Irisline, decoding once", "Irisline, fit", "bare torch loop, preloaded tensors"
STOCK, STOCK_WORKERS = "stock fastai reading files, num_workers=0", "stock fastai reading files, its default"


def main() -> None:
    """Print images a second of each contender, and the ratios."""
    params = _params()
    batches, recipe = number("BENCH_BATCHES", 25), params.train
    images = batches * recipe.batch_size
    heading(
        f"Training {recipe.arch} at {params.preprocess.size} pixels on the CPU, {torch.get_num_threads()} threads: "
        f"{recipe.epochs} epochs of {batches} batches of {recipe.batch_size}"
    )
    with _project.scratch() as folder:
        sources = _pictures.drawn(folder / "drawn", number("BENCH_DRAWN", 100), seed=1)
        held_out = max(1, batches // VALIDATION) * recipe.batch_size
        _pictures.varied(sources, folder / "pictures/train", range(images))
        _pictures.varied(sources, folder / "pictures/valid", range(images, images + held_out))
        _report(_race(folder, params), schedule.epochs(recipe, images) * images)


def _params() -> Params:
    shipped = parameters.read(_project.ROOT / "params.yaml")
    epochs = number("BENCH_EPOCHS", 4)
    whole = shipped.preprocess.model_copy(update={"crop": "none", "size": 128})  # what stock fastai can be asked to do
    recipe = {"arch": "resnet18", "epochs": epochs, "schedule": "one_cycle", "init": "scratch", "device": "cpu"}
    return _changed(shipped.model_copy(update={"preprocess": whole}), **recipe)


def _changed(params: Params, **recipe: object) -> Params:
    return params.model_copy(update={"train": params.train.model_copy(update=recipe)})


def _race(folder: Path, params: Params) -> Seconds:
    fresh = architectures.build(params.train.arch, len(params.base.classes), params.train.init, params.base.seed)
    training, validation = (_rows(folder / "pictures" / split, params) for split in ("train", "valid"))
    decode = partial(_samples, training, validation, params)
    loaded = decode()
    preloaded, held_out = (Samples(mapped.pixels.clone(), mapped.classes) for mapped in loaded)

    def contenders(params: Params) -> dict[str, Callable[[], object]]:
        return {
            DECODING: decode,
            OURS: partial(_ours, fresh, *loaded, params, folder / "progress.pt"),
            BARE: partial(_bare, fresh, preloaded, held_out, params),
            STOCK: partial(_stock, fresh, folder / "pictures", params, {"num_workers": 0}),
            STOCK_WORKERS: partial(_stock, fresh, folder / "pictures", params, {}),
        }

    alternate(contenders(_changed(params, epochs=1)), runs=0)  # one epoch warms up as well as all
    return alternate(contenders(params), number("BENCH_RUNS", 3), warm_up=False)


def _report(seconds: Seconds, images: int) -> None:
    show(seconds, images)
    at_least("Irisline's fit / the bare loop, images a second", ratio(seconds[BARE], seconds[OURS]), 0.9)
    whole = [decoding + fit for decoding, fit in zip(seconds[DECODING], seconds[OURS], strict=True)]
    for name in (STOCK, STOCK_WORKERS):
        at_least(f"Irisline, decoding counted / {name}", ratio(seconds[name], whole), 1)


def _rows(folder: Path, params: Params) -> list[Row]:
    items = pool.items(folder, params.base.classes, params.collect)
    return list(map_ordered(pool.read, items, _pictures.EVERY_CORE))


def _samples(training: list[Row], validation: list[Row], params: Params) -> tuple[Samples, Samples]:
    classes = params.base.classes
    loaded, held_out = samples.load((training, validation), classes, params.preprocess, params.execution)
    return loaded, held_out


def _ours(fresh: Network, training: Samples, validation: Samples, params: Params, progress_file: Path) -> None:
    progress = Progress(progress_file)
    learner.fit(copy.deepcopy(fresh), training, validation, params.train, params.base.seed, progress)


def _bare(fresh: Network, training: Samples, validation: Samples, params: Params) -> None:
    net, recipe, loss = copy.deepcopy(fresh), params.train, nn.CrossEntropyLoss()
    optimizer = torch.optim.AdamW(net.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay)
    for _ in range(schedule.epochs(recipe, len(training))):
        net.train()
        for batch in torch.randperm(len(training)).split(recipe.batch_size):
            optimizer.zero_grad()
            loss(net(training.pixels[batch]), training.classes[batch]).backward()
            optimizer.step()
        net.eval()
        with torch.inference_mode():
            for batch in torch.arange(len(validation)).split(recipe.batch_size):
                loss(net(validation.pixels[batch]), validation.classes[batch])


def _stock(fresh: Network, folder: Path, params: Params, options: dict[str, int]) -> None:
    from fastai.data.transforms import Normalize  # fastai.vision can be imported once a network has been built
    from fastai.learner import Learner
    from fastai.losses import CrossEntropyLossFlat
    from fastai.metrics import error_rate
    from fastai.vision.augment import Resize
    from fastai.vision.data import ImageDataLoaders

    recipe, square = params.train, Resize(params.preprocess.size, method="squish")
    likeness = Normalize.from_stats(MEAN, DEVIATION)
    loaders = ImageDataLoaders.from_folder(
        folder, valid="valid", item_tfms=square, batch_tfms=likeness, bs=recipe.batch_size, device="cpu", **options
    )
    net = copy.deepcopy(fresh.body)
    stock = Learner(loaders, net, CrossEntropyLossFlat(), metrics=error_rate, wd=recipe.weight_decay)
    with stock.no_bar(), stock.no_logging():
        stock.fit_one_cycle(recipe.epochs, recipe.learning_rate)


if __name__ == "__main__":
    main()
