"""Irisline: from pictures named by class to a served classifier that can be explained, rebuilt and rolled back."""

__version__ = "0.1.0"
