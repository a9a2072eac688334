"""`Section`: a group of fields.

An own section that does not repeat is layout only: its fields are keys of the panel's values, so moving a field
between sections breaks nothing. A section that repeats, or that another plugin contributed, keeps its values under
its own id: a list of items, or one object.
"""

from impasto_sdk.panels.condition import Condition
from impasto_sdk.panels.kinds import AnyField
from impasto_sdk.panels.part import DeclaredPart, Identifier, Many, PanelPart
from impasto_sdk.panels.reference import NumberOrFact

__all__ = ["PluginReference", "Repeat", "Section"]


class PluginReference(PanelPart):
    """A distribution and its version."""

    name: str
    version: str


class Repeat(PanelPart):
    """How a section repeats. Its values are a list of items; an item's ``_on: false`` switches it off."""

    min: int | None = None
    max: NumberOrFact | None = None
    #: Label of the button that adds an item.
    add: str | None = None
    #: Title of an item; ``{model.name}`` is filled in from its values.
    title: str | None = None
    #: Items can be switched off.
    toggle: bool | None = None
    #: The order of items can be changed and means something.
    reorder: bool | None = None


class Section(DeclaredPart):
    """A group of fields."""

    id: Identifier
    title: str
    help: str | None = None
    icon: str | None = None
    #: Place among the sections; lower is higher up. Without it, 0.
    order: int | float | None = None
    #: The plugin that contributed it to another's panel; set by the server.
    plugin: PluginReference | None = None
    collapsed: bool | None = None
    advanced: bool | None = None
    #: The whole section has a switch, off until a person switches it on: ``{"_on": {section id: true}}`` in the values.
    toggle: bool = False
    visible_when: Condition | None = None
    repeat: Repeat | None = None
    fields: Many[AnyField]

    @property
    def nested(self) -> bool:
        """Whether its values lie under its own id: it repeats, or another plugin contributed it."""
        return self.repeat is not None or self.plugin is not None
