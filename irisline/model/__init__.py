"""Networks, their training, export, prediction and measurement. Knows nothing of registries."""
