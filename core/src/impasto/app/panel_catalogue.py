"""`PanelCatalogue`: the panels of all plugins, each with the sections that other plugins contribute to it.

Put together once, when the plugins are loaded. A contribution that does not work is left out and said why; a panel is
never lost to the mistake of another plugin's section. It knows no values: that is `impasto.app.panels`.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass

from impasto.errors import PanelNotFoundError
from impasto.host.contributions import Contributions, Registered
from impasto.host.plugin import PluginInfo
from impasto_sdk.errors import PanelDeclarationError
from impasto_sdk.panels import Contribution, Panel, PanelForm, PanelSection, PluginReference, contribute, missing_from

__all__ = ["OfferedPanel", "PanelCatalogue"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OfferedPanel:
    """A panel as the server offers it."""

    panel: Panel
    #: The form with its plugin and all contributed sections, in order.
    form: PanelForm
    plugin: PluginReference
    #: The sections that joined it, in the order in which they change its graph.
    contributions: tuple[Contribution, ...]


class PanelCatalogue:
    """All panels in force, by id."""

    def __init__(self, contributions: Contributions) -> None:
        sections = list(_contributions(contributions.panel_sections))
        offered = [_offer(registered, sections) for registered in contributions.panels]
        self._panels = {one.form.id: one for one in sorted(offered, key=lambda one: one.form.order or 0)}

    def __iter__(self) -> Iterator[OfferedPanel]:
        return iter(self._panels.values())

    def __getitem__(self, panel_id: str) -> OfferedPanel:
        try:
            return self._panels[panel_id]
        except KeyError:
            raise PanelNotFoundError(panel_id, list(self._panels)) from None


def _contributions(registered: list[Registered[PanelSection]]) -> Iterator[Contribution]:
    """The usable contributed sections, in order: by `order`, then plugin, then id."""
    for one in sorted(registered, key=lambda one: (one.value.section.order or 0, one.plugin.name, one.value.id)):
        try:
            yield Contribution(one.value, _reference(one.plugin))
        except PanelDeclarationError as error:
            logger.warning("%s is left out: %s", one.plugin.name, error)


def _offer(registered: Registered[Panel], sections: list[Contribution]) -> OfferedPanel:
    plugin = _reference(registered.plugin)
    form: PanelForm = registered.value.model_copy(update={"plugin": plugin})
    joined: list[Contribution] = []
    for one in sections:
        if missing := missing_from(form, one.section):
            logger.debug("%s does not join panel %s, which lacks %s", one.section.id, form.id, ", ".join(missing))
            continue
        try:
            form = contribute(form, [one])
        except PanelDeclarationError as error:
            logger.warning("%s of %s is left out: %s", one.section.id, one.plugin.name, error)
        else:
            joined.append(one)
    return OfferedPanel(registered.value, _without_missing_layers(form), plugin, tuple(joined))


def _without_missing_layers(form: PanelForm) -> PanelForm:
    """The form without canvas layers whose section no plugin contributes here."""
    if form.canvas is None or not form.canvas.layers:
        return form
    present = [layer for layer in form.canvas.layers if layer.section in form.nested_sections]
    canvas = form.canvas.model_copy(update={"layers": tuple(present)})
    return form.model_copy(update={"canvas": canvas})


def _reference(plugin: PluginInfo) -> PluginReference:
    return PluginReference(name=plugin.name, version=plugin.version)
