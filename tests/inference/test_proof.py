"""A version is proven in a process that ends: hostile networks and files are one line, in bounded time and memory."""

import json
import os
import resource
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper

from irisline.core import isolation
from irisline.core.errors import MissingInput, ModelError, Overloaded
from irisline.inference import identity, proof
from irisline.networks import architectures, onnx_operators, version_limits
from irisline.training import export
from tests import planted
from tests.planted import SIZE
from tests.service.conftest import identity_of, version_folder

SOON = 20.0  # seconds, on a machine that has other things to do


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return version_folder(tmp_path / "version", 3)


def spoil(folder: Path, made: onnx.ModelProto | bytes) -> Path:
    """Put another network into a version, its identity with it."""
    (folder / "model.onnx").write_bytes(made if isinstance(made, bytes) else made.SerializeToString())
    (folder / identity.NAME).write_text(identity_of(folder, 3).as_json())
    return folder


def refused(folder: Path, reason: str) -> None:
    """Hold that a version is refused with one line, soon, and by a process that took little."""
    began = time.monotonic()
    with pytest.raises(ModelError, match=reason) as told:
        proof.prove(folder, "eye-colour version 3")
    assert str(told.value).startswith("eye-colour version 3: ")
    assert "\n" not in str(told.value)
    assert time.monotonic() - began < SOON


def changed(*nodes: NodeProto, constants: tuple[TensorProto, ...] = (), feeds: str = "") -> onnx.ModelProto:
    """Return a network that answers right, with more nodes in front; what feeds names is added to its logits."""
    made = planted.blue_against_red()
    kept = [*made.graph.node]
    if feeds:
        kept[-1].output[0] = "sums"
        kept.append(helper.make_node("ReduceMean", [feeds], ["mean"], keepdims=0))
        kept.append(helper.make_node("Mul", ["mean", "nothing"], ["none"]))
        kept.append(helper.make_node("Add", ["sums", "none"], ["logits"]))
        made.graph.initializer.append(numpy_helper.from_array(np.zeros(1, np.float32), "nothing"))
    del made.graph.node[:]
    made.graph.node.extend([*nodes, *kept])
    made.graph.initializer.extend(constants)
    return made


def numbers(name: str, *values: int) -> TensorProto:
    return numpy_helper.from_array(np.array(values, np.int64), name)


def looping(trips: int = 2**60) -> tuple[NodeProto, tuple[TensorProto, ...]]:
    """Return a node that counts to so many."""
    given, told = helper.make_tensor_value_info, {"on": TensorProto.BOOL, "counted": TensorProto.INT64}
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Identity", ["count"], ["counted"])],
        "body",
        [given("turn", told["counted"], []), given("go", told["on"], []), given("count", told["counted"], [1])],
        [given("on", told["on"], []), given("counted", told["counted"], [1])],
    )  # fmt: skip
    trip = numpy_helper.from_array(np.array(trips, np.int64), "trips")
    yes = numpy_helper.from_array(np.array(True), "yes")
    return helper.make_node("Loop", ["trips", "yes", "zero"], ["end"], body=body), (trip, yes, numbers("zero", 0))


def loop() -> onnx.ModelProto:
    node, constants = looping()
    turned = helper.make_node("Cast", ["end"], ["ended"], to=TensorProto.FLOAT)
    return changed(node, turned, constants=constants, feeds="ended")


def function() -> onnx.ModelProto:
    node, constants = looping()
    inner = [helper.make_node("Constant", [], [each.name], value=each) for each in constants]
    made = changed(helper.make_node("Innocent", [], ["end"], domain="mine"))
    made.opset_import.append(helper.make_opsetid("mine", 1))
    hidden = helper.make_function("mine", "Innocent", [], ["end"], [*inner, node], [helper.make_opsetid("", 17)])
    made.functions.append(hidden)
    return made


def function_of_a_known_name() -> onnx.ModelProto:
    made = function()
    made.graph.node[0].domain, made.graph.node[0].op_type = "", "Relu"
    made.functions[0].domain, made.functions[0].name = "", "Relu"
    return made


def branch(depth: int = 1) -> NodeProto:
    """Return an If within an If, so deep."""
    node = helper.make_node("Identity", ["bias"], ["out"])
    for _ in range(depth):
        inner = helper.make_graph([node], "branch", [], [helper.make_tensor_value_info("out", TensorProto.FLOAT, [2])])
        node = helper.make_node("If", ["yes"], ["out"], then_branch=inner, else_branch=inner)
    return node


