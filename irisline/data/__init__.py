"""Pictures and the tables that describe them. Knows nothing of models or registries."""
