"""`PluginSettings`: what the operator set for plugins, as the classes that they registered."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from impasto.errors import SettingsError
from impasto_sdk.contributions import SettingsDeclaration
from impasto_sdk.fields import JsonValue

__all__ = ["PluginSettings"]

SettingsT = TypeVar("SettingsT", bound=BaseModel)


class PluginSettings:
    """A `SettingsAccess`. `values` are the operator's, by section; they are checked when they are first asked for."""

    def __init__(self, declared: Iterable[SettingsDeclaration], values: Mapping[str, Mapping[str, JsonValue]]) -> None:
        self._sections = {declaration.model: declaration.section for declaration in declared}
        self._values = values
        self._checked: dict[type[BaseModel], BaseModel] = {}

    def __call__(self, settings: type[SettingsT]) -> SettingsT:
        """See `SettingsAccess`. Raises `SettingsError` when the operator set something that does not fit."""
        found = self._checked.get(settings)
        if found is None:
            found = self._checked[settings] = self._check(settings)
        assert isinstance(found, settings)  # kept under its own class
        return found

    def _check(self, settings: type[BaseModel]) -> BaseModel:
        section = self._sections.get(settings)
        if section is None:
            known = ", ".join(sorted(known.__name__ for known in self._sections)) or "none"
            raise LookupError(
                f"{settings.__name__} is no registered settings class; register_settings declared: {known}"
            )
        try:
            return settings.model_validate(dict(self._values.get(section, {})))
        except ValidationError as error:
            problems = [
                f"{'.'.join(map(str, problem['loc']))} = {problem['input']!r}: {problem['msg']}"
                for problem in error.errors(include_url=False)
            ]
            raise SettingsError(f"plugins.{section}", problems) from error
