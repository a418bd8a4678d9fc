"""Pictures, the pool and the tables that describe it. Knows nothing of models or registries."""