def nested(depth: int) -> bytes:
    """Return a network with graphs within graphs, by hand: protobuf writes none so deep."""
    graph = b""
    for _ in range(depth):
        attribute = _field(1, b"then_branch") + _field(6, graph)
        graph = _field(1, _field(4, b"If") + _field(5, attribute))
    return _field(7, graph + planted.blue_against_red().graph.SerializeToString())


def _field(number: int, data: bytes) -> bytes:
    length, digits = len(data), b""
    while length > 127:
        digits, length = digits + bytes([length & 127 | 128]), length >> 7
    return bytes([number << 3 | 2]) + digits + bytes([length]) + data


def external(beside: Path | None = None, place: str = "/etc/passwd") -> onnx.ModelProto:
    made = planted.blue_against_red()
    if beside:
        (beside / place).write_bytes(made.graph.initializer[0].raw_data)
    _let_outside(made.graph.initializer[0], place)
    return made


def _let_outside(tensor: TensorProto, place: str) -> None:
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=place)


def external_in_an_attribute() -> onnx.ModelProto:
    value = numbers("", 1)
    _let_outside(value, "/etc/passwd")
    shape = numbers("shape", 1)
    return changed(helper.make_node("ConstantOfShape", ["shape"], ["made"], value=value), constants=(shape,))


def sparse() -> onnx.ModelProto:
    made = planted.blue_against_red()
    values = helper.make_tensor("sparse", TensorProto.FLOAT, [1], [1.0])
    made.graph.sparse_initializer.append(helper.make_sparse_tensor(values, numbers("", 0), [2**40]))
    return made


def constant_of_shape() -> onnx.ModelProto:
    one = numpy_helper.from_array(np.ones(1, np.float32))
    return changed(
        helper.make_node("ConstantOfShape", ["shape"], ["made"], value=one),
        constants=(numbers("shape", 2**40),),
        feeds="made",
    )


def expand() -> onnx.ModelProto:
    node = helper.make_node("Expand", ["bias", "shape"], ["made"])
    return changed(node, constants=(numbers("shape", 2**38, 2),), feeds="made")


def pad() -> onnx.ModelProto:
    return changed(
        helper.make_node("Pad", ["bias", "pads"], ["made"]), constants=(numbers("pads", 2**38, 2**38),), feeds="made"
    )


def of_the_picture() -> onnx.ModelProto:
    """Return a network that is small for what it is proven with, and huge for a bright picture."""
    nodes = [
        helper.make_node("Cast", ["pixels"], ["numbers"], to=TensorProto.INT64),
        helper.make_node("Flatten", ["numbers"], ["flat"]),
        helper.make_node("Slice", ["flat", "zero", "next", "axis"], ["first"]),
        helper.make_node("Reshape", ["first", "row"], ["bright"]),
        helper.make_node("Expand", ["bias", "bright"], ["made"]),
    ]
    constants = (numbers("zero", 0), numbers("next", 1), numbers("axis", 1), numbers("row", -1))
    return changed(*nodes, constants=constants)


def cut_by_the_picture() -> onnx.ModelProto:
    """Return a network that cuts a constant where the picture says: the outer product of what is left may be huge."""
    nodes = [
        helper.make_node("Cast", ["pixels"], ["numbers"], to=TensorProto.INT64),
        helper.make_node("Flatten", ["numbers"], ["flat"]),
        helper.make_node("Slice", ["flat", "zero", "next", "axis"], ["first"]),
        helper.make_node("Reshape", ["first", "row"], ["bright"]),
        helper.make_node("Slice", ["bias", "zero", "bright"], ["some"]),
        helper.make_node("Einsum", ["some", "some"], ["made"], equation="i,j->ij"),
    ]
    constants = (numbers("zero", 0), numbers("next", 1), numbers("axis", 1), numbers("row", -1))
    return changed(*nodes, constants=constants)


def between_two_sizes() -> onnx.ModelProto:
    """Return a network whose Range is long only for a batch that lies between those it is proven with."""
    nodes = [
        helper.make_node("Shape", ["pixels"], ["sides"]),
        helper.make_node("Slice", ["sides", "zero", "next"], ["count"]),
        helper.make_node("Squeeze", ["count"], ["n"]),
        helper.make_node("Mul", ["n", "n"], ["square"]),
        helper.make_node("Range", ["square", "n", "one"], ["made"]),
    ]
    one = numpy_helper.from_array(np.array(1, np.int64), "one")
    return changed(*nodes, constants=(numbers("zero", 0), numbers("next", 1), one))


def of_an_input_that_is_called_a_constant() -> onnx.ModelProto:
    made = changed(helper.make_node("Expand", ["bias", "pixels"], ["made"]))
    made.graph.initializer.append(numpy_helper.from_array(np.ones((1, 3, SIZE, SIZE), np.uint8), "pixels"))
    return made


