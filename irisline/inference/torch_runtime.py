"""Torch as a runtime: the network of model.json with the weights of model.safetensors, meant for CUDA.

The only module of the prediction path that needs torch; nothing imports it but by name, when a GPU is used.
"""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_model

from irisline.core.errors import ModelError
from irisline.inference.runtime import Device, Outputs
from irisline.networks import architectures, version_limits
from irisline.networks.architectures import Network
from irisline.networks.bundle import WEIGHTS, Precision
from irisline.networks.feature_extractor import WithFeatures


class TorchRuntime:
    """A network in float32 on a device; the same weights as the ONNX file, so the same answers."""

    precision: Precision = "float32"

    def __init__(self, folder: Path, device: Device) -> None:
        self.device = device
        torch.backends.cudnn.allow_tf32 = False  # its rounding would move answers beyond what the golden set allows
        self._network = WithFeatures(_load(folder)).to(device).eval()
        self._network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's types lack it

    def run(self, pixels: NDArray[np.uint8]) -> Outputs:
        """Return the outputs of a batch."""
        with torch.inference_mode():
            batch = torch.tensor(pixels, device=self.device).contiguous(memory_format=torch.channels_last)
            return Outputs(*(output.cpu().numpy() for output in self._network(batch)))


def _load(folder: Path) -> Network:
    try:
        facts = version_limits.document(folder / "model.json")
        built = architectures.build(facts["arch"], len(facts["classes"]), "scratch", seed=0)
        load_model(built, folder / WEIGHTS)
    except Exception as error:  # torch's and safetensors' own errors share no base class
        raise ModelError(
            f"{folder / WEIGHTS}: cannot be loaded: {' '.join(str(error).split())[:120]}; publish it anew"
        ) from error
    return built
