"""`RegisteredExtensions`: which plugin turns which class of data into an extension of the denoise loop."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from impasto_sdk.context import InvocationContext
from impasto_sdk.errors import ExtensionError
from impasto_sdk.extensions import DenoiseExtension, DenoiseExtensionFactory

__all__ = ["RegisteredExtensions"]


class RegisteredExtensions:
    """An `ExtensionAccess`. `factories` are by the class of data they take; they are called with `context`."""

    def __init__(
        self, factories: Mapping[type[BaseModel], DenoiseExtensionFactory], context: InvocationContext
    ) -> None:
        self._factories = factories
        self._context = context

    def denoise(self, data: Sequence[BaseModel]) -> list[DenoiseExtension[Any]]:
        """See `ExtensionAccess.denoise`."""
        made = []
        for value in data:
            factory = self._factories.get(type(value))
            if factory is None:
                raise ExtensionError(type(value).__name__, sorted(known.__name__ for known in self._factories))
            made.append(factory.create(value, self._context))
        return sorted(made, key=lambda extension: extension.order)
