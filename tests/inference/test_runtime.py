"""What runs a network: ONNX Runtime and torch give the same logits, and the device decides between them."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from irisline.core import seeding
from irisline.core.errors import MissingInput, ModelError
from irisline.inference import runtime
from irisline.inference.classifier import Classifier
from irisline.inference.runtime import OnnxRuntime
from irisline.inference.torch_runtime import TorchRuntime
from irisline.networks import architectures
from irisline.training import export
from tests import planted
from tests.planted import ROOT, picture, saved

PIXELS = seeding.generator("runtime").integers(0, 256, (9, 3, 32, 32), dtype="uint8")
FACTS = {
    "classes": ["a", "b"], "preprocess": {"size": 32, "fit": "squash"}, "max_side": 640, "max_pixels": 10**6,
    "arch": "resnet18",
}  # fmt: skip


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runtime")
    export.write(architectures.build("resnet18", 2, "scratch", 1), torch.from_numpy(PIXELS), FACTS, 1e-3, folder)
    return folder


@pytest.mark.slow
def test_torch_gives_the_outputs_of_onnx_for_any_batch(written: Path) -> None:
    onnx, by_torch = OnnxRuntime(written / "model.onnx", threads=1), TorchRuntime(written, "cpu")
    for count in (1, 3, 9):
        logits, features = by_torch.run(PIXELS[:count])
        assert (logits.dtype, logits.shape) == (features.dtype, (count, 2)) == (np.dtype(np.float32), (count, 2))
        assert features.shape == (count, 512)
        for ours, theirs in zip((logits, features), onnx.run(PIXELS[:count]), strict=True):
            assert np.allclose(ours, theirs, atol=1e-4)
    frozen = np.broadcast_to(PIXELS[:1], (2, 3, 32, 32))
    assert np.allclose(by_torch.run(frozen).logits, logits[0], atol=1e-4)
    assert (by_torch.device, by_torch.precision) == ("cpu", "float32")


@pytest.mark.gpu
@pytest.mark.slow
def test_cuda_gives_the_answers_of_the_cpu(written: Path) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    on_cpu, on_cuda = (Classifier.load(written, device=device) for device in ("cpu", "cuda"))
    chosen = Classifier.load(written, device="auto", precision="int8").runtime
    assert (chosen.device, chosen.precision) == (on_cuda.runtime.device, "float32") == ("cuda", "float32")
    pictures = [saved(picture(label, number)) for label in planted.CLASSES for number in range(20)]
    for ours, theirs in zip(on_cuda.predict(pictures), on_cpu.predict(pictures), strict=True):
        assert ours.probabilities == pytest.approx(theirs.probabilities, abs=1e-4)


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("model.safetensors", b"not weights", "header"),
        ("model.json", json.dumps(FACTS | {"classes": ["a", "b", "c"]}).encode(), "size mismatch"),
        ("model.json", json.dumps(FACTS | {"arch": "alexnet"}).encode(), "Missing key"),
        ("model.json", json.dumps(FACTS | {"arch": "perceptron"}).encode(), "not a torchvision classifier"),
        ("model.json", b'{"classes": ["a", "b"]}', "arch"),
    ],
)
@pytest.mark.slow
def test_files_that_do_not_fit_are_one_line(
    written: Path, tmp_path: Path, file: str, content: bytes, reason: str
) -> None:
    for name in ("model.safetensors", "model.json"):
        (tmp_path / name).write_bytes((written / name).read_bytes())
    (tmp_path / file).write_bytes(content)
    with pytest.raises(
        ModelError, match=rf"model.safetensors: cannot be loaded: .*{reason}.*; publish it anew$"
    ) as caught:
        TorchRuntime(tmp_path, "cpu")
    assert "\n" not in str(caught.value)


def test_auto_is_the_cpu_where_there_is_no_cuda_and_cuda_is_refused(tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("a CUDA device is here")
    folder = planted.model(tmp_path)
    assert runtime.choose([folder], "auto", "float32", threads=1).device == "cpu"
    with pytest.raises(MissingInput, match=r"^model.safetensors: not in .*; type dvc repro to make it$"):
        Classifier.load(folder, device="cuda")
    (folder / "model.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match=r"^device cuda: torch finds no CUDA device here; set IRISLINE_DEVICE to auto"):
        Classifier.load(folder, device="cuda")


def test_the_choice_loads_torch_only_for_a_gpu(tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("a CUDA device is here")
    code = (
        "import sys; from pathlib import Path; from irisline.inference.classifier import Classifier;"
        "print(Classifier.load(Path(sys.argv[1]), device='auto').runtime.device, 'torch' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(planted.model(tmp_path))]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split() == [
        "cpu",
        "False",
    ]


def test_the_precision_decides_the_file(tmp_path: Path) -> None:
    folder = planted.model(tmp_path)
    with pytest.raises(MissingInput, match=r"^model.int8.onnx: not in .*; type dvc repro to make it$"):
        Classifier.load(folder, precision="int8")
    (folder / "model.onnx").rename(folder / "model.int8.onnx")
    assert Classifier.load(folder, precision="int8").runtime.precision == "int8"
    with pytest.raises(MissingInput, match=r"^model.onnx: not in "):
        Classifier.load(folder)


@pytest.mark.parametrize("threads", [0, 1, 2])
def test_threads_change_how_not_what(tmp_path: Path, threads: int) -> None:
    folder = planted.model(tmp_path)
    runner = OnnxRuntime(folder / "model.onnx", threads)
    expected = onnxruntime.InferenceSession(folder / "model.onnx").run(["logits"], {"pixels": PIXELS})[0]
    assert np.allclose(runner.run(PIXELS).logits, expected, atol=1e-4)
    options = runner._session.get_session_options()
    assert options.intra_op_num_threads == threads
    if threads:
        assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
