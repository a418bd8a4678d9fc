"""In which order layers learn, how fast and for how long. Knows nothing of pictures or of how a step is taken."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from irisline.core.params import Train
from irisline.networks.architectures import Network, head
from irisline.training.history import Epoch

_EARLY, LATER, HEAD = range(3)  # the groups of layers
SLOWER = 100.0

VIEWS, FEWEST, MOST = 15_000, 4, 40
"""Of auto: pictures seen in all, variants included, and the bounds of epochs. Measured from scratch on hundreds of photographs:
errors fall until about then; resnet18 sees as many of 96 pixels in three minutes on two cores."""
UNLEARNT, CYCLES = 0.5, 3
"""Of auto: above this share of the loss of a guess little is learnt; the epochs are gone through again, so often at most."""


@dataclass(frozen=True)
class Phase:
    """Some epochs of one-cycle training (Smith 2018) in which the first groups of layers sleep."""

    epochs: int
    asleep: int
    learning_rate: float
    warm_up: float = 0.25
    slower: float = 1.0
    """By how much the first group learns slower than the last; those between lie between."""


def fine_tunes(train: Train) -> bool:
    """Return whether a training begins with the head alone: by itself, where there are weights to start from."""
    return train.schedule == "fine_tune" or (train.schedule == "auto" and train.init != "scratch")


def epochs(train: Train, pictures: int) -> int:
    """Return the epochs of params; auto: as many as a few minutes of two cores allow, fewer the more pictures there are."""
    if train.epochs != "auto":
        return train.epochs
    return min(max(round(VIEWS / max(pictures, 1)), FEWEST), MOST)


def goes_on(train: Train, history: Sequence[Epoch], classes: int) -> bool:
    """Return whether a training whose epochs are auto needs them once more: it knows little more than a guess."""
    return train.epochs == "auto" and history[-1]["train_loss"] > UNLEARNT * math.log(classes)


def phases(train: Train, pictures: int) -> list[Phase]:
    """Return the schedule of params for so many pictures an epoch.

    fine_tune adds an epoch for the head alone, then wakes the later half of the body, then all of it, the early layers with
    lower rates (Howard and Ruder 2018; rates and warm-up are those of fastai's fine_tune).
    """
    count = epochs(train, pictures)
    if not fine_tunes(train):
        return [Phase(count, 0, train.learning_rate)]
    rate = train.learning_rate / 2
    gradual = min(1, count - 1)
    return [
        Phase(1, HEAD, train.learning_rate, warm_up=0.99),
        *([Phase(gradual, LATER, rate, slower=SLOWER)] if gradual else []),
        Phase(count - gradual, 0, rate, slower=SLOWER),
    ]


def groups(network: Network) -> list[list[nn.Parameter]]:
    """Return the parameters in groups: early layers, later layers of as many tensors, and the head."""
    last = list(head(network).parameters())
    names = {id(parameter) for parameter in last}
    body = [parameter for parameter in network.parameters() if id(parameter) not in names]
    return [body[: len(body) // 2], body[len(body) // 2 :], last]
