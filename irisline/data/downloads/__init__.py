"""How pictures get here from addresses nobody vouches for. Knows nothing of providers, labels or the pool."""
