"""Classifier.predict against its floor: decode each picture, one bare ONNX Runtime run for each batch.

The floor does what no answer can do without, with the same batches. It has no bound on pixels, turns no picture upright,
converts no colour profile, looks for no eyes, and neither calibrates nor names the answers. Of one face at a time, on one
thread, the floor is our own decoding and the network.
"""

import io
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from PIL import Image

from bench import _pictures, _project
from bench._side_by_side import alternate, at_most, figure, heading, number, ratio, show
from irisline.core import params as parameters
from irisline.core.params import Params
from irisline.dataset import images
from irisline.inference.classifier import Classifier
from irisline.inference.runtime import Runtime
from irisline.networks import architectures
from irisline.networks.version_limits import BATCH
from irisline.training import export


def main() -> None:
    """Print images a second of both, and their ratio; then the same of one face at a time."""
    params = parameters.read(_project.ROOT / "params.yaml")
    with _project.scratch() as folder:
        _export(params, folder)
        sources = _pictures.drawn(folder / "drawn", number("BENCH_DRAWN", 32), seed=1)
        _many(params, folder, _pictures.varied(sources, folder / "pictures", range(number("BENCH_IMAGES", 256))))
        _alone(params, folder)


def _many(params: Params, folder: Path, files: list[Path]) -> None:
    heading(f"Prediction: {len(files)} pictures, {_what(params)}, batches of {BATCH}")
    pictures = [file.read_bytes() for file in files]
    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    contenders: dict[str, Callable[[], object]] = {
        "Classifier.predict": partial(Classifier.load(folder).predict, pictures),
        "decode + bare ONNX Runtime": partial(_floor, session, pictures, params.preprocess.size),
    }
    seconds = alternate(contenders, number("BENCH_RUNS", 9))
    show(seconds, len(pictures))
    ours, floor = seconds.values()
    figure("Classifier.predict / floor, images a second", ratio(floor, ours))


def _alone(params: Params, folder: Path) -> None:
    faces = _faces()
    heading(f"One face at a time: {len(faces)} of them, {_what(params)}, one thread")
    classifier = Classifier.load(folder, threads=1)
    asked = [(classifier.runtime, face, max(1, len(classifier.look(face)))) for face in faces]
    contenders: dict[str, Callable[[], object]] = {
        "find, crop and classify": lambda: [classifier.predict([face]) for face in faces],
        "decode + network": partial(_bare, params, asked),
    }
    seconds = alternate(contenders, number("BENCH_RUNS", 9))
    show(seconds, len(faces))
    at_most("find, crop and classify / decode + network, seconds", ratio(*seconds.values()), 2)


def _faces() -> list[bytes]:
    """Return the photographs below BENCH_FACES, else drawn faces, which look less like faces and take longer to find."""
    if folder := os.environ.get("BENCH_FACES"):
        return [file.read_bytes() for file in sorted(Path(folder).rglob("*.jpg"))]
    return _pictures.faces(number("BENCH_DRAWN", 32))


def _what(params: Params) -> str:
    return f"{params.train.arch} at {params.preprocess.size} pixels"


def _bare(params: Params, asked: Sequence[tuple[Runtime, bytes, int]]) -> None:
    """Decode each picture, and let the network see as many squares as it has eyes."""
    for runtime, face, eyes in asked:
        images.decode(face, params.collect.max_side, params.collect.max_pixels)
        runtime.run(np.zeros((eyes, 3, params.preprocess.size, params.preprocess.size), dtype=np.uint8))


def _export(params: Params, folder: Path) -> None:
    """Write a model of the shipped architecture; its weights are untrained, which costs the same."""
    net = architectures.build(params.train.arch, len(params.base.classes), "scratch", params.base.seed)
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
