"""The version of impasto-openai-server."""

__version__ = "0.1.0"
