"""The version of impasto-primitives."""

__version__ = "0.1.0"
