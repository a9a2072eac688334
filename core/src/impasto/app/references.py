"""Do the images and models that a batch names exist? Asked before it is queued, so that no run fails late.

Pure but for the two questions of a `Library`. Only inputs whose declared type can hold a reference are looked at, so a
large graph of arithmetic costs nothing here.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from impasto.errors import Problem
from impasto.graph import Graph
from impasto.queue.expansion import data_in_use
from impasto.queue.records import Batch
from impasto_sdk.fields import ImageField, JsonValue, ModelIdentifierField
from impasto_sdk.node import NodeSpec

__all__ = ["Library", "missing_references"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """What is stored, as far as it is asked here."""

    #: Which of these images there are.
    images_that_exist: Callable[[Collection[str]], Collection[str]]
    model_exists: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class _Reference:
    """A stored thing that an input of a node names."""

    node_id: str
    field: str
    name: str


def missing_references(
    batch: Batch, graph: Graph, catalogue: Mapping[str, NodeSpec], library: Library
) -> list[Problem]:
    """A problem for each image or model that does not exist, named by the graph or by one of the substitutions.

    `graph` is the batch's, and valid.
    """
    types = {node.type for node in graph.nodes.values()}
    referring = {node_type: _referring_inputs(catalogue[node_type]) for node_type in types}
    images: list[_Reference] = []
    models: list[_Reference] = []
    for node_id, field, value in _values(batch, graph):
        if field not in referring[graph.nodes[node_id].type]:
            continue
        for document in _flat(value):
            if "image_name" in document:
                images.append(_Reference(node_id, field, str(document["image_name"])))
            elif "key" in document:
                models.append(_Reference(node_id, field, str(document["key"])))
    present = set(library.images_that_exist({image.name for image in images})) if images else set()
    no_images = [
        _problem("image", reference, "upload it first with POST /api/v1/images/upload")
        for reference in images
        if reference.name not in present
    ]
    no_models = [
        _problem("model", reference, "GET /api/v2/models/ and `impasto models` list those there are")
        for reference in models
        if not library.model_exists(reference.name)
    ]
    return list(dict.fromkeys(no_models + no_images))


def _problem(kind: str, reference: _Reference, suggestion: str) -> Problem:
    return Problem(
        code=f"{kind}_not_found",
        message=f"{reference.node_id}.{reference.field}: there is no {kind} {reference.name!r}; {suggestion}",
        node_id=reference.node_id,
        field=reference.field,
        found=reference.name,
        suggestion=suggestion,
    )


def _values(batch: Batch, graph: Graph) -> Iterator[tuple[str, str, JsonValue]]:
    """Every value that is written into an input: (node, input, value)."""
    for node in graph.nodes.values():
        for field, value in node.inputs.items():
            yield node.id, field, value
    for datum in data_in_use(batch):
        for item in datum.items:
            yield datum.node_path, datum.field_name, item


def _flat(value: JsonValue) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _flat(item)


def _referring_inputs(spec: NodeSpec) -> frozenset[str]:
    return frozenset(name for name, port in spec.inputs.items() if _mentions_reference(port.annotation))


def _mentions_reference(annotation: object) -> bool:
    if annotation in (ImageField, ModelIdentifierField):
        return True
    return any(_mentions_reference(part) for part in get_args(annotation))
