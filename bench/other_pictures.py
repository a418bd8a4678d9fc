"""What irisline new and the stages make of pictures, params as they come, beside plain fastai.

BENCH_PICTURES names folders, separated by colons, as their authors ship them; without it shapes are drawn. Plain fastai is
its Learner on a resnet18 from scratch with its own augmentation, on the very pictures and split of ours: as many epochs of
one cycle as go into the processor time that our training took. BENCH_SEEDS seeds (3) decide splits and weights of both.
"""

import io
import json
import os
import re
import resource
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import cv2
import numpy as np
from PIL import Image

from bench import _project
from bench._side_by_side import at_most, figure, heading, number
from irisline.core import paths, seeding
from irisline.evaluation.metrics import share_interval

DRAWN, SIDE = 60, 120  # pictures of a shape, and pixels
SHAPES = ("circle", "square", "triangle", "cross")


@dataclass(frozen=True)
class Result:
    """What came of one project."""

    metrics: dict[str, float]
    validate: dict[str, float]
    suspects: float  # share of the labels
    promoted: bool
    seconds: float  # of processor, of training
    fastai: float  # error rate of plain fastai


def main() -> None:
    """Print, for each folder of pictures, error rates beside plain fastai's, and whether the rest can be trusted."""
    with _project.scratch() as scratch:
        named = [Path(name) for name in os.environ.get("BENCH_PICTURES", "").split(":") if name]
        for pictures in named or [_shapes(scratch / "shapes")]:
            seeds = range(1, 1 + number("BENCH_SEEDS", 3))
            heading(f"{pictures.name}: irisline new and make repro, params as they come, {len(seeds)} seeds")
            _show([_result(scratch / f"{pictures.name}-{seed}", pictures, seed) for seed in seeds])


def _show(results: list[Result]) -> None:
    for result in results:
        told = {name: f"{result.metrics[name]:.1%}" for name in ("error_rate", "ece_uncalibrated", "ece", "coverage")}
        print(
            f"  {told['error_rate']} wrong of {result.metrics['test_images']:.0f} (fastai {result.fastai:.1%}), ECE "
            f"{told['ece_uncalibrated']} → {told['ece']}, answered {told['coverage']}, of these "
            f"{result.metrics['selective_risk']:.1%} wrong, {result.seconds:.0f} s of processor, "
            f"{'promoted' if result.promoted else 'REFUSED'}",
            flush=True,
        )
    ours = mean(result.metrics["error_rate"] for result in results)
    at_most("error rate over plain fastai's", ours / max(mean(result.fastai for result in results), 1e-9), 1.0)
    at_most("share refused", 1 - mean(result.promoted for result in results), 0.0)
    at_most("share of good pictures that validate refuses", mean(r.validate["rejected_share"] for r in results), 0.01)
    figure("share set aside", mean(r.validate["set_aside"] / r.validate["images"] for r in results))
    at_most("share of right labels that are suspect", mean(result.suspects for result in results), 0.02)
    before, after = (mean(result.metrics[name] for result in results) for name in ("ece_uncalibrated", "ece"))
    at_most("ECE after calibration over that before", after / max(before, 1e-9), 1.0)
    answered = sum(round(r.metrics["coverage"] * r.metrics["test_images"]) for r in results)
    wrong = sum(round(r.metrics["selective_risk"] * r.metrics["coverage"] * r.metrics["test_images"]) for r in results)
    at_most("least risk of what is answered that fits (Wilson, 95 %)", share_interval(wrong, answered)[0], 0.05)


def _result(folder: Path, pictures: Path, seed: int) -> Result:
    _project.run("irisline", "new", str(folder), "--from", str(pictures), folder=folder.parent)
    text = (folder / paths.PARAMS).read_text()
    (folder / paths.PARAMS).write_text(re.sub(r"(?m)^  seed: \d+", f"  seed: {seed}", text))
    _project.run("dvc", "repro", "--quiet", "augment", folder=folder)
    before = _processor()
    _project.run("dvc", "repro", "--quiet", "train", folder=folder)
    seconds = _processor() - before
    said = _project.run("make", "repro", folder=folder)
    labels = _json(folder / paths.LABELS_REPORT)
    return Result(
        metrics=_json(folder / paths.EVALUATE_REPORT),
        validate=_json(folder / paths.VALIDATE_REPORT),
        suspects=labels["suspects"] / labels["labels"],
        promoted="is the champion now" in said,
        seconds=seconds,
        fastai=_plain_fastai(folder, seed, seconds),
    )


def _json(report: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((report / "metrics.json").read_text())
    return found


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _plain_fastai(folder: Path, seed: int, seconds: float) -> float:
    """Return the error rate on the test split; the process of its own is told the folder, the seed and the seconds."""
    words = ("python", "-m", "bench._plain_fastai", str(folder), str(seed), f"{seconds:.1f}")
    return float(_project.run(*words, folder=_project.ROOT).strip().splitlines()[-1])


def _shapes(folder: Path) -> Path:
    """Return a folder of drawn shapes, anywhere, of any colour and size, on noise."""
    for shape in SHAPES:
        (folder / shape).mkdir(parents=True)
        for count in range(DRAWN):
            Image.open(io.BytesIO(_drawn(shape, count))).save(folder / shape / f"{count}.jpg")
    return folder


def _drawn(shape: str, count: int) -> bytes:
    rng = seeding.generator("shapes", shape, count)
    picture = rng.integers(0, 256, (SIDE // 8, SIDE // 8, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
    colour = tuple(int(band) for band in rng.integers(0, 256, 3))
    size, x, y = (int(rng.integers(*bounds)) for bounds in ((18, 36), (40, 80), (40, 80)))
    corners: dict[str, list[tuple[float, float]]] = {
        "square": [(-1, -1), (1, -1), (1, 1), (-1, 1)],
        "triangle": [(0, -1.2), (1.1, 0.8), (-1.1, 0.8)],
        "cross": [(-0.3, -1), (0.3, -1), (0.3, -0.3), (1, -0.3), (1, 0.3), (0.3, 0.3), (0.3, 1), (-0.3, 1), (-0.3, 0.3),
                  (-1, 0.3), (-1, -0.3), (-0.3, -0.3)],
    }  # fmt: skip
    if shape == "circle":
        cv2.circle(picture, (x, y), size, colour, -1)
    else:
        points = np.array([(x + size * right, y + size * down) for right, down in corners[shape]], dtype=np.int32)
        cv2.fillPoly(picture, [points], colour)
    _, png = cv2.imencode(".png", picture)
    return png.tobytes()


if __name__ == "__main__":
    main()
