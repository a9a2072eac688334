"""The version of impasto-openai."""

__version__ = "0.1.0"
