"""The int8 sibling of a network: close to it, the same bytes each time, refused in a line when it cannot be had."""

import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from irisline.core.errors import ModelError
from irisline.evaluation import quantization
from irisline.inference.classifier import Classifier
from irisline.inference.runtime import OnnxRuntime
from irisline.networks import bundle
from tests import planted
from tests.planted import CLASSES, ROOT, picture, saved


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    planted.accept(tmp_path / "rows", {"train": 20, "valid": 2, "test": 2})
    return tmp_path / "rows"


@pytest.fixture
def folder(rows: Path, tmp_path: Path) -> Path:
    """Return the folder of a model in both precisions."""
    folder = planted.model(tmp_path / "model")
    assert quantization.add(Classifier.load(folder), folder, rows, 1, folder) is None
    return folder


def test_int8_answers_alike_and_is_smaller(folder: Path) -> None:
    pictures = [saved(picture(label, number)) for label in CLASSES for number in range(10)]
    whole, int8 = (
        np.stack([outputs.logits[0] for _, outputs in Classifier.load(folder, precision=each).read(pictures)])
        for each in bundle.NETWORKS
    )
    assert (whole.argmax(axis=1) == int8.argmax(axis=1)).all()
    assert 0 < np.abs(whole - int8).max() < 0.05 * np.abs(whole).max()
    assert (folder / "model.int8.onnx").stat().st_size < 0.5 * (folder / "model.onnx").stat().st_size


def test_weights_and_what_flows_are_int8(folder: Path) -> None:
    nodes = onnx.load(folder / "model.int8.onnx").graph.node
    assert {"QuantizeLinear", "DequantizeLinear"} <= {node.op_type for node in nodes}
    weights = [part for part in onnx.load(folder / "model.int8.onnx").graph.initializer if len(part.dims) == 2]
    assert [part.data_type for part in weights] == [onnx.TensorProto.INT8]
    values = numpy_helper.to_array(weights[0])
    assert np.abs(values).max() <= 64  # so that pairs of products fit into 16 bits


_ELSEWHERE = """
import sys
from pathlib import Path
from irisline.evaluation import quantization
from irisline.inference.classifier import Classifier
rows, model, target = map(Path, sys.argv[1:])
assert quantization.add(Classifier.load(model), model, rows, 1, target) is None
"""


def test_another_process_in_another_folder_writes_the_same_bytes(folder: Path, rows: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    environment = {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "7"}
    command = [sys.executable, "-c", _ELSEWHERE, str(rows), str(folder), "elsewhere"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("", "")
    made = (tmp_path / "elsewhere" / "model.int8.onnx").read_bytes()
    assert made == (folder / "model.int8.onnx").read_bytes()
    assert not onnx.load_from_string(made).metadata_props


def test_the_pictures_are_of_the_training_split_drawn_by_key(folder: Path, rows: Path) -> None:
    classifier = Classifier.load(folder)
    training = {row.tobytes() for row in quantization.squares(classifier, rows, 1)}
    assert len(training) == 40
    some, again, others = (
        [square.tobytes() for square in quantization.squares(classifier, rows, seed, 10)] for seed in (1, 1, 2)
    )
    assert len(some) == 10
    assert set(some) < training
    assert some == again
    assert some != others


def test_a_network_that_cannot_be_quantised_says_so_and_leaves_nothing(rows: Path, tmp_path: Path) -> None:
    network = planted.blue_against_red()
    network.graph.node.insert(1, helper.make_node("Mystery", ["float"], ["strange"], domain="nowhere"))
    folder = planted.model(tmp_path / "model")
    classifier = Classifier.load(folder)
    (folder / "model.onnx").write_bytes(network.SerializeToString())
    reason = quantization.add(classifier, folder, rows, 1, folder)
    assert reason
    assert reason.startswith("model.onnx: cannot be quantised: ")
    assert "\n" not in reason
    assert not (folder / "model.int8.onnx").exists()
    with pytest.raises(ModelError, match="cannot be quantised"):
        quantization.write(folder / "model.onnx", quantization.squares(classifier, rows, 1), folder / "model.int8.onnx")


def test_parts_that_stay_in_float32_are_no_reason_to_warn(
    rows: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    network = planted.blue_against_red()
    ones = [numpy_helper.from_array(np.ones(3, np.float32), name) for name in ("scale", "variance")]
    zeros = [numpy_helper.from_array(np.zeros(3, np.float32), name) for name in ("shift", "mean")]
    network.graph.initializer.extend([*ones, *zeros])
    inputs = ["float", "scale", "shift", "mean", "variance"]
    network.graph.node.insert(1, helper.make_node("BatchNormalization", inputs, ["normal"]))
    network.graph.node[2].input[0] = "normal"
    folder = planted.model(tmp_path / "model", network)
    assert quantization.add(Classifier.load(folder), folder, rows, 1, folder) is None
    assert caplog.records == []
    assert logging.root.isEnabledFor(logging.WARNING)


@pytest.mark.parametrize("damage", ["cut", "other names"])
def test_a_broken_int8_file_is_refused(folder: Path, damage: str) -> None:
    file = folder / "model.int8.onnx"
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:-200])
    else:
        file.write_bytes(file.read_bytes().replace(b"QuantizeLinear", b"QuantumsLinear"))
    with pytest.raises(ModelError, match=r"model.int8.onnx: cannot be loaded: .*; publish it anew$"):
        Classifier.load(folder, precision="int8")


def test_no_thread_count_changes_an_int8_answer(folder: Path) -> None:
    pixels = np.stack(list(quantization.squares(Classifier.load(folder), folder.parent / "rows", 1)))
    alone, together = (OnnxRuntime(folder / "model.int8.onnx", count, "int8") for count in (1, 2))
    one_by_one = np.concatenate([alone.run(pixels[at : at + 1]).logits for at in range(len(pixels))])
    assert np.array_equal(together.run(pixels).logits, one_by_one)
