"""What pictures must meet: statistics, near-duplicates, the data contract and the split. Knows nothing of models."""
