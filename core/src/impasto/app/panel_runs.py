"""From a panel's draft to a batch: how many images, which seed each, and what each image will remember.

Pure. An image made through a panel carries ``{"panel": {panel, plugin, version, values}}``; putting these values back
into the form makes the same image again.
"""

from collections.abc import Iterable, Mapping

from impasto.app.panel_catalogue import OfferedPanel
from impasto.errors import PluginError
from impasto.queue.records import Batch, BatchDatum, MetadataBinding
from impasto_sdk.draft import DraftPort, GraphDraft
from impasto_sdk.fields import JsonValue
from impasto_sdk.panels import AnyField, PanelForm, Secret, Seed, seed_bounds

__all__ = ["SEED_ANCHOR", "image_count", "panel_batch", "remembered_values"]

#: The anchor that names the input which takes the seed.
SEED_ANCHOR = "seed"


def panel_batch(
    offered: OfferedPanel,
    draft: GraphDraft,
    values: Mapping[str, JsonValue],
    *,
    runs: int = 1,
    origin: str | None = None,
    destination: str | None = None,
) -> Batch:
    """The batch that makes all images: `runs` times as many as the form asks for, each with the next seed.

    Without a seed field or a ``seed`` anchor every image is a plain repetition. Raises `PluginError` when the anchor
    names an output.
    """
    form, count = offered.form, image_count(offered.form, values) * runs
    port, seed = draft.anchors.get(SEED_ANCHOR), _seed_field(form, values)
    data: list[list[BatchDatum]] | None = None
    bindings: list[MetadataBinding] = []
    if port is not None and seed is not None and count > 1:
        _check_port(offered, port)
        items = list(_seeds(seed, int(values[seed.id]["value"]), count))
        data = [[BatchDatum(node_path=port.node_id, field_name=port.field, items=items)]]
        pointer = f"/panel/values/{seed.id}/value"
        bindings = [MetadataBinding(pointer=pointer, node_path=port.node_id, field_name=port.field)]
        count = 1
    return Batch(
        graph=draft.to_document(),
        data=data,
        runs=count,
        origin=origin,
        destination=destination,
        metadata={"panel": _memory(offered, values)},
        metadata_bindings=bindings,
    )


def image_count(form: PanelForm, values: Mapping[str, JsonValue]) -> int:
    """How many images the values ask for: what the panel's count field holds, else 1."""
    path = form.submit.count if form.submit is not None else None
    return max(1, int(values.get(path.removeprefix("/")) or 1)) if path is not None else 1


def remembered_values(form: PanelForm, values: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The values that go with an image: seeds fixed to their number, no secrets, nothing that is not to be recalled."""
    kept = {**values, **_kept(form.root_fields.values(), values)}
    for field in form.root_fields.values():
        if _is_forgotten(field):
            kept.pop(field.id, None)
    for section in form.nested_sections.values():
        held = values.get(section.id)
        if isinstance(held, list):
            kept[section.id] = [_kept(section.fields, item) for item in held]
        elif held is not None:
            kept[section.id] = _kept(section.fields, held)
    return kept


def _memory(offered: OfferedPanel, values: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    return {
        "panel": offered.form.id,
        "plugin": offered.plugin.name,
        "version": offered.form.values_version,
        "values": remembered_values(offered.form, values),
    }


def _kept(fields: Iterable[AnyField], values: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    kept = {}
    for field in fields:
        if field.id not in values or _is_forgotten(field):
            continue
        value = values[field.id]
        kept[field.id] = {**value, "mode": "fixed"} if isinstance(field, Seed) and value is not None else value
    return kept


def _is_forgotten(field: AnyField) -> bool:
    return isinstance(field, Secret) or field.recall == "never"


def _seed_field(form: PanelForm, values: Mapping[str, JsonValue]) -> Seed | None:
    """The seed that counts up from image to image: the first one that is shown."""
    seeds = (field for field in form.root_fields.values() if isinstance(field, Seed))
    return next((field for field in seeds if values.get(field.id) is not None), None)


def _seeds(field: Seed, first: int, count: int) -> Iterable[int]:
    """`count` seeds from `first` on; after the greatest comes the least."""
    bounds = seed_bounds(field)
    least, greatest = int(bounds.least or 0), int(bounds.greatest or 0)
    return (least + (first - least + index) % (greatest - least + 1) for index in range(count))


def _check_port(offered: OfferedPanel, port: DraftPort) -> None:
    if port.side != "input":
        raise PluginError(
            offered.plugin.name,
            f"panel {offered.form.id!r}: its anchor 'seed' is the output {port.node_id}.{port.field}; name the input "
            f"that takes the seed",
        )
