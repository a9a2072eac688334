"""What a plugin of Impasto imports."""

from impasto_sdk.__about__ import __version__

__all__ = ["__version__"]
