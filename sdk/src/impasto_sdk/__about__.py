"""The version of the sdk: the contract between the core and every plugin."""

__version__ = "0.1.0"
