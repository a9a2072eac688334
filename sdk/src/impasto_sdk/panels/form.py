"""`PanelForm`: a panel as data, exactly what clients are served; no functions, no plugin code.

A `Panel` is a form with functions. The server makes the form that it serves from a panel, the sections that other
plugins contribute, and what it knows of the plugin; the semantics (`effective`, `check`) work on forms only.
"""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from impasto_sdk.fields import JsonValue
from impasto_sdk.panels.kinds import AnyField
from impasto_sdk.panels.part import DeclaredPart, FieldPath, Identifier, Many, PanelPart, Word
from impasto_sdk.panels.section import PluginReference, Section

__all__ = ["Availability", "AvailabilityFix", "Canvas", "CanvasLayer", "PanelForm", "Preset", "Submit"]


class AvailabilityFix(PanelPart):
    """Where a person can mend what keeps a panel from working."""

    title: str | None = None
    href: str | None = None


class Availability(PanelPart):
    """Whether a panel can be used now, and if not, why and where to mend it."""

    ok: bool
    reason: str | None = None
    fix: AvailabilityFix | None = None


class CanvasLayer(PanelPart):
    """A kind of layer on a canvas: each layer is one item of a repeating section, painted into one of its fields."""

    kind: Literal["control", "region", "reference"]
    section: Identifier
    paints: FieldPath
    title: str | None = None
    colour: str | None = None


class Canvas(PanelPart):
    """Which fields a canvas fills."""

    #: The size field that is the canvas's box.
    box: FieldPath | None = None
    base: FieldPath | None = None
    mask: FieldPath | None = None
    strength: FieldPath | None = None
    mode: FieldPath | None = None
    layers: Many[CanvasLayer] | None = None


class Preset(PanelPart):
    """Values to set at once, by name."""

    id: Word
    title: str
    #: Address of a picture made with it.
    image: str | None = None
    values: dict[str, JsonValue]


class Submit(PanelPart):
    """The button that runs the panel."""

    title: str | None = None
    #: The integer field that says how many images to make; without it, one.
    count: FieldPath | None = None
    max_count: int | None = Field(default=None, ge=1)


class PanelForm(DeclaredPart):
    """A form, as clients are served it."""

    #: ``plugin.name``: the first word is the plugin's prefix, unique among all panels.
    id: Identifier
    title: str
    summary: str | None = None
    #: The distribution that it comes from; set by the server.
    plugin: PluginReference | None = None
    #: Raise it when stored values need `upgrade`.
    values_version: int = Field(ge=1)
    category: str | None = None
    #: Place among the panels; lower is earlier.
    order: int | float | None = None
    icon: str | None = None
    makes: Literal["image", "images", "video", "text"] | None = None
    #: Ports of its graph that other plugins may build on.
    anchors: Many[Word] = ()
    #: Whether it can be used now; set by the server.
    available: Availability | None = None
    sections: Many[Section]
    canvas: Canvas | None = None
    presets: Many[Preset] | None = None
    submit: Submit | None = None

    @property
    def root_fields(self) -> dict[str, AnyField]:
        """The fields whose values are keys of the panel's values, by id, in order."""
        return {field.id: field for section in self.flat_sections for field in section.fields}

    @property
    def flat_sections(self) -> Iterator[Section]:
        """The sections that are layout only."""
        return (section for section in self.sections if not section.nested)

    @property
    def nested_sections(self) -> dict[str, Section]:
        """The sections whose values lie under their own id, by id, in order."""
        return {section.id: section for section in self.sections if section.nested}
