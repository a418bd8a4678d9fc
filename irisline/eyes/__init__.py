"""The domain of the first use: eyes found, described, changed and drawn. Generic rooms ask it through one import each."""
