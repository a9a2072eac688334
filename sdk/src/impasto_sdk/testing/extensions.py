"""`FakeExtensions`: the denoise extensions that a test says are installed."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from impasto_sdk.context import InvocationContext
from impasto_sdk.errors import ExtensionError
from impasto_sdk.extensions import DenoiseExtension, DenoiseExtensionFactory

__all__ = ["FakeExtensions"]


class FakeExtensions:
    """The `ExtensionAccess` of a `FakeContext`; `context` is what factories are called with."""

    def __init__(self, context: InvocationContext) -> None:
        self._context = context
        self._factories: dict[type[BaseModel], DenoiseExtensionFactory] = {}

    def add(self, factory: DenoiseExtensionFactory) -> None:
        """Offer an extension, as `register_denoise_extensions` would."""
        self._factories[factory.field_type] = factory

    def denoise(self, data: Sequence[BaseModel]) -> list[DenoiseExtension[Any]]:
        """See `ExtensionAccess.denoise`."""
        made = []
        for value in data:
            factory = self._factories.get(type(value))
            if factory is None:
                raise ExtensionError(type(value).__name__, [known.__name__ for known in self._factories])
            made.append(factory.create(value, self._context))
        return sorted(made, key=lambda extension: extension.order)
