"""Stored values of an older version of a panel become present ones. Pure, but for the panel's own `upgrade`."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from impasto_sdk.fields import JsonValue
from impasto_sdk.panels.form import PanelForm
from impasto_sdk.panels.panel import UpgradeValues

__all__ = ["UpgradedValues", "upgrade_values"]


@dataclass(frozen=True, slots=True)
class UpgradedValues:
    """Values for the present version, and what a person should know of the change."""

    values: dict[str, JsonValue]
    notes: tuple[str, ...]

    def to_document(self) -> dict[str, JsonValue]:
        """``{values, notes}``."""
        return {"values": self.values, "notes": list(self.notes)}


def upgrade_values(
    form: PanelForm, upgrade: UpgradeValues | None, version: int, values: Mapping[str, JsonValue]
) -> UpgradedValues:
    """`values`, stored with `version` of the panel, for the version of `form`; the argument is not changed.

    First the panel's own function, when they are older; then fields that were renamed. Values of a newer version are
    given back as they are, with a note. What `upgrade` raises passes through.
    """
    present: dict[str, JsonValue] = copy.deepcopy(dict(values))
    notes: list[str] = []
    if version > form.values_version:
        newer = f"The values are of version {version} of this form; this installation has {form.values_version}."
        return UpgradedValues(present, (f"{newer} What it does not know is ignored.",))
    if version < form.values_version and upgrade is not None:
        present = dict(upgrade(version, present))
    _rename(present, form.root_fields, notes)
    for section in form.nested_sections.values():
        held = present.get(section.id)
        for item in held if isinstance(held, list) else [held]:
            if isinstance(item, dict):
                _rename(item, {field.id: field for field in section.fields}, notes)
    return UpgradedValues(present, tuple(notes))


def _rename(values: dict[str, JsonValue], fields: Mapping[str, Any], notes: list[str]) -> None:
    for name, field in fields.items():
        for old in field.renamed_from or ():
            if old in values:
                value = values.pop(old)
                if name not in values:
                    values[name] = value
                    notes.append(f"{old!r} is called {name!r} now.")
