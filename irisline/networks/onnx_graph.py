"""An ONNX graph as bytes that say nothing of the machine that made it. Knows nothing of what it computes."""

import onnx


def as_bytes(model: onnx.ModelProto) -> bytes:
    """Return a graph's bytes without stack traces and file paths: the same graph gives the same bytes in any folder."""
    del model.metadata_props[:]
    model.doc_string = ""
    for graph in (model.graph, *model.functions):
        del graph.metadata_props[:]
        graph.doc_string = ""
        for part in (*graph.node, *graph.value_info):
            del part.metadata_props[:]
            part.doc_string = ""
    for part in (*model.graph.initializer, *model.graph.input, *model.graph.output):
        del part.metadata_props[:]
        part.doc_string = ""
    return bytes(model.SerializeToString(deterministic=True))
