"""Commands that plugins register with `register_commands`: ``impasto <name> …``."""

from impasto.host import PluginHost
from impasto.settings import Settings
from impasto_sdk.contributions import Command

__all__ = ["find_plugin_command"]


def find_plugin_command(name: str) -> Command | None:
    """The command of that name that an active plugin registered. Raises `SettingsError` for unusable settings."""
    host = PluginHost.load(disabled=Settings.load().disabled_plugins)
    for registered in host.contributions.commands:
        if registered.value.name == name:
            return registered.value
    return None