def short() -> onnx.ModelProto:
    made = planted.blue_against_red()
    made.graph.initializer[0].dims[:] = [2**20, 2**20]
    return made


def cut() -> bytes:
    whole = planted.blue_against_red().SerializeToString()
    return whole[: len(whole) // 2]


YES = numpy_helper.from_array(np.array(True), "yes")
ANOTHER = "leave this version, or publish it anew$"
HOSTILE: dict[str, tuple[Callable[[], onnx.ModelProto | bytes], str]] = {
    "a loop": (loop, f"the operator Loop is none of an exported classifier; {ANOTHER}"),
    "a branch": (lambda: changed(branch(3), constants=(YES,)), "the operator If is none"),
    "nested graphs": (lambda: nested(1000), "the operator If is none"),
    "a function": (function, "brings functions of its own"),
    "a function of a known name": (function_of_a_known_name, "brings functions of its own"),
    "a tile": (
        lambda: changed(helper.make_node("Tile", ["bias", "times"], ["made"]), constants=(numbers("times", 2**40),)),
        "the operator Tile is none",
    ),
    "another domain": (
        lambda: changed(helper.make_node("Relu", ["bias"], ["made"], domain="evil")), "the operator Relu of evil is none",
    ),
    "a fused operator": (
        lambda: changed(helper.make_node("FusedConv", ["bias"], ["made"], domain="com.microsoft")), "FusedConv of com.microsoft"
    ),
    "a file elsewhere": (external, "the tensor weights lies in another file"),
    "a file elsewhere, in an attribute": (external_in_an_attribute, "lies in another file"),
    "a sparse tensor": (sparse, "has sparse tensors"),
    "a huge constant": (constant_of_shape, r"^eye-colour version 3: cannot be run: .* ConstantOfShape node"),
    "a huge expansion": (expand, r"^eye-colour version 3: cannot be run: .* Expand node"),
    "a huge pad": (pad, r"^eye-colour version 3: cannot be run: .* Pad node"),
    "a size that is read from the picture": (of_the_picture, "how large the result of Expand is depends on the picture"),
    "a constant that is cut by the picture": (cut_by_the_picture, "how large the result of Slice is depends on the picture"),
    "a range between two sizes": (between_two_sizes, "a Range between two sizes"),
    "a size that only looks constant": (of_an_input_that_is_called_a_constant, "how large the result of Expand is"),
    "a tensor of fewer numbers": (short, "the tensor weights has fewer numbers than it says"),
    "half a file": (cut, "no ONNX file"),
    "a text": (lambda: b"hello", "no ONNX file"),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_network_is_one_line(kind: str, folder: Path) -> None:
    make, reason = HOSTILE[kind]
    refused(spoil(folder, make()), reason)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert used.ru_maxrss * 1024 < 1.5 * version_limits.MEMORY


def test_a_tensor_in_a_file_beside_the_network_is_refused(folder: Path) -> None:
    refused(spoil(folder, external(folder, "weights.bin")), "the tensor weights lies in another file")


def test_a_proof_that_another_has_killed_is_run_once_more(folder: Path) -> None:
    def kill_one() -> None:
        while not proof._running:
            time.sleep(0.01)
        for process in [*proof._running]:
            process.kill()

    killing = threading.Thread(target=kill_one)
    killing.start()
    assert proof.prove(folder, "it") == 2
    killing.join()


def test_a_whole_version_is_proven_and_one_without_its_network_is_named(folder: Path) -> None:
    assert proof.prove(folder, "it", pictures=3) == 2
    (folder / "model.onnx").unlink()
    with pytest.raises(MissingInput, match=r"^model\.onnx: not in "):
        proof.prove(folder, "it")


def test_a_proof_that_takes_too_many_seconds_is_ended(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(version_limits, "WALL_SECONDS", 0)
    with pytest.raises(Overloaded, match=r"^it: its proof takes more than [\d.]+ seconds; try again when"):
        proof.prove(folder, "it")


def test_a_network_that_takes_too_many_seconds_of_processor_is_ended(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(version_limits, "SECONDS", 3)
    squared = [helper.make_node("MatMul", [f"made{n}", f"made{n}"], [f"made{n + 1}"]) for n in range(300)]
    first = (
        helper.make_node("Expand", ["bias", "shape"], ["wide"]),
        helper.make_node("Reshape", ["wide", "square"], ["made0"]),
    )
    constants = numbers("shape", 2**19, 2), numbers("square", 1024, 1024)
    spoil(folder, changed(*first, *squared, constants=constants, feeds="made300"))
    refused(
        folder,
        r"^eye-colour version 3: its proof takes more than 3 seconds of processor; leave this version; irisline ver",
    )


def test_one_that_takes_more_memory_than_it_may_is_ended(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(version_limits, "MEMORY", 2**20)
    monkeypatch.setattr(version_limits, "MEMORY_TIMES", 0)
    with pytest.raises(ModelError, match=r"^it: .*(memory|alloc)"):
        proof.prove(folder, "it")


@pytest.mark.parametrize("arch", ["mobilenet_v3_small", "squeezenet1_1"])
def test_what_training_exports_is_let_through(arch: str, tmp_path: Path) -> None:
    import torch

    pixels = torch.zeros((2, 3, 64, 64), dtype=torch.uint8)
    facts = {"arch": arch, "classes": ["blue", "brown"]}
    export.write(architectures.build(arch, 2, "scratch", 1), pixels, facts, 1e-2, tmp_path)
    onnx_operators.check(tmp_path / "model.onnx")


def kept(folder: Path, **changes: object) -> None:
    """Change the first golden answer of a version."""
    answers = json.loads((folder / "golden" / "answers.json").read_text())
    answers[0] |= changes
    (folder / "golden" / "answers.json").write_text(json.dumps(answers))


@pytest.mark.parametrize("name", ["/dev/zero", "../model.json", "../../x", "a/b", "", ".", "..", "x" * 300])
def test_a_golden_file_has_a_plain_name(name: str, folder: Path) -> None:
    kept(folder, file=name)
    refused(folder, r"answers\.json: 0\.file: .*; publish the version anew$")


def test_golden_answers_are_numbers_of_the_same_classes(folder: Path) -> None:
    kept(folder, probabilities={"blue": float("nan"), "brown": 0.5})
    refused(folder, r"answers\.json: 0\.probabilities\.blue: Input should be a finite number")
    kept(folder, probabilities={"blue": 1.0})
    refused(folder, "with other classes")
    (folder / "golden" / "answers.json").write_text("null")
    refused(folder, r"answers\.json: document: Input should be a valid array")
    (folder / "golden" / "answers.json").write_text("[" * 10**5)
    refused(folder, r"answers\.json: document: Invalid JSON: recursion limit")


@pytest.mark.parametrize("name", ["model.json", "calibration.json", "golden/answers.json", identity.NAME])
def test_a_document_is_bounded(name: str, folder: Path) -> None:
    with (folder / name).open("r+b") as file:
        file.truncate(version_limits.DOCUMENT_BYTES + 1)
    with pytest.raises(ModelError, match=rf"bytes, the limit is {version_limits.DOCUMENT_BYTES:,}; leave this version"):
        identity.verify(folder) if name == identity.NAME else proof.prove(folder, "it")


@pytest.mark.parametrize(
    "text", ['{"temperature": NaN, "unsure_threshold": 0}', '{"temperature": 1, "unsure_threshold": 1e999}']
)
def test_a_number_that_is_none_is_refused(text: str, folder: Path) -> None:
    (folder / "calibration.json").write_text(text)
    refused(folder, r"not a model of this program: \S+ is no number; publish it anew$")


def outside(place: Path) -> None:
    place.symlink_to("/dev/zero")


def link(place: Path) -> None:
    place.symlink_to("model.json")


def folder_within(place: Path) -> None:
    (place / "deeper" / "still").mkdir(parents=True)


@pytest.mark.parametrize("make", [outside, link, os.mkfifo, folder_within])
@pytest.mark.parametrize("name", ["model.json", "golden/blue.jpg", "more"])
def test_a_version_holds_plain_files_only(make: Callable[[Path], None], name: str, folder: Path) -> None:
    (folder / name).unlink(missing_ok=True)
    make(folder / name)
    looks: tuple[Callable[[Path], object], ...] = identity.verify, lambda folder: proof.prove(folder, "it")
    for look in looks:
        began = time.monotonic()
        with pytest.raises(ModelError, match=r"is no plain file, and a version holds no other; leave this version"):
            look(folder)
        assert time.monotonic() - began < 1


def test_files_and_their_sum_are_bounded(folder: Path) -> None:
    with (folder / "more").open("wb") as file:
        file.truncate(version_limits.FILE_BYTES + 1)
    with pytest.raises(
        ModelError,
        match=rf"more: has {version_limits.FILE_BYTES + 1} bytes, the limit is {version_limits.FILE_BYTES}; leave",
    ):
        proof.prove(folder, "it")
    (folder / "more").unlink()
    for number in range(version_limits.FILES):
        (folder / f"more{number}").touch()
    with pytest.raises(ModelError, match=f"has more than {version_limits.FILES} files"):
        proof.prove(folder, "it")


def test_the_process_knows_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "sesame")
    assert "sesame" not in isolation.environment().values()
