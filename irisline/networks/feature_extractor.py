"""A network that tells what its last block reads. Knows nothing of what that is compared with."""

import threading
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from irisline.networks import architectures
from irisline.networks.architectures import Network

WIDEST = 4096  # numbers of a picture that may be told: the blocks of some networks read every place of their maps


class WithFeatures(nn.Module):
    """A network that gives logits and features, float32 (n, d): what its last block reads, over maps their mean."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network
        self._read = threading.local()  # threads that answer share a network
        _reader(network).register_forward_pre_hook(lambda _, inputs: setattr(self._read, "last", inputs[0]))

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits and the features of a batch."""
        logits: Tensor = self.network(pixels)
        features: Tensor = self._read.__dict__.pop("last")
        return logits, features.mean((2, 3)) if features.ndim == 4 else features


def initial(
    arch: str, classes: int, init: str, seed: int, size: int
) -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
    """Return what an architecture reads before training: uint8 (n, 3, size, size) to float32 (n, d).

    Raise ModelError when there are no such weights or the size is too small for it.
    """
    built = architectures.build(arch, classes, init, seed)
    architectures.check_size(built, arch, size)
    telling = WithFeatures(built).eval()

    def extract(squares: NDArray[np.uint8]) -> NDArray[np.float32]:
        with torch.inference_mode():
            return np.asarray(telling(torch.from_numpy(squares))[1].numpy(), dtype=np.float32)

    return extract


def _reader(network: Network) -> nn.Module:
    """Return the first layer of the last block, which reads what no class has shaped yet; a later one if it reads too much."""
    blocks = [[*filter(_is_layer, child.modules())] for child in network.body.children()]
    layers = [block for block in blocks if block][-1]
    return next(layer for layer in layers if layer is layers[-1] or _width(layer) <= WIDEST)


def _is_layer(module: nn.Module) -> bool:
    return isinstance(module, nn.Linear | nn.Conv2d)


def _width(layer: nn.Module) -> int:
    return int(layer.in_features if isinstance(layer, nn.Linear) else layer.in_channels)  # type: ignore[arg-type]
