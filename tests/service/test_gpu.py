"""The whole service on a CUDA device: what it answers is what the CPU answers, alone and when batches form."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import torch

from irisline.core import seeding
from irisline.inference import calibration
from irisline.networks import architectures
from irisline.training import export
from tests import planted
from tests.planted import picture, saved
from tests.service.conftest import CALIBRATED, running, sealed

pytestmark = [pytest.mark.slow, pytest.mark.gpu]

SIZE = 32
FACTS = {
    "arch": "resnet18", "classes": list(planted.CLASSES), "max_side": 640, "max_pixels": 10**6,
    "preprocess": {"crop": "none", "size": SIZE, "fit": "squash"},
}  # fmt: skip
PICTURES = [saved(picture(label, number)) for label in planted.CLASSES for number in range(20)]


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a version with a network as people train it; its golden answers are the CPU's."""
    folder = tmp_path_factory.mktemp("version") / "model"
    folder.mkdir()
    pixels = seeding.generator("gpu service").integers(0, 256, (4, 3, SIZE, SIZE), dtype="uint8")
    export.write(architectures.build("resnet18", 2, "scratch", 1), torch.from_numpy(pixels), FACTS, 1e-3, folder)
    (folder / "calibration.json").write_text(calibration.as_json(CALIBRATED))
    return sealed(folder)


@pytest.fixture(scope="module")
def addresses(version: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Yield the addresses of two services with the same version: one on the CPU, one that is told to use the GPU."""
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    log = tmp_path_factory.mktemp("services") / "log"
    with (
        running(version, log, IRISLINE_DEVICE="cpu") as (cpu, _),
        running(version, log, IRISLINE_DEVICE="cuda") as (gpu, _),
    ):
        assert [httpx.get(f"{address}/model").json()["device"] for address in (cpu, gpu)] == ["cpu", "cuda"]
        yield cpu, gpu


def ask(address: str, data: bytes, **how: str) -> dict[str, Any]:
    answer = httpx.post(
        f"{address}/predict", params=how, content=data, headers={"content-type": "image/jpeg"}, timeout=30
    )
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_its_answers_are_the_cpus_alone_and_in_batches(addresses: tuple[str, str]) -> None:
    cpu, gpu = addresses
    expected = [ask(cpu, data) for data in PICTURES]
    with ThreadPoolExecutor(16) as clients:
        together = list(clients.map(partial(ask, gpu), PICTURES))
    for told in ([ask(gpu, data) for data in PICTURES], together):
        for answer, known in zip(told, expected, strict=True):
            assert answer["probabilities"] == pytest.approx(known["probabilities"], abs=1e-4)
            assert answer["label"] == known["label"]


def test_what_it_looked_at_is_what_the_cpu_looked_at(addresses: tuple[str, str]) -> None:
    ours, theirs = (np.array(ask(address, PICTURES[0], explain="true")["saliency"]) for address in addresses)
    assert ours.shape == theirs.shape
    assert ours == pytest.approx(theirs, abs=1e-3)
