"""Do the images and models that a batch names exist? Asked before it is queued, so that no run fails late.

Graphs that are called are looked through too, but for what their calls set anew. Pure but for the two questions of a
`Library`. Only inputs whose declared type can hold a reference are looked at, so a large graph of arithmetic costs
nothing here.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, get_args

from impasto.errors import Problem
from impasto.graph import EdgeConnection, Graph, GraphNode
from impasto.graph.called import CalledGraph
from impasto.graph.control_flow import WORKFLOW_INPUTS, call_input
from impasto.graph.ports import NodePorts, PortTable
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
    table = PortTable(catalogue)
    referring: dict[tuple[str, CalledGraph | None], Collection[str]] = {}
    images: list[_Reference] = []
    models: list[_Reference] = []
    for place, node, field, value in _values(batch, graph):
        kind = (node.type, node.called)
        if kind not in referring:
            referring[kind] = _referring_inputs(table.of_node(node))
        if field not in referring[kind]:
            continue
        for document in _flat(value):
            if "image_name" in document:
                images.append(_Reference(place, field, str(document["image_name"])))
            elif "key" in document:
                models.append(_Reference(place, field, str(document["key"])))
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


class _Value(NamedTuple):
    """A value that is written into an input."""

    #: The node's id, with those of the calls that it stands in before it.
    place: str
    node: GraphNode
    field: str
    value: JsonValue


def _values(batch: Batch, graph: Graph) -> Iterator[_Value]:
    yield from _written(graph)
    for datum in data_in_use(batch):
        for item in datum.items:
            yield _Value(datum.node_path, graph.nodes[datum.node_path], datum.field_name, item)


def _written(graph: Graph, inside: str = "", set_anew: Collection[EdgeConnection | None] = ()) -> Iterator[_Value]:
    """The values in a graph and in those that it calls, but for inputs that the call around it sets anew."""
    for node in graph.nodes.values():
        place = f"{inside}{node.id}"
        for field, value in node.inputs.items():
            if (node.id, field) not in set_anew:
                yield _Value(place, node, field, value)
        if node.called is None:
            continue
        given = node.inputs.get(WORKFLOW_INPUTS)
        values = given if isinstance(given, Mapping) else {}
        for name, value in values.items():
            yield _Value(place, node, name, value)
        names = [*node.inputs, *values, *(edge.destination.field for edge in graph.incoming(node.id))]
        yield from _written(node.called.graph, f"{place}/", set(map(call_input, names)))


def _flat(value: JsonValue) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _flat(item)


def _referring_inputs(ports: NodePorts | None) -> frozenset[str]:
    inputs = ports.inputs if ports else {}
    return frozenset(name for name, port in inputs.items() if _mentions_reference(port.type))


def _mentions_reference(annotation: object) -> bool:
    if annotation in (ImageField, ModelIdentifierField):
        return True
    return any(_mentions_reference(part) for part in get_args(annotation))
