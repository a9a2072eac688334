"""The version of impasto-sd."""

__version__ = "0.1.0"
