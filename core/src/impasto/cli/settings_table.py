"""What ``impasto settings`` prints: every setting with its value, where that comes from and what it is for."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from impasto.cli.terminal import print_json, print_table
from impasto.host import PluginHost
from impasto.settings import SETTINGS_FILE, Settings

__all__ = ["SettingRow", "print_settings", "settings_in_force"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingRow:
    """One setting."""

    name: str
    value: object
    #: ``flag``, ``environment``, ``impasto.yaml`` or ``default``.
    source: str
    description: str

    def to_document(self) -> dict[str, object]:
        """As JSON values."""
        return {"name": self.name, "value": self.value, "source": self.source, "description": self.description}


def settings_in_force(root: Path | None) -> list[SettingRow]:
    """The settings that a server started now on `root` would have, then those of its plugins.

    Raises `SettingsError` for unusable ones.
    """
    settings = Settings.load(root=root)
    values = settings.model_dump(mode="json", exclude={"plugins"})
    rows = [
        SettingRow(
            name=name,
            value=value,
            source=_source(settings, name, root),
            description=Settings.model_fields[name].description or "",
        )
        for name, value in values.items()
    ]
    return rows + _of_plugins(settings)


def print_settings(root: Path | None, *, as_json: bool) -> None:
    """Print the settings as a table, or as JSON."""
    rows = settings_in_force(root)
    if as_json:
        print_json([row.to_document() for row in rows])
        return
    values = [(row.name, json.dumps(row.value, ensure_ascii=False), row.source, row.description) for row in rows]
    print_table(("setting", "value", "from", "what it is for"), values, empty="there are no settings")


def _source(settings: Settings, name: str, root: Path | None) -> str:
    if name == "root" and root is not None:
        return "flag"
    if f"IMPASTO_{name.upper()}" in os.environ:
        return "environment"
    # the root is always handed over by hand
    return SETTINGS_FILE if name in settings.model_fields_set and name != "root" else "default"


def _of_plugins(settings: Settings) -> list[SettingRow]:
    rows = []
    for registered in PluginHost.load(disabled=settings.disabled_plugins).contributions.settings:
        section, model = registered.value.section, registered.value.model
        chosen = settings.plugins.get(section, {})
        for name, field in model.model_fields.items():
            rows.append(
                SettingRow(
                    name=f"plugins.{section}.{name}",
                    value=chosen.get(name, field.get_default(call_default_factory=True)),
                    source="set" if name in chosen else "default",
                    description=field.description or "",
                )
            )
    return rows
