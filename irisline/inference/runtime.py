"""What runs a network: ONNX Runtime on the CPU, torch on CUDA. Knows nothing of pictures, labels or calibration.

Owns the choice between them. ONNX Runtime is all that the serving image of the CPU carries.
"""

import ctypes
import importlib
import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # read once, when the library is loaded
import onnxruntime

from irisline.core.errors import ModelError
from irisline.networks import bundle
from irisline.networks.bundle import NETWORKS, WEIGHTS, Precision

Device = Literal["auto", "cpu", "cuda"]


class Outputs(NamedTuple):
    """What a network gives of n squares: logits, float32 (n, classes), and features, float32 (n, d), read by its last block.

    d is 0 for a version from before there were features.
    """

    logits: NDArray[np.float32]
    features: NDArray[np.float32]


class Runtime(Protocol):
    """Anything that turns uint8 pixels (n, 3, size, size) into a network's outputs, on its device, in its precision."""

    device: Device
    precision: Precision

    def run(self, pixels: NDArray[np.uint8]) -> Outputs:
        """Return the outputs of a batch."""
        ...


class OnnxRuntime:
    """ONNX Runtime on the CPU; normalisation is inside the graph. Threads: 0 is all cores; a count works without spinning."""

    device: Device = "cpu"

    def __init__(self, model: Path, threads: int = 0, precision: Precision = "float32") -> None:
        self.precision: Precision = precision
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4  # what is wrong is raised, and told once
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.inter_op_num_threads = 1
        if threads:
            options.intra_op_num_threads = threads
            options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's own errors share no base class
            raise ModelError(
                f"{model}: cannot be loaded: {' '.join(str(error).split())[:120]}; publish it anew"
            ) from error
        has_features = any(output.name == "features" for output in self._session.get_outputs())
        self._names = ["logits", *["features"] * has_features]

    def run(self, pixels: NDArray[np.uint8]) -> Outputs:
        """Return the outputs of a batch."""
        logits, *features = self._session.run(self._names, {"pixels": pixels})
        return Outputs(logits, *features or [np.zeros((len(logits), 0), np.float32)])


def choose(folders: Sequence[Path], device: Device, precision: Precision, threads: int) -> Runtime:
    """Return what runs the network whose files lie in these folders; raise MissingInput or ModelError.

    auto is CUDA where there is a device, else the CPU. The precision is the CPU's: CUDA runs float32.
    """
    if device == "cuda" or (device == "auto" and has_cuda()):
        return _torch(bundle.find(WEIGHTS, folders))
    return OnnxRuntime(bundle.find(NETWORKS[precision], folders), threads, precision)


def has_cuda() -> bool:
    """Return whether torch and a CUDA device are here. Torch is loaded only where NVIDIA's driver is: it is large."""
    if importlib.util.find_spec("torch") is None:
        return False
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    return bool(importlib.import_module("torch").cuda.is_available())


def _torch(weights: Path) -> Runtime:
    if not has_cuda():
        raise ModelError("device cuda: torch finds no CUDA device here; set IRISLINE_DEVICE to auto or cpu")
    # By name, as torch above: what runs on the CPU alone neither carries nor depends on that module.
    module = importlib.import_module("irisline.inference.torch_runtime")
    runtime: Runtime = module.TorchRuntime(weights.parent, "cuda")
    return runtime
