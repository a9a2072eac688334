"""Contributed sections: which panels a plugin's section joins, and the form that comes of it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from impasto_sdk.errors import PanelDeclarationError
from impasto_sdk.panels.declaration import check_form
from impasto_sdk.panels.form import PanelForm
from impasto_sdk.panels.panel import PanelSection
from impasto_sdk.panels.section import PluginReference
from impasto_sdk.panels.uses import field_uses, section_uses

__all__ = ["Contribution", "contribute", "missing_from", "plugin_prefix"]


@dataclass(frozen=True, slots=True)
class Contribution:
    """A section and its plugin. Raises `PanelDeclarationError` when the id does not begin with the plugin's prefix."""

    section: PanelSection
    plugin: PluginReference

    def __post_init__(self) -> None:
        prefix, section_id = plugin_prefix(self.plugin.name), self.section.section.id
        if section_id.partition(".")[0] != prefix:
            raise PanelDeclarationError(
                "", f"section {section_id!r}", f"it is of {self.plugin.name}, so its id begins with {prefix + '.'!r}"
            )


def plugin_prefix(distribution: str) -> str:
    """What the ids of a distribution's panels and sections begin with: ``impasto-lora`` gives ``lora``."""
    return distribution.lower().replace("-", "_").replace(".", "_").removeprefix("impasto_")


def missing_from(form: PanelForm, section: PanelSection) -> list[str]:
    """What `form` lacks for `section` to join it: anchors and root fields, in words; empty when it fits."""
    own = {field.id for field in section.section.fields}
    uses = [*section_uses(section.section), *(use for field in section.section.fields for use in field_uses(field))]
    outside = (use.target for use in uses if use.target.startswith("/") or use.target not in own)
    names = {path.removeprefix("/") for path in outside} - set(form.root_fields)
    anchors = [f"the anchor {name!r}" for name in section.needs if name not in form.anchors]
    return anchors + [f"the field {name!r}" for name in sorted(names)]


def contribute(form: PanelForm, contributions: Iterable[Contribution]) -> PanelForm:
    """`form` as it is served, with the sections that fit it, all sections in their order.

    A section that asks for a fact of a field that has none, or whose id is taken, raises `PanelDeclarationError`.
    """
    added = [
        one.section.section.model_copy(update={"plugin": one.plugin})
        for one in contributions
        if not missing_from(form, one.section)
    ]
    if not added:
        return form
    sections = sorted((*form.sections, *added), key=lambda section: section.order or 0)
    whole = form.model_copy(update={"sections": tuple(sections)})
    check_form(whole)
    return whole
