"""What leaves training: safetensors, ONNX and JSON that agree with torch and hold nothing of the machine."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from safetensors.torch import load_model

from irisline.core import seeding
from irisline.core.errors import ModelError
from irisline.inference.classifier import Classifier
from irisline.inference.runtime import OnnxRuntime
from irisline.networks import architectures, bundle
from irisline.networks.architectures import Network
from irisline.networks.feature_extractor import WithFeatures
from irisline.training import export
from tests.planted import ROOT

ARCH = "squeezenet1_1"
PIXELS = torch.from_numpy(seeding.generator("export").integers(0, 256, (70, 3, 32, 32), dtype="uint8"))
FACTS = {
    "classes": ["a", "b"], "preprocess": {"size": 32, "fit": "squash"}, "max_side": 640, "max_pixels": 10**6,
}  # fmt: skip


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    export.write(architectures.build(ARCH, 2, "scratch", 1), PIXELS, FACTS, 1e-3, folder)
    return folder


@pytest.mark.slow
def test_the_files_and_their_facts(written: Path) -> None:
    assert sorted(file.name for file in written.iterdir()) == ["model.json", "model.onnx", "model.safetensors"]
    facts = json.loads((written / "model.json").read_text())
    assert {name: facts[name] for name in FACTS} == FACTS
    assert facts["digest"] == bundle.file_digest(written / "model.safetensors")
    assert facts["parameters"] == sum(part.numel() for part in architectures.build(ARCH, 2, "scratch", 1).parameters())
    assert 0 <= facts["parity"] < 1e-4
    assert Classifier.load(written).digest == facts["digest"]


@pytest.mark.slow
def test_onnx_answers_as_torch_for_any_batch(written: Path) -> None:
    built = _with_weights(architectures.build(ARCH, 2, "scratch", 99), written / "model.safetensors").eval()
    with torch.inference_mode():
        expected = built(PIXELS).numpy()
        maps = built.body.get_submodule("features")((PIXELS.float() / 255 - built.mean) / built.deviation).numpy()
    runtime = OnnxRuntime(written / "model.onnx")
    for size in (1, 3, 70):
        logits, features = runtime.run(PIXELS[:size].numpy())
        assert np.allclose(logits, expected[:size], atol=1e-4)
        assert np.allclose(features, maps[:size].mean(axis=(2, 3)), atol=1e-4)


@pytest.mark.slow
def test_weights_come_back_bit_for_bit(written: Path) -> None:
    one, other = architectures.build(ARCH, 2, "scratch", 1), architectures.build(ARCH, 2, "scratch", 2)
    _with_weights(other, written / "model.safetensors")
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


_ELSEWHERE = """
import sys
from pathlib import Path
from tests.training import test_export as here
from irisline.networks import architectures
from irisline.training import export
export.write(architectures.build(here.ARCH, 2, "scratch", 1), here.PIXELS[:5], here.FACTS, 1e-3, Path(sys.argv[1]))
"""


@pytest.mark.slow
def test_another_process_in_another_folder_writes_the_same_bytes_without_a_path(written: Path, tmp_path: Path) -> None:
    environment = {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-c", _ELSEWHERE, str(tmp_path)]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True)
    for name in ("model.onnx", "model.safetensors"):
        assert (tmp_path / name).read_bytes() == (written / name).read_bytes(), name
    text = onnx.printer.to_text(onnx.load(written / "model.onnx"))
    assert (written / "model.onnx").read_bytes().count(b".py") == 0
    assert str(ROOT) not in text
    assert "site-packages" not in text


@pytest.mark.slow
def test_a_model_too_far_from_torch_is_refused(tmp_path: Path) -> None:
    message = r"^model.onnx: differs from torch by \S+ in an output, limit is 1e-30 \(gate.max_parity\); take another"
    with pytest.raises(ModelError, match=message):
        export.write(architectures.build("shufflenet_v2_x0_5", 2, "scratch", 1), PIXELS, FACTS, 1e-30, tmp_path)
    assert not (tmp_path / "model.json").exists()


@pytest.mark.slow
def test_parity_is_the_largest_difference_over_all_batches(written: Path) -> None:
    built = architectures.build(ARCH, 2, "scratch", 1).eval()
    odd = torch.cat([torch.zeros(69, 3, 32, 32, dtype=torch.uint8), PIXELS[:1]])
    other = architectures.build(ARCH, 2, "scratch", 2).eval()
    runtime = OnnxRuntime(written / "model.onnx")
    with torch.inference_mode():
        theirs = WithFeatures(other)(odd)
    ours = runtime.run(odd.numpy())
    logits = np.abs(ours.logits - theirs[0].numpy()).max()
    length = theirs[1].norm(dim=1, keepdim=True).numpy()
    expected = max(logits, np.abs((ours.features - theirs[1].numpy()) / length).max())
    assert expected > logits  # features have a say
    assert export.measure_parity(other, written / "model.onnx", odd) == pytest.approx(float(expected), rel=1e-4)
    assert export.measure_parity(built, written / "model.onnx", odd) < 1e-4


def _with_weights(net: Network, file: Path) -> Network:
    load_model(net, str(file))
    return net
