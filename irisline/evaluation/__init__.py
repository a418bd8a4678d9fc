"""A model measured: metrics, perturbation tests, precision, the gate, the figures, the card. Knows nothing of registries."""
