"""Networks as modules, as ONNX graphs and as the files of a version. Knows nothing of pictures on disk."""
