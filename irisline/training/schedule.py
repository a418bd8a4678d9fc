"""In which order layers learn, how fast and for how long. Knows nothing of pictures or of how a step is taken."""

from dataclasses import dataclass

from torch import nn

from irisline.core.params import Train
from irisline.networks.architectures import Network, head

_EARLY, LATER, HEAD = range(3)  # the groups of layers
SLOWER = 100.0


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


def phases(train: Train) -> list[Phase]:
    """Return the schedule of params.

    fine_tune adds an epoch for the head alone, then wakes the later half of the body, then all of it, the early layers with
    lower rates (Howard and Ruder 2018; rates and warm-up are those of fastai's fine_tune).
    """
    if not fine_tunes(train):
        return [Phase(train.epochs, 0, train.learning_rate)]
    rate = train.learning_rate / 2
    gradual = min(1, train.epochs - 1)
    return [
        Phase(1, HEAD, train.learning_rate, warm_up=0.99),
        *([Phase(gradual, LATER, rate, slower=SLOWER)] if gradual else []),
        Phase(train.epochs - gradual, 0, rate, slower=SLOWER),
    ]


def groups(network: Network) -> list[list[nn.Parameter]]:
    """Return the parameters in groups: early layers, later layers of as many tensors, and the head."""
    last = list(head(network).parameters())
    names = {id(parameter) for parameter in last}
    body = [parameter for parameter in network.parameters() if id(parameter) not in names]
    return [body[: len(body) // 2], body[len(body) // 2 :], last]
