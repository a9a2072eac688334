"""Which images and models does a batch name, and do they exist? Asked before it is queued, so that no run fails late.

Graphs that are called are looked through too, but for what their calls set anew. Pure but for the two questions of a
`Library`. Only inputs whose declared type can hold a reference are looked at, so a large graph of arithmetic, or a long
list of seeds, costs nothing here.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, get_args

from impasto.errors import Problem
from impasto.graph import EdgeConnection, Graph, GraphNode
from impasto.graph.called import CalledGraph
from impasto.graph.control_flow import WORKFLOW_INPUTS, call_input
from impasto.graph.ports import NodePorts, PortTable
from impasto.queue.expansion import data_in_use
from impasto.queue.records import Batch
from impasto.queue.session_models import SessionModels
from impasto_sdk.fields import FieldValue, ImageField, JsonValue, ModelIdentifierField
from impasto_sdk.node import NodeSpec

__all__ = ["Library", "References", "find_references", "missing_references"]

_WHERE_MODELS_ARE = "GET /api/v2/models/ and `impasto models` list those there are"


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """What is stored, as far as it is asked here."""

    #: Which of these images there are.
    images_that_exist: Callable[[Collection[str]], Collection[str]]
    model_exists: Callable[[str], bool]
    #: What to do about a model that there is not, by its key; None: nothing is known of it.
    advice: Callable[[str], str | None] = lambda key: None


@dataclass(frozen=True, slots=True)
class Reference:
    """A stored thing that an input of a node names."""

    node_id: str
    field: str
    name: str


@dataclass(frozen=True, slots=True)
class References:
    """What a batch names."""

    images: Sequence[Reference]
    #: By key.
    models: Sequence[Reference]
    #: The same models, by the sessions that name them.
    session_models: SessionModels


def find_references(batch: Batch, graph: Graph, catalogue: Mapping[str, NodeSpec]) -> References:
    """The images and models that the graph names, or one of the substitutions. `graph` is the batch's, and valid."""
    inputs = _ReferringInputs(catalogue)
    images: list[Reference] = []
    models: list[Reference] = []

    def keys_in(value: JsonValue, place: str, field: str) -> list[str]:
        """Note what a value names; gives the models."""
        found: list[str] = []
        for document in _references_in(value):
            if "image_name" in document:
                images.append(Reference(place, field, str(document["image_name"])))
            else:
                found.append(str(document["key"]))
        models.extend(Reference(place, field, key) for key in found)
        return found

    written: dict[tuple[str, str], Collection[str]] = {}
    for place, node, field, value in _written(graph):
        if field in inputs.of(node) and (keys := keys_in(value, place, field)):
            written[place, field] = keys
    given: dict[tuple[str, str], Sequence[Collection[str]]] = {}
    for datum in data_in_use(batch):
        place, field = datum.node_path, datum.field_name
        if field in inputs.of(graph.nodes[place]):
            given[place, field] = [keys_in(item, place, field) for item in datum.items]
    return References(images, models, SessionModels(written=written, given=given))


def missing_references(references: References, library: Library) -> list[Problem]:
    """A problem for each image or model that is named and does not exist."""
    images, models = references.images, references.models
    present = set(library.images_that_exist({image.name for image in images})) if images else set()
    known = {key for key in {model.name for model in models} if library.model_exists(key)}
    no_images = [
        _problem("image", reference, "upload it first with POST /api/v1/images/upload")
        for reference in images
        if reference.name not in present
    ]
    no_models = [
        _problem("model", reference, library.advice(reference.name) or _WHERE_MODELS_ARE)
        for reference in models
        if reference.name not in known
    ]
    return list(dict.fromkeys(no_models + no_images))


def _problem(kind: str, reference: Reference, suggestion: str) -> Problem:
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


def _references_in(value: JsonValue) -> Iterator[Mapping[str, Any]]:
    """The documents in a value that name an image or a model, however deep."""
    if isinstance(value, Mapping):
        if "image_name" in value or "key" in value:
            yield value  # which may be a whole record: what is inside is its own
        else:
            for part in value.values():
                yield from _references_in(part)
    elif isinstance(value, list):
        for part in value:
            yield from _references_in(part)


class _ReferringInputs:
    """Which inputs of nodes can hold references, found once for each node type, and for each graph that is called."""

    def __init__(self, catalogue: Mapping[str, NodeSpec]) -> None:
        self._table = PortTable(catalogue)
        self._found: dict[tuple[str, CalledGraph | None], Collection[str]] = {}

    def of(self, node: GraphNode) -> Collection[str]:
        """The inputs of a node."""
        kind = (node.type, node.called)
        if kind not in self._found:
            self._found[kind] = _referring_inputs(self._table.of_node(node))
        return self._found[kind]


def _referring_inputs(ports: NodePorts | None) -> frozenset[str]:
    inputs = ports.inputs if ports else {}
    return frozenset(name for name, port in inputs.items() if _mentions_reference(port.type))


def _mentions_reference(annotation: object, seen: frozenset[object] = frozenset()) -> bool:
    if annotation in (ImageField, ModelIdentifierField):
        return True
    if isinstance(annotation, type) and issubclass(annotation, FieldValue) and annotation not in seen:
        parts = [field.annotation for field in annotation.model_fields.values()]
        return any(_mentions_reference(part, seen | {annotation}) for part in parts)  # it may hold its like
    return any(_mentions_reference(part, seen) for part in get_args(annotation))
