"""What an ONNX file of a version may be made of, looked at before ONNX Runtime touches it.

The operators are those that torch's exporter and our quantisation make of torchvision's classifiers: none repeats, branches,
calls or reads another file, and how large a result is never depends on what a picture shows. Knows nothing of how they run.
"""

import math
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from irisline.core.errors import ModelError
from irisline.networks import version_limits

OPERATORS = frozenset("""
    Add AveragePool BatchNormalization Cast Clip Concat ConstantOfShape Conv DequantizeLinear Div Einsum Equal Expand Flatten
    Gather GatherND Gelu Gemm GlobalAveragePool HardSigmoid HardSwish LayerNormalization MatMul MaxPool Mul Not Pad
    QuantizeLinear Range ReduceL2 ReduceMean Relu Reshape ScatterND Shape Sigmoid Slice Softmax Split Squeeze Sub Tanh
    Transpose Unsqueeze Where
""".split())  # fmt: skip  # noqa: SIM905
DOMAINS = ("", "ai.onnx")  # two names of one

_SIZES = {  # from which input on they say how large a result is, or along which sides it lies
    **dict.fromkeys(("ConstantOfShape", "Range"), 0),
    **dict.fromkeys(
        ("Expand", "Pad", "ReduceL2", "ReduceMean", "Reshape", "Slice", "Split", "Squeeze", "Unsqueeze"), 1
    ),
}

# The fields of onnx.proto that matter here, each with its number; the rest is passed over. What is refused when it is there
# at all stays bytes, so that nothing nests.
_SCHEMA = {
    "Model": {"graph": (7, "Graph"), "training": (20, "bytes*"), "functions": (25, "bytes*")},
    "Graph": {"node": (1, "Node*"), "initializer": (5, "Tensor*"), "input": (11, "Value*"), "sparse": (15, "bytes*")},
    "Value": {"name": (1, "bytes")},
    "Node": {
        "input": (1, "bytes*"), "output": (2, "bytes*"), "operator": (4, "bytes"), "attribute": (5, "Attribute*"),
        "domain": (7, "bytes"),
    },
    "Attribute": {
        "tensor": (5, "Tensor"), "graph": (6, "bytes*"), "tensors": (10, "Tensor*"), "graphs": (11, "bytes*"),
        "sparse": (22, "bytes*"), "sparses": (23, "bytes*"),
    },
    "Tensor": {"dims": (1, "int64*"), "name": (8, "bytes"), "external": (13, "bytes*"), "location": (14, "int32")},
}  # fmt: skip


def check(path: Path) -> None:
    """Raise ModelError unless an ONNX file is made of what it may be made of."""
    try:
        reason = next(_reasons(_model().FromString(version_limits.read(path, version_limits.FILE_BYTES))), None)
    except DecodeError as error:
        raise ModelError(f"{path}: no ONNX file ({error}); leave this version, or publish it anew") from error
    if reason:
        raise ModelError(f"{path}: {reason}; leave this version, or publish it anew")


def _reasons(model: Any) -> Iterator[str]:
    """Yield each reason why a network is not run."""
    graph = model.graph
    if model.functions or model.training:
        yield "brings functions of its own, or a training; no exported classifier does"
    constants = {tensor.name for tensor in graph.initializer}.difference(given.name for given in graph.input)
    sizes = constants | {b""}  # what sizes are made of: constants, sizes of other results, and inputs that are left out
    tensors = [*graph.initializer]
    sparse = bool(graph.sparse)
    for node in graph.node:
        operator, domain = (part.decode(errors="replace")[:60] for part in (node.operator, node.domain))
        if operator not in OPERATORS or domain not in DOMAINS:
            yield f"the operator {' of '.join(filter(None, (operator, domain)))} is none of an exported classifier"
        for attribute in node.attribute:
            tensors += [attribute.tensor] * attribute.HasField("tensor") + [*attribute.tensors]
            sparse = sparse or bool(attribute.sparse or attribute.sparses)
            if attribute.graph or attribute.graphs:
                yield f"{operator} has a graph within; no exported classifier has"
        if not sizes.issuperset(node.input[_SIZES.get(operator, len(node.input)) :]):
            yield f"how large the result of {operator} is depends on the picture"
        if operator == "Range" and len(constants.intersection(node.input)) < 2:
            yield "a Range between two sizes: more pictures at once may take less"
        if _gives_sizes(operator, node.input, constants, sizes):
            sizes.update(node.output)
        if constants.intersection(node.output):
            yield f"{operator} gives a constant another value"
    if sparse:
        yield "has sparse tensors; no exported classifier has"
    for tensor in tensors:
        name = tensor.name.decode(errors="replace")[:60]
        if tensor.external or tensor.location:
            yield f"the tensor {name} lies in another file; the whole network must be in this one"
        if min(tensor.dims, default=0) < 0 or math.prod(tensor.dims) > 2 * tensor.ByteSize():
            yield f"the tensor {name} has fewer numbers than it says"


def _gives_sizes(operator: str, inputs: Sequence[bytes], constants: set[bytes], sizes: set[bytes]) -> bool:
    """Return whether a result is made of constants and of the sizes of others, so that it grows with the batch, if at all."""
    if operator in ("Concat", "Mul"):
        return sizes.issuperset(inputs)
    taken = operator in ("Reshape", "Slice", "Squeeze") and sizes.issuperset(inputs[:1])
    return operator == "Shape" or (taken and all(name in constants or not name for name in inputs[1:]))


@cache
def _model() -> Any:
    """Return the class of a message that has the fields of the schema."""
    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="network.proto", package="network", syntax="proto2")
    for name, fields in _SCHEMA.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            label = kinds.LABEL_REPEATED if kind.endswith("*") else kinds.LABEL_OPTIONAL
            made = message.field.add(name=field, number=number, label=label)
            if (bare := kind.rstrip("*")) in _SCHEMA:
                made.type, made.type_name = kinds.TYPE_MESSAGE, f".network.{bare}"
            else:
                made.type = kinds.Type.Value(f"TYPE_{bare.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("network.Model"))
