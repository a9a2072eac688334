"""What the server puts into the scope of every request that it passes to a web app."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel

__all__ = ["API_SCOPE", "SETTINGS_SCOPE", "settings_of"]

SettingsT = TypeVar("SettingsT", bound=BaseModel)

#: The key of the server's API, an ASGI application: see `impasto_sdk.asgi.HostApi`.
API_SCOPE = "impasto.api"
#: The key of the settings of plugins, a `SettingsAccess` as nodes have it in their context.
SETTINGS_SCOPE = "impasto.settings"


def settings_of(scope: Mapping[str, Any], settings: type[SettingsT]) -> SettingsT:
    """What the operator chose for the plugin that registered the class `settings` with ``register_settings``.

    Raises `LookupError` for a class that no plugin registered, or outside a server; an error that names the setting
    when it holds something unusable.
    """
    access = scope.get(SETTINGS_SCOPE)
    if access is None:
        raise LookupError(f"the scope has no {SETTINGS_SCOPE!r}: the app does not run in an Impasto server")
    chosen: SettingsT = access(settings)
    return chosen
