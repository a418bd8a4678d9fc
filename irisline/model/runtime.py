"""What runs a network: ONNX Runtime on the CPU. Knows nothing of pictures, labels or calibration."""

from pathlib import Path
from typing import Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from irisline.errors import ModelError


class Runtime(Protocol):
    """Anything that turns uint8 pixels (n, 3, size, size) into float32 logits (n, classes)."""

    def logits(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Give the logits of a batch."""
        ...


class OnnxRuntime:
    """ONNX Runtime on the CPU; normalisation is inside the graph."""

    def __init__(self, model: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's own errors share no base class
            raise ModelError(
                f"{model}: cannot be loaded: {' '.join(str(error).split())[:120]}; publish it anew"
            ) from error

    def logits(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Give the logits of a batch."""
        result: NDArray[np.float32] = self._session.run(["logits"], {"pixels": pixels})[0]
        return result
