"""From tables on disk to a trained network and its files. Knows nothing of registries."""
