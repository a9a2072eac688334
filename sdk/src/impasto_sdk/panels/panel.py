"""`Panel` and `PanelSection`: what a plugin registers.

A panel is a form and a pure function that makes a graph of its values; a panel section adds fields to the panels of
others and rewires their graphs. Both are checked when they are constructed, so that a mistake is found when the
plugin loads. The host collects them through ``register_panels`` and ``register_panel_sections``.
"""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import Field, model_validator

from impasto_sdk.draft import GraphDraft
from impasto_sdk.fields import JsonValue
from impasto_sdk.panels.declaration import check_contributed_section, check_form
from impasto_sdk.panels.form import PanelForm
from impasto_sdk.panels.part import DeclaredPart, Many, Word
from impasto_sdk.panels.section import Section
from impasto_sdk.panels.values import PanelValues

__all__ = ["ApplySection", "BuildGraph", "Panel", "PanelSection", "UpgradeValues"]

#: Makes a graph of values that passed `check`; pure: no files, no network, no clock, no chance.
#: May raise `PanelValuesError` for what only all values together show.
BuildGraph = Callable[[PanelValues], GraphDraft]
#: Takes the version that values were stored with and the values (a copy), gives values of the present version.
UpgradeValues = Callable[[int, dict[str, JsonValue]], Mapping[str, JsonValue]]
#: Takes a section's values (`PanelValues`, or a list of them when it repeats), the draft to change, and all values
#: of the panel. Called when the section is visible and, when it repeats, has an item.
ApplySection = Callable[[Any, GraphDraft, PanelValues], None]


class Panel(PanelForm):
    """A form that builds a graph. Raises `PanelDeclarationError` for whatever is wrong with it.

    ::

        PANEL = Panel(
            id="sd.text_to_image", title="Stable Diffusion", values_version=1, makes="images",
            anchors=("unet", "clip", "seed"),
            sections=[Section(id="prompt", title="Prompt", fields=[Prompt(id="prompt", title="Prompt")])],
            build_graph=build_graph,
        )
    """

    values_version: int = Field(default=1, ge=1)
    #: The external provider that it belongs to: it is served only while that has a key.
    provider: str | None = Field(default=None, exclude=True)
    build_graph: BuildGraph = Field(exclude=True, repr=False)
    upgrade: UpgradeValues | None = Field(default=None, exclude=True, repr=False)

    always_written = frozenset({"values_version"})

    @model_validator(mode="after")
    def _check_declaration(self) -> "Panel":
        check_form(self)
        return self


class PanelSection(DeclaredPart):
    """A section for every panel that has the anchors it needs, whichever plugin owns that panel.

    The section's id begins with the plugin's prefix (``lora.loras``). Its conditions and references may name its own
    fields, and the panel's with a ``/``; a panel that lacks one of those is left as it is.
    """

    section: Section
    #: Anchors that a panel must have.
    needs: Many[Word]
    apply: ApplySection = Field(exclude=True, repr=False)

    @property
    def id(self) -> str:
        """The section's id, unique among all plugins."""
        return self.section.id

    @model_validator(mode="after")
    def _check_declaration(self) -> "PanelSection":
        check_contributed_section(self.section)
        return self
