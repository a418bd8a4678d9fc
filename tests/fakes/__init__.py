"""Strangers on the loopback: servers that behave as the web does, well and badly. The project's own code runs against them."""
