"""A version that answers on this machine, and the alias it follows."""
