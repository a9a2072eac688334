"""The version of impasto-image."""

__version__ = "0.1.0"
