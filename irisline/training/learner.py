"""Training: a fastai Learner on a plain torch module, keyed by the seed, resumable after every epoch.

Owns the recipe and what is remembered between epochs. Knows nothing of pictures, MLflow or where outputs go.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from fastai.callback.core import Callback, CancelFitException
from fastai.callback.schedule import Learner  # the schedules are patched onto it there
from fastai.data.core import DataLoaders
from fastai.metrics import error_rate
from fastai.torch_core import trainable_params
from fastcore.basics import noop
from torch import nn

from irisline.core import console, paths, seeding
from irisline.core.errors import IrislineError, ModelError, in_a_line
from irisline.core.params import Train
from irisline.networks.architectures import Network
from irisline.training import samples as sampling
from irisline.training import schedule
from irisline.training.history import COLUMNS, Epoch
from irisline.training.samples import KeyedBatches, Samples
from irisline.training.schedule import Phase


@dataclass
class Progress:
    """Where a training is, and the file that survives a kill."""

    file: Path
    history: list[Epoch] = field(default_factory=list)
    weights: dict[str, Any] | None = None
    optimizer: dict[str, Any] | None = None
    failure: IrislineError | None = None  # what ended the training early

    @classmethod
    def resume(cls, file: Path) -> "Progress":
        """Return what the file remembers, or a fresh start when there is none or it was damaged."""
        if not file.is_file():
            return cls(file)
        try:
            kept = torch.load(file, map_location="cpu", weights_only=True)
            return cls(file, kept["history"], kept["weights"], kept["optimizer"])
        except Exception as error:  # a damaged file may raise anything
            console.fail(f"{file}: cannot be read ({in_a_line(error, 80)}); training begins anew")
            return cls(file)

    def save(self, weights: dict[str, Any], optimizer: dict[str, Any]) -> None:
        """Remember the end of an epoch, whole or not at all."""
        with paths.whole_file(self.file) as file:
            try:
                torch.save({"history": self.history, "weights": weights, "optimizer": optimizer}, file)
            except RuntimeError as error:  # closing its archive, torch hides what the disk said
                raise error.__context__ or error from None


def device_of(wanted: str) -> torch.device:
    """Return the device that params name; raise ModelError for a CUDA device that is not there."""
    if wanted == "cuda" and not torch.cuda.is_available():
        raise ModelError("params.yaml: train.device: no CUDA device here; set it to auto or cpu")
    return torch.device("cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu")


def fit(
    network: Network,
    training: Samples,
    validation: Samples,
    train: Train,
    seed: int,
    progress: Progress,
    callbacks: Sequence[Callback] = (),
) -> list[Epoch]:
    """Train the network in place, from where progress stands; give one row of COLUMNS per epoch."""
    batches = KeyedBatches(len(training), train.batch_size, seed)
    learner = _learner(network, training, validation, batches, train)
    done = len(progress.history)
    if progress.weights is not None:
        network.load_state_dict(progress.weights)
    plan = schedule.phases(train, len(training))
    epochs, classes = sum(phase.epochs for phase in plan), int(training.classes.max()) + 1
    for cycle in range(schedule.CYCLES):
        if cycle and not schedule.goes_on(train, progress.history[: cycle * epochs], classes):
            break
        for phase in plan:
            start = min(done, phase.epochs)
            done -= start
            if start < phase.epochs:
                _run(
                    learner, phase, start, progress, [*callbacks, _Keyed(batches, seed, progress), _Remember(progress)]
                )
    return progress.history


def _run(learner: Learner, phase: Phase, start: int, progress: Progress, callbacks: list[Callback]) -> None:
    learner.create_opt()
    learner.freeze_to(phase.asleep)
    if start and progress.optimizer is not None:
        learner.opt.load_state_dict(progress.optimizer)
    rates = slice(phase.learning_rate / phase.slower, phase.learning_rate)
    learner.fit_one_cycle(phase.epochs, rates, pct_start=phase.warm_up, cbs=callbacks, start_epoch=start)
    if progress.failure:
        raise progress.failure


def _learner(network: Network, training: Samples, validation: Samples, batches: KeyedBatches, train: Train) -> Learner:
    device = device_of(train.device)
    loaders = DataLoaders(
        sampling.shuffled(training, batches), sampling.in_order(validation, train.batch_size), device=device
    )
    learner = Learner(
        loaders,
        network,
        loss_func=nn.CrossEntropyLoss(weight=_weights(training, train).to(device)),
        metrics=[error_rate],
        wd=train.weight_decay,
        splitter=schedule.groups if schedule.fine_tunes(train) else trainable_params,
    )
    learner.remove_cbs([callback for callback in learner.cbs if callback.name == "progress"])
    learner.logger = noop  # the progress bar and the history tell the same, once
    learner.add_cb(_Move(device))
    if schedule.fine_tunes(train) and train.init != "scratch":
        learner.add_cb(_KeepStatistics())
    return learner.to_fp16() if device.type == "cuda" else learner


def _weights(training: Samples, train: Train) -> torch.Tensor:
    counts = torch.bincount(training.classes).float()
    return counts.sum() / counts / len(counts) if train.class_weights else torch.ones(len(counts))


class _Move(Callback):
    """Brings the network and each batch to the device: plain torch loaders leave that to us."""

    order = -10

    def __init__(self, device: torch.device) -> None:
        super().__init__()
        self.device = device

    def before_fit(self) -> None:
        self.learn.model.to(self.device)

    def before_batch(self) -> None:
        if self.device.type != "cpu":
            self.learn.xb = tuple(part.to(self.device, non_blocking=True) for part in self.learn.xb)
            self.learn.yb = tuple(part.to(self.device, non_blocking=True) for part in self.learn.yb)


class _KeepStatistics(Callback):
    """Keeps the means and variances that the network came with: hundreds of pictures are no better at them.

    Features of what no class covers stay where the earlier training put them, apart from those of the classes.
    """

    def before_train(self) -> None:
        for module in self.learn.model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()


class _Keyed(Callback):
    """Keys all randomness of an epoch by (seed, epoch)."""

    def __init__(self, batches: KeyedBatches, seed: int, progress: Progress) -> None:
        super().__init__()
        self.batches, self.seed, self.progress = batches, seed, progress

    def before_epoch(self) -> None:
        self.batches.epoch = len(self.progress.history)
        torch.manual_seed(int(seeding.generator(self.seed, "epoch", self.batches.epoch).integers(2**63)))


class _Remember(Callback):
    """Adds the epoch to the history and saves the progress, once the Recorder has its values (order 50).

    After the validation, not after the epoch: fastai also ends the epochs that a resumed training skips.
    """

    order = 60

    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self.progress = progress
        self.seconds = 0.0

    def before_train(self) -> None:
        self.started = time.monotonic()
        self.learn.recorder.smooth_loss.reset()  # an epoch's loss is its own, whether the training was cut off before it or not

    def after_train(self) -> None:
        self.seconds = time.monotonic() - self.started

    def after_validate(self) -> None:
        try:
            self._remember()
        except IrislineError as error:  # fastai would reword it
            self.progress.failure = error
            raise CancelFitException from error

    def _remember(self) -> None:
        _, train_loss, valid_loss, wrong = self.learn.recorder.log
        if not math.isfinite(train_loss + valid_loss):
            raise ModelError(
                f"params.yaml: train.learning_rate: the loss of epoch {len(self.progress.history) + 1} is not a number any "
                "more; lower the learning rate"
            )
        seen = len(self.learn.dls.train.dataset)
        values = (
            len(self.progress.history) + 1,
            train_loss,
            valid_loss,
            wrong,
            self.learn.opt.hypers[-1]["lr"],
            seen / self.seconds,
        )
        self.progress.history.append(dict(zip(COLUMNS, map(float, values), strict=True)))
        self.progress.save(self.learn.model.state_dict(), _plain(self.learn.opt.state_dict()))


def _plain(optimizer: dict[str, Any]) -> dict[str, Any]:
    """Return an optimizer's state without fastai's and numpy's types, which a safe load refuses."""
    hypers = [{name: float(value) for name, value in group.items()} for group in optimizer["hypers"]]
    return {"state": list(optimizer["state"]), "hypers": hypers}


class Watch(Callback):
    """Tells a person or a store about each batch and each epoch."""

    order = 70

    def __init__(self, on_batch: Callable[[int], None], on_epoch: Callable[[Epoch], None], progress: Progress) -> None:
        super().__init__()
        self.on_batch, self.on_epoch, self.progress = on_batch, on_epoch, progress

    def after_batch(self) -> None:
        """Report the pictures of a training batch."""
        if self.learn.training:
            self.on_batch(len(self.learn.yb[0]))

    def after_validate(self) -> None:
        """Report the epoch that has been remembered."""
        self.on_epoch(self.progress.history[-1])
