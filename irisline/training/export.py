"""From a trained network to the files that leave training: safetensors, ONNX and JSON. No pickle.

Owns their contents and the proof that ONNX and torch agree. Knows nothing of training.
"""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save

from irisline.core.errors import ModelError
from irisline.inference.runtime import OnnxRuntime, Outputs, Runtime
from irisline.networks import onnx_graph
from irisline.networks.architectures import Network
from irisline.networks.bundle import file_digest
from irisline.networks.feature_extractor import WithFeatures

BATCH = 64


def write(
    network: Network, sample: torch.Tensor, facts: dict[str, Any], max_parity: float, folder: Path
) -> dict[str, Any]:
    """Write model.safetensors, model.onnx and model.json; give what model.json holds.

    The sample is uint8 (n, 3, size, size). Raise ModelError when parity over it is above max_parity.
    """
    network = network.cpu().eval()
    (folder / "model.safetensors").write_bytes(save(network.state_dict()))
    _write_onnx(network, sample[:2], folder / "model.onnx")
    parity = measure_parity(network, folder / "model.onnx", sample)
    if not parity <= max_parity:  # nor a number that is none
        raise ModelError(
            f"model.onnx: differs from torch by {parity:.2g} in an output, limit is {max_parity:g} (gate.max_parity); "
            "take another train.arch, or raise the limit if you can accept that"
        )
    count = sum(parameter.numel() for parameter in network.parameters())
    described = facts | {"parity": parity, "parameters": count, "digest": file_digest(folder / "model.safetensors")}
    (folder / "model.json").write_text(json.dumps(described, indent=2) + "\n")
    return described


def measure_parity(network: Network, model: Path, sample: torch.Tensor) -> float:
    """Return the largest absolute difference between the network and its ONNX file, over uint8 (n, 3, size, size).

    Of logits, and of features as shares of their length: only their direction is ever used.
    """
    runtime, telling = OnnxRuntime(model), WithFeatures(network)
    with torch.inference_mode():
        return float(np.max([_difference(telling, runtime, batch) for batch in torch.split(sample, BATCH)]))


def _difference(telling: WithFeatures, runtime: Runtime, batch: torch.Tensor) -> float:
    expected, found = Outputs(*(output.numpy() for output in telling(batch))), runtime.run(batch.numpy())
    length = np.linalg.norm(expected.features, axis=1, keepdims=True).clip(min=1e-9)
    away = np.abs(found.features - expected.features) / length
    return float(np.max([np.abs(found.logits - expected.logits).max(), away.max()]))


def _write_onnx(network: Network, sample: torch.Tensor, target: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns about its own internals
        program = torch.onnx.export(
            WithFeatures(network),
            (sample,),
            input_names=["pixels"],
            output_names=["logits", "features"],
            dynamic_shapes={"pixels": {0: torch.export.Dim("batch", min=1, max=4096)}},
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    assert program is not None
    target.write_bytes(onnx_graph.as_bytes(program.model_proto))
