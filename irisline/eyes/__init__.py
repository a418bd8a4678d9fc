"""The domain of the first use: eyes found, described, changed and drawn. Generic rooms ask it through `irisline/domains/`."""
