"""The version of impasto-starter."""

__version__ = "0.1.0"
