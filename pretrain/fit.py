"""Stage: train a network on drawn squares to name the colour and to tell what else the renderer knows, and keep its weights.

The more is asked of the network, the less it can rely on what drawn pictures happen to have: light, pigment and where the iris
is must be told apart to answer all at once (Caruana 1997). Only the answers that name a colour are kept.
"""

import io
import json
from pathlib import Path
from typing import cast

import numpy as np
import torch
from fastai.callback.core import Callback
from fastai.callback.schedule import Learner  # the schedules are patched onto it there
from fastai.data.core import DataLoaders
from fastcore.basics import noop
from PIL import Image
from safetensors.torch import save
from torch import Tensor
from torch.nn import functional

from irisline.core import console, paths, seeding
from irisline.dataset import shards
from irisline.networks import architectures as networks
from irisline.networks.architectures import Network
from irisline.training.samples import KeyedBatches, Samples, in_order, shuffled
from pretrain import settings
from pretrain.settings import Settings
from pretrain.table import COLOURS, FOLDER, TRUTH
from pretrain.views import SHIFT, Views

WEIGHTS = Path("artifacts/pretrain/weights")
METRICS = Path("pretrain/metrics.json")

SMOOTHING = 0.05
KNOWN_WEIGHT, OFFSET_WEIGHT = 0.6, 0.3
OUTPUTS = len(COLOURS) + len(TRUTH) + 3


class _Keyed(Callback):  # type: ignore[misc]
    """Keys all randomness of an epoch by (seed, epoch), and tells of its end."""

    def __init__(self, batches: KeyedBatches, seed: int) -> None:
        super().__init__()
        self.batches, self.seed = batches, seed

    def before_epoch(self) -> None:
        self.batches.epoch = self.learn.epoch
        torch.manual_seed(int(seeding.generator(self.seed, "views", self.learn.epoch).integers(2**63)))

    def after_epoch(self) -> None:
        console.say(f"fit: epoch {self.learn.epoch + 1}: " + ", ".join(f"{x:.3f}" for x in self.learn.recorder.log[1:]))


def fit(given: Settings) -> dict[str, float]:
    """Write the weights to WEIGHTS and the metrics to METRICS; give the metrics."""
    training, held_out = load(given)
    recipe, seed = given.fit, given.draw.seed
    network = networks.build(recipe.arch, OUTPUTS, "scratch", seed)
    batches = KeyedBatches(len(training), recipe.batch_size, seed)
    seen, unseen = cast(Samples, training), cast(Samples, held_out)  # a loader asks for a length and batches alone
    loaders = DataLoaders(shuffled(seen, batches), in_order(unseen, recipe.batch_size), device=torch.device("cpu"))
    learner = Learner(loaders, network, loss_func=loss, metrics=[wrong], wd=recipe.weight_decay)
    learner.remove_cbs([callback for callback in learner.cbs if callback.name == "progress"])
    learner.logger = noop
    learner.fit_one_cycle(recipe.epochs, recipe.learning_rate, cbs=[_Keyed(batches, seed)])
    paths.write_whole(WEIGHTS / f"{recipe.arch}.safetensors", as_file(network))
    measured = measure(network, held_out)
    paths.write_whole(METRICS, json.dumps(measured, indent=2) + "\n")
    return measured


def load(given: Settings) -> tuple[Views, Views]:
    """Return the squares to learn from, and those held out: no picture has squares among both."""
    rows = shards.stream(FOLDER)
    count, wide = shards.count(FOLDER), given.draw.size
    squares, truth = np.empty((count, 3, wide, wide), np.uint8), np.empty((count, 1 + len(TRUTH)), np.float32)
    apart = np.empty(count, dtype=bool)
    for index, row in enumerate(rows):
        squares[index] = np.asarray(Image.open(io.BytesIO(row["image"]))).transpose(2, 0, 1)
        told = [np.nan if row[name] is None else row[name] for name in TRUTH]
        truth[index] = (COLOURS.index(row["label"]), *told)
        apart[index] = seeding.unit("held out", row["picture"]) < given.fit.held_out
    known = truth[:, 1:]
    known -= np.nanmean(known, axis=0)
    known /= np.nanstd(known, axis=0)
    size = given.fit.size
    parts = [(torch.from_numpy(squares[part]), torch.from_numpy(truth[part])) for part in (~apart, apart)]
    return Views(*parts[0], size, varied=True), Views(*parts[1], size, varied=False)


def loss(outputs: Tensor, truth: Tensor) -> Tensor:
    """Return cross-entropy of the colour, plus the errors of what is known, in standard deviations, where there is an iris."""
    named = functional.cross_entropy(outputs[:, : len(COLOURS)], truth[:, 0].long(), label_smoothing=SMOOTHING)
    iris = ~truth[:, 1].isnan()
    said, asked = outputs[iris, len(COLOURS) :], truth[iris, 1:]
    known = functional.smooth_l1_loss(said[:, : len(TRUTH)], asked[:, : len(TRUTH)])
    offsets = functional.smooth_l1_loss(said[:, len(TRUTH) :], asked[:, len(TRUTH) :] / SHIFT)
    return named + KNOWN_WEIGHT * known + OFFSET_WEIGHT * offsets


def wrong(outputs: Tensor, truth: Tensor) -> Tensor:
    """Return the share of squares whose colour is named wrong."""
    return (outputs[:, : len(COLOURS)].argmax(1) != truth[:, 0]).float().mean()


def as_file(network: Network) -> bytes:
    """Return the weights as safetensors in half precision, of the head only what names colours."""
    last = networks.head(network)
    place = next(name for name, module in network.named_modules() if module is last)
    weights = {
        name: tensor[: len(COLOURS)] if name.startswith(f"{place}.") else tensor
        for name, tensor in network.state_dict().items()
    }
    halved = {
        name: (tensor.half() if tensor.is_floating_point() else tensor).contiguous() for name, tensor in weights.items()
    }
    return save(halved, {"classes": ",".join(COLOURS)})


@torch.inference_mode()
def measure(network: Network, held_out: Views) -> dict[str, float]:
    """Return the shares of wrong names, of all colours and of those without doubt between two."""
    network.eval()
    pairs = [held_out[list(range(at, min(at + 256, len(held_out))))] for at in range(0, len(held_out), 256)]
    outputs = torch.cat([network(views) for views, _ in pairs])[:, : len(COLOURS)]
    named = held_out.truth[:, 0].long()
    errors = {f"wrong_{name}": named == index for index, name in enumerate(COLOURS)}
    shares = {
        name: float((outputs[chosen].argmax(1) != named[chosen]).float().mean()) for name, chosen in errors.items()
    }
    two = named < 2
    both = float((outputs[two][:, :2].argmax(1) != named[two]).float().mean())
    return {
        "squares": float(len(held_out)),
        "wrong": float((outputs.argmax(1) != named).float().mean()),
        "wrong_blue_or_brown": both,
        **shares,
    }


if __name__ == "__main__":
    found = fit(settings.read())
    console.say(
        f"fit: {found['wrong']:.1%} of the colours wrong, {found['wrong_blue_or_brown']:.2%} between blue and brown"
    )
