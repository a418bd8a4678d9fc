"""Labels that may be wrong, and what people decide about them. Knows nothing of training."""
