"""Planted pictures, rows, params and models: small enough to check by hand."""

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import yaml
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from irisline.core import params, seeding
from irisline.core.params import Params
from irisline.dataset import images, shards
from irisline.inference import calibration

ROOT = Path(__file__).parent.parent
CLASSES = ("blue", "brown")
COLOURS = {"blue": (60, 90, 200), "brown": (150, 90, 50), "green": (60, 170, 80)}
SIZE = 32


def document(**changes: Any) -> dict[str, Any]:
    """Return the project's params.yaml as plain values, with changes named section__key."""
    found: dict[str, Any] = yaml.safe_load((ROOT / "params.yaml").read_text())
    for name, value in changes.items():
        section, key = name.split("__")
        found[section][key] = value
    return found


PINNED = {
    "execution__workers": 1, "preprocess__crop": "none", "evaluate__perturbations": None, "augment__variants": 3,
    "train__arch": "resnet18", "train__init": "scratch", "train__schedule": "one_cycle",
    "gate__max_error_rate": 0.3, "gate__max_ece": 0.15,
}  # fmt: skip


def settings(**changes: Any) -> Params:
    """Return the project's params with the tests' own numbers where they matter, and changes named section__key."""
    return params.parse(document(**PINNED | changes))


def picture(label: str = "blue", key: object = 0, size: tuple[int, int] = (48, 40)) -> Image.Image:
    """Return a keyed RGB picture in the colour of its class, with a pattern that survives JPEG."""
    rng = seeding.generator("planted", label, key)
    coarse = rng.normal(COLOURS[label], 25, (6, 6, 3)).clip(0, 255).astype(np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)


def square(label: str, key: object) -> images.Pixels:
    """Return a keyed picture as a planted model sees it, uint8 (3, SIZE, SIZE)."""
    return images.square(picture(label, key), SIZE, "squash")


def saved(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    """Return an image as the bytes of a file."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def row(label: str, key: object, split: str) -> shards.Row:
    """Return an accepted row of one planted picture."""
    image = picture(label, key)
    digest = images.pixel_digest(image)
    return {
        "id": f"{label}/{key}.jpg", "label": label, "split": split, "group": digest, "sha256": digest,
        "width": image.width, "height": image.height, "format": "JPEG", "licence": "own", "image": images.encode(image),
    }  # fmt: skip


def accept(folder: Path, counts: dict[str, int], classes: tuple[str, ...] = CLASSES) -> list[shards.Row]:
    """Write accepted rows, so many of each class in each split; give them."""
    rows = [row(label, f"{split}-{n}", split) for split in counts for n in range(counts[split]) for label in classes]
    shards.write(folder, shards.ACCEPTED, 1024, rows)
    return rows


def linear(weights: NDArray[np.float32], bias: NDArray[np.float32], logarithms: bool = False) -> onnx.ModelProto:
    """Return the network logits = mean over pixels of weights * pixels + bias, for weights (3, SIZE, SIZE, classes).

    With logarithms, of 1 + pixels: what differences of them say is the same in any light. Its features are what is weighed.
    """
    flat = weights.reshape(-1, weights.shape[-1]) / weights[..., 0].size
    nodes = [
        helper.make_node("Cast", ["pixels"], ["float"], to=TensorProto.FLOAT),
        *([helper.make_node("Add", ["float", "one"], ["above one"])] * logarithms),
        *([helper.make_node("Log", ["above one"], ["logarithms"])] * logarithms),
        helper.make_node("Flatten", ["logarithms" if logarithms else "float"], ["features"]),
        helper.make_node("MatMul", ["features", "weights"], ["weighed"]),
        helper.make_node("Add", ["weighed", "bias"], ["logits"]),
    ]
    constants = [numpy_helper.from_array(flat.astype(np.float32), "weights"), numpy_helper.from_array(bias, "bias")]
    constants += [numpy_helper.from_array(np.ones(1, np.float32), "one")] * logarithms
    pixels = helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["batch", 3, SIZE, SIZE])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", len(bias)])
    features = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", len(flat)])
    graph = helper.make_graph(nodes, "linear", [pixels], [logits, features], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)


def blue_against_red() -> onnx.ModelProto:
    """Return a network that tells blue from brown: each logit grows with one colour and falls with the other."""
    weights = np.zeros((3, SIZE, SIZE, 2), np.float32)
    weights[0], weights[2] = (-0.05, 0.05), (0.05, -0.05)
    return linear(weights, np.zeros(2, np.float32))


def model(
    folder: Path,
    network: onnx.ModelProto | None = None,
    calibrated: calibration.Calibration | None = None,
    crop: str = "none",
    classes: Sequence[str] = CLASSES,
) -> Path:
    """Write the files of a model to a folder; give the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    facts = {
        "classes": list(classes), "preprocess": {"crop": crop, "size": SIZE, "fit": "squash"}, "digest": "0" * 64,
        "parity": 0.0, "max_side": 640, "max_pixels": 1_000_000,
    }  # fmt: skip
    (folder / "model.json").write_text(json.dumps(facts))
    (folder / "model.onnx").write_bytes((network or blue_against_red()).SerializeToString())
    if calibrated:
        (folder / "calibration.json").write_text(calibration.as_json(calibrated))
    return folder
