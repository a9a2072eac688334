"""The version of impasto-gemini."""

__version__ = "0.1.0"
