"""From a network in float32 to its int8 sibling: static, its ranges measured on training pictures.

Owns how int8 is made. Knows nothing of whether it is served: see precision.
"""

import logging
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from irisline.core import seeding
from irisline.core.errors import ModelError, in_a_line
from irisline.dataset import shards
from irisline.dataset.images import Pixels
from irisline.inference.classifier import Classifier
from irisline.inference.runtime import OnnxRuntime
from irisline.networks import onnx_graph
from irisline.networks.bundle import NETWORKS

IMAGES = 256  # more move the ranges little
BATCH = 16


def squares(classifier: Classifier, folder: Path, seed: int, count: int = IMAGES) -> Iterator[Pixels]:
    """Return training pictures of a folder of rows as the network sees them, drawn by key, at most so many."""
    names = [row["id"] for row in shards.stream(folder, ["id", "split"]) if row["split"] == "train"]
    chosen = set(sorted(names, key=lambda name: seeding.unit(seed, "int8", name))[:count])
    rows = (row for row in shards.of_split(folder, "train") if row["id"] in chosen)
    return (view.pixels for row in rows for view in classifier.look(row["image"]))


def add(classifier: Classifier, model: Path, rows: Path, seed: int, folder: Path) -> str | None:
    """Write the int8 sibling of a model's network to a folder; give None, or the reason why it cannot be made."""
    try:
        write(model / NETWORKS["float32"], squares(classifier, rows, seed), folder / NETWORKS["int8"])
    except ModelError as error:
        return str(error)
    return None


def write(model: Path, pictures: Iterable[Pixels], target: Path) -> None:
    """Write the int8 sibling of an ONNX file, its ranges those of squares, uint8 (3, size, size).

    Raise ModelError, and leave no file, when the network cannot be quantised.
    """
    batches = _Batches(pictures)
    try:
        target.write_bytes(_quantised(model, batches))
        OnnxRuntime(target, precision="int8").run(batches.last)
    except Exception as error:  # onnx's and onnxruntime's own errors share no base class
        target.unlink(missing_ok=True)
        reason = in_a_line(error)
        raise ModelError(f"{model.name}: cannot be quantised: {reason}") from error


def _quantised(model: Path, batches: "_Batches") -> bytes:
    with tempfile.TemporaryDirectory() as scratch, _quiet():
        prepared, made = Path(scratch) / "prepared.onnx", Path(scratch) / "made.onnx"
        quant_pre_process(model, prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            made,
            batches,
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=True,  # processors that add up in 16 bits would overflow, and answer differently
        )
        return onnx_graph.as_bytes(onnx.load(made))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back what the quantiser says of parts that it leaves in float32: they are many, and no fault."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


class _Batches:
    """Squares as quantize_static asks for them: a batch at a time, then None."""

    def __init__(self, pictures: Iterable[Pixels]) -> None:
        self._pictures = iter(pictures)
        self.last: NDArray[np.uint8]

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        batch = list(islice(self._pictures, BATCH))
        if not batch:
            return None
        self.last = np.stack(batch)
        return {"pixels": self.last}
