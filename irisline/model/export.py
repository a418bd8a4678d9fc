"""From a trained network to the files that leave training: safetensors, ONNX and JSON. No pickle.

Owns their contents and the proof that ONNX and torch agree. Knows nothing of training.
"""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save

from irisline.errors import ModelError
from irisline.model import graph
from irisline.model.bundle import file_digest
from irisline.model.network import Network
from irisline.model.runtime import OnnxRuntime, Runtime

BATCH = 64


def write(
    network: Network, sample: torch.Tensor, facts: dict[str, Any], max_parity: float, folder: Path
) -> dict[str, Any]:
    """Write model.safetensors, model.onnx and model.json; give what model.json holds.

    The sample is uint8 (n, 3, size, size). Parity is the largest difference between a logit of torch and of ONNX Runtime
    over it; raise ModelError when it is above max_parity.
    """
    network = network.cpu().eval()
    (folder / "model.safetensors").write_bytes(save(network.state_dict()))
    _write_onnx(network, sample[:2], folder / "model.onnx")
    parity = measure_parity(network, folder / "model.onnx", sample)
    if not parity <= max_parity:  # nor a number that is none
        raise ModelError(
            f"model.onnx: differs from torch by {parity:.2g} in a logit, limit is {max_parity:g} (gate.max_parity); "
            "take another train.arch, or raise the limit if you can accept that"
        )
    count = sum(parameter.numel() for parameter in network.parameters())
    described = facts | {"parity": parity, "parameters": count, "digest": file_digest(folder / "model.safetensors")}
    (folder / "model.json").write_text(json.dumps(described, indent=2) + "\n")
    return described


def measure_parity(network: Network, model: Path, sample: torch.Tensor) -> float:
    """Give the largest absolute difference of a logit between the network and its ONNX file, over uint8 (n, 3, size, size)."""
    runtime = OnnxRuntime(model)
    with torch.inference_mode():
        return float(np.max([_difference(network, runtime, batch) for batch in torch.split(sample, BATCH)]))


def _difference(network: Network, runtime: Runtime, batch: torch.Tensor) -> float:
    expected: NDArray[np.float32] = network(batch).numpy()
    return float(np.abs(runtime.logits(batch.numpy()) - expected).max())


def _write_onnx(network: Network, sample: torch.Tensor, target: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns about its own internals
        program = torch.onnx.export(
            network,
            (sample,),
            input_names=["pixels"],
            output_names=["logits"],
            dynamic_shapes={"pixels": {0: torch.export.Dim("batch", min=1, max=4096)}},
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    assert program is not None
    target.write_bytes(graph.as_bytes(program.model_proto))
