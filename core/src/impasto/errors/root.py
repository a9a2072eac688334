"""`CoreError`, from which all others of the core come."""

from impasto_sdk.errors import ImpastoError

__all__ = ["CoreError"]


class CoreError(ImpastoError):
    """Base of the core's errors."""
