"""`SecretVault`: the secrets of all plugins, taken out of the environment, and each plugin's own view of them."""

from collections.abc import Iterable, Mapping, MutableMapping

from impasto_sdk.errors import SecretNotFoundError

__all__ = ["PluginSecrets", "SecretVault", "take_secrets"]

#: How the variables that hold secrets begin; the rest is the secret's name in upper case.
PREFIX = "IMPASTO_SECRET_"


def take_secrets(environment: MutableMapping[str, str]) -> dict[str, str]:
    """All secrets in `environment`, by name in lower case. It no longer holds them then, so that neither other plugins
    nor programs that a node starts find them there.
    """
    names = [name for name in environment if name.startswith(PREFIX)]
    return {name.removeprefix(PREFIX).lower(): environment.pop(name) for name in names}


class SecretVault:
    """Holds secrets and gives each plugin those that it declared.

    `values` are from `take_secrets`; `declared` are pairs of a distribution's name and the name of a secret of its.
    """

    def __init__(self, values: Mapping[str, str], declared: Iterable[tuple[str, str]]) -> None:
        self._values = dict(values)
        self._declared: dict[str, set[str]] = {}
        for plugin, secret in declared:
            self._declared.setdefault(plugin, set()).add(secret)

    def of(self, plugin: str) -> "PluginSecrets":
        """The secrets that `plugin` may read."""
        names = self._declared.get(plugin, ())
        return PluginSecrets(plugin, {name: self._values.get(name.lower()) for name in names})


class PluginSecrets:
    """A `SecretAccess`. `values` are the plugin's declared secrets; None: declared, but not set."""

    def __init__(self, plugin: str, values: Mapping[str, str | None]) -> None:
        self._plugin = plugin
        self._values = values

    def get(self, name: str) -> str:
        """See `SecretAccess.get`."""
        if name not in self._values:
            raise SecretNotFoundError(name, f"plugin {self._plugin!r} does not declare it with register_secrets")
        value = self._values[name]
        if not value:
            raise SecretNotFoundError(name, f"set the environment variable {PREFIX}{name.upper()}")
        return value
