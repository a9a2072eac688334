"""Errors on the wire: what the server raised for a worker's request is raised again in the node that asked.

Only errors that a node is told of in `impasto_sdk.context` keep their class; no class is ever looked up by a name that
came over the wire. Used by `Wire`.
"""

from collections.abc import Callable, Mapping

from impasto.errors import ServerError, UnreadableImageError
from impasto_sdk.errors import (
    ImageNotFoundError,
    ImpastoError,
    ModelNotFoundError,
    NotFoundError,
    SecretNotFoundError,
    TensorNotFoundError,
)
from impasto_sdk.fields import JsonValue

__all__ = ["decode_error", "encode_error"]

_NOT_FOUND: dict[str, type[NotFoundError]] = {
    cls.__name__: cls for cls in (ImageNotFoundError, TensorNotFoundError, ModelNotFoundError, SecretNotFoundError)
}


def encode_error(error: Exception) -> dict[str, JsonValue]:
    """The error as JSON values: its class's name, its message, and what its class is made from."""
    document: dict[str, JsonValue] = {"type": type(error).__name__, "message": str(error)}
    if isinstance(error, NotFoundError):
        document |= {"name": error.name, "hint": error.hint}
    if isinstance(error, UnreadableImageError):
        document["problem"] = error.problem
    return document


def decode_error(document: Mapping[str, JsonValue]) -> ImpastoError:
    """The error to raise for what `encode_error` gave: of the same class if a node may catch it, else `ServerError`."""
    make = _MAKERS.get(document.get("type", ""))
    if make is not None:
        return make(document)
    return ServerError(f"the server could not do what was asked: {document.get('type')}: {document.get('message')}")


def _maker(cls: type[NotFoundError]) -> Callable[[Mapping[str, JsonValue]], ImpastoError]:
    return lambda document: cls(document.get("name", ""), document.get("hint", ""))


_MAKERS: dict[str, Callable[[Mapping[str, JsonValue]], ImpastoError]] = {
    **{name: _maker(cls) for name, cls in _NOT_FOUND.items()},
    UnreadableImageError.__name__: lambda document: UnreadableImageError(document.get("problem", "unreadable")),
}
