"""Pictures from the web into the pool, and out of it. Knows nothing of models."""
