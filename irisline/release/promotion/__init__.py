"""Which version is live, on what evidence, and how that changes."""
