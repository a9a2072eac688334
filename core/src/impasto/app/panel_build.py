"""From checked values to a graph draft: seeds drawn, the panel's `build_graph` called, contributed sections applied.

The functions of plugins are called in a guard: what they raise becomes a `PluginError` that names the plugin. Nothing
here looks anything up; the one impurity, drawing a number, is handed in.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from impasto.app.panel_catalogue import OfferedPanel
from impasto.errors import PluginError
from impasto_sdk.draft import GraphDraft
from impasto_sdk.errors import PanelValuesError
from impasto_sdk.fields import JsonValue
from impasto_sdk.panels import AnyField, Contribution, PanelForm, PanelValues, Seed, seed_bounds

__all__ = ["DrawSeed", "PanelGraph", "build_draft", "draw_seeds", "guarded", "least_seed"]

T = TypeVar("T")
#: Greatest seed that is drawn, 2^53 − 1: what a JavaScript client holds exactly, so that recall gives the same seed.
GREATEST_DRAWN_SEED = 2**53 - 1
#: Gives a number between two bounds, both included.
DrawSeed = Callable[[int, int], int]


@dataclass(frozen=True, slots=True)
class PanelGraph:
    """A graph and the values that made it."""

    graph: dict[str, JsonValue]
    #: The effective values, seeds drawn.
    values: dict[str, JsonValue]

    def to_document(self) -> dict[str, JsonValue]:
        """``{graph, values}``."""
        return {"graph": self.graph, "values": self.values}


def build_draft(offered: OfferedPanel, values: Mapping[str, JsonValue]) -> GraphDraft:
    """The draft of checked values with drawn seeds, rewired by the contributed sections that are in use.

    Raises `PanelValuesError` when the panel finds that the values do not go together, `PluginError` for anything else
    that a plugin raises.
    """
    given = PanelValues(offered.form.id, values)
    draft = guarded(offered.plugin.name, f"build_graph of panel {offered.form.id!r}", offered.panel.build_graph, given)
    if not isinstance(draft, GraphDraft):
        raise PluginError(
            offered.plugin.name,
            f"build_graph of panel {offered.form.id!r} gave {draft!r}; it is to return its GraphDraft",
        )
    for contribution in offered.contributions:
        _apply(contribution, draft, given)
    return draft


def guarded(plugin: str, what: str, call: Callable[..., T], *arguments: object) -> T:
    """What a plugin's function returns. `PanelValuesError` passes; anything else it raises becomes a `PluginError`."""
    try:
        return call(*arguments)
    except PanelValuesError:
        raise
    except Exception as error:  # the guard around a plugin's code: it may raise anything
        raise PluginError(plugin, f"{what} raised {type(error).__name__}: {error}") from error


def draw_seeds(form: PanelForm, values: Mapping[str, JsonValue], draw: DrawSeed) -> dict[str, JsonValue]:
    """The values with a number in every seed: random ones, and those that have none yet, are drawn."""
    drawn = {**values, **_drawn(form.root_fields.values(), values, draw)}
    for section in form.nested_sections.values():
        held = values.get(section.id)
        if isinstance(held, list):
            drawn[section.id] = [{**item, **_drawn(section.fields, item, draw)} for item in held]
        elif held is not None:
            drawn[section.id] = {**held, **_drawn(section.fields, held, draw)}
    return drawn


def least_seed(least: int, greatest: int) -> int:
    """Draws the least seed: for a graph that is only looked at."""
    return least


def _drawn(fields: Iterable[AnyField], values: Mapping[str, JsonValue], draw: DrawSeed) -> dict[str, JsonValue]:
    drawn = {}
    for field in fields:
        value = values.get(field.id)
        if isinstance(field, Seed) and value is not None and (value["mode"] == "random" or value.get("value") is None):
            bounds = seed_bounds(field)
            least, greatest = int(bounds.least or 0), int(bounds.greatest or 0)
            drawn[field.id] = {**value, "value": draw(least, max(least, min(greatest, GREATEST_DRAWN_SEED)))}
    return drawn


def _apply(contribution: Contribution, draft: GraphDraft, values: PanelValues) -> None:
    section = contribution.section.section
    if section.id not in values or (section.repeat is not None and not values[section.id]):
        return  # hidden, switched off, or without items; one that does not repeat may have no values but its switch
    own = values.items_of(section.id) if section.repeat is not None else values.section(section.id)
    guarded(contribution.plugin.name, f"section {section.id!r}", contribution.section.apply, own, draft, values)
