"""`FakeSettings` and `FakeSecrets`: what an operator would have set, given by a test."""

from typing import TypeVar

from pydantic import BaseModel

from impasto_sdk.errors import SecretNotFoundError

__all__ = ["FakeSecrets", "FakeSettings"]

SettingsT = TypeVar("SettingsT", bound=BaseModel)


class FakeSettings:
    """The `SettingsAccess` of a `FakeContext`."""

    def __init__(self) -> None:
        self._values: dict[type[BaseModel], BaseModel] = {}

    def add(self, values: BaseModel) -> None:
        """Put the values of a settings class in force."""
        self._values[type(values)] = values

    def __call__(self, settings: type[SettingsT]) -> SettingsT:
        """See `SettingsAccess`."""
        values = self._values.get(settings)
        if not isinstance(values, settings):
            raise LookupError(f"{settings.__name__} is not among this context's settings; add its values first")
        return values


class FakeSecrets:
    """The `SecretAccess` of a `FakeContext`."""

    def __init__(self) -> None:
        self._secrets: dict[str, str] = {}

    def add(self, name: str, secret: str) -> None:
        """Set a secret, as if the plugin had declared it and the operator had set it."""
        self._secrets[name] = secret

    def get(self, name: str) -> str:
        """See `SecretAccess.get`."""
        try:
            return self._secrets[name]
        except KeyError:
            held = ", ".join(self._secrets) or "none"
            raise SecretNotFoundError(name, f"this context holds {held}") from None
