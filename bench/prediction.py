"""Classifier.predict against its floor: decode each picture, one bare ONNX Runtime run for each batch.

The floor does what no answer can do without, with the same resizing and the same batches. It has
no bound on pixels, turns no picture upright, converts no colour profile, and neither calibrates nor names the answers.
"""

import io
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from PIL import Image

from bench import _pictures, _project
from bench._side_by_side import alternate, figure, heading, number, ratio, show
from irisline import params as parameters
from irisline.model import export, network
from irisline.model.classifier import BATCH, Classifier
from irisline.params import Params


def main() -> None:
    """Print images a second of both, and their ratio."""
    params = parameters.read(_project.ROOT / "params.yaml")
    count = number("BENCH_IMAGES", 256)
    heading(f"Prediction: {count} pictures, {params.train.arch} at {params.preprocess.size} pixels, batches of {BATCH}")
    with _project.scratch() as folder:
        _export(params, folder)
        sources = _pictures.drawn(folder / "drawn", number("BENCH_DRAWN", 32), seed=1)
        files = _pictures.varied(sources, folder / "pictures", range(count))
        pictures = [file.read_bytes() for file in files]
        session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
        contenders = {
            "Classifier.predict": partial(Classifier.load(folder).predict, pictures),
            "decode + bare ONNX Runtime": partial(_floor, session, pictures, params.preprocess.size),
        }
        seconds = alternate(contenders, number("BENCH_RUNS", 9))
    show(seconds, count)
    ours, floor = seconds.values()
    figure("Classifier.predict / floor, images a second", ratio(floor, ours))


def _export(params: Params, folder: Path) -> None:
    """Write a model of the shipped architecture; its weights are untrained, which costs the same."""
    net = network.build(params.train.arch, len(params.base.classes), "scratch", params.base.seed)
    pixels = torch.zeros(2, 3, params.preprocess.size, params.preprocess.size, dtype=torch.uint8)
    facts = {"classes": params.base.classes, "preprocess": params.preprocess.model_dump(), **_limits(params)}
    export.write(net, pixels, facts, params.gate.max_parity, folder)


def _limits(params: Params) -> dict[str, int]:
    return {"max_side": params.collect.max_side, "max_pixels": params.collect.max_pixels}


def _floor(session: onnxruntime.InferenceSession, pictures: list[bytes], size: int) -> None:
    for at in range(0, len(pictures), BATCH):
        pixels = np.stack([_decode(data, size) for data in pictures[at : at + BATCH]])
        session.run(["logits"], {"pixels": pixels})


def _decode(data: bytes, size: int) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        small = image.convert("RGB").resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(small).transpose(2, 0, 1)


if __name__ == "__main__":
    main()
