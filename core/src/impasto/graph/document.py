"""`read_document`: a JSON document read as a graph.

Looks at form only: what is no object, no text or no edge is reported, every case of it, also in the graphs that calls
carry. Whether nodes and edges make sense together is checked elsewhere. Called by `Graph.from_document`.
"""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from impasto.errors import GraphValidationError, Problem
from impasto.graph.called import MAX_CALL_DEPTH, CalledGraph, inside_call, too_deep
from impasto.graph.edge import Edge, EdgeConnection
from impasto.graph.malformed import malformed
from impasto.graph.node import ANNOTATIONS, NO_ANNOTATIONS, GraphNode

if TYPE_CHECKING:  # `Graph` reads itself with this module, and hands itself over
    from impasto.graph.graph import Graph

__all__ = ["read_document"]

#: Keys of a node's document that are no inputs.
_NO_INPUTS = ANNOTATIONS | {"id", "type", "is_intermediate", "use_cache", "called"}
_TEXT = frozenset({str})
_ENDS = ("source", "destination")
_FIELD = "an object with the texts 'node_id' and 'field'"


def read_document(document: object, graph: "type[Graph]", depth: int = 0) -> "Graph":
    """The `graph` that a document describes; `depth` says inside how many calls it stands.

    Raises `GraphValidationError` with every problem of form.
    """
    if not isinstance(document, dict):
        raise GraphValidationError([malformed("a graph", document, "an object with 'nodes' and 'edges'")])
    reader = _Reader(graph, depth)
    graph_id = document.get("id")
    if graph_id is not None and not isinstance(graph_id, str):
        reader.problems.append(malformed("the graph's 'id'", graph_id, "a text", field="id"))
    nodes = dict(reader.nodes(document.get("nodes")))
    edges = reader.edges(document.get("edges"))
    if reader.problems:
        raise GraphValidationError(reader.problems)
    return graph(graph_id or "", nodes, edges)


class _Reader:
    """Reads nodes and edges, and keeps the problems met on the way."""

    def __init__(self, graph: "type[Graph]", depth: int) -> None:
        self._graph = graph
        self._depth = depth
        self.problems: list[Problem] = []
        # the texts of ids, so that a document's many copies of an id become one
        self._ids: dict[str, str] = {}

    def nodes(self, found: object) -> Iterator[tuple[str, GraphNode]]:
        if found is None:
            return
        if not isinstance(found, dict):
            self.problems.append(malformed("'nodes'", found, "an object of nodes by id", field="nodes"))
            return
        for key, document in found.items():
            node = self._node(key, document)
            if node is not None:
                self._ids[key] = key
                yield key, node

    def _node(self, key: Any, document: object) -> GraphNode | None:
        if not isinstance(key, str) or not isinstance(document, dict):
            self.problems.append(malformed(f"node {key!r}", document, "an object under a text", node_id=str(key)))
            return None
        node_id, node_type = document.get("id", key), document.get("type")
        is_intermediate, use_cache = document.get("is_intermediate"), document.get("use_cache")
        before = len(self.problems)
        if not isinstance(node_id, str) or not node_id:
            self._wrong(key, "id", node_id, "a text")
        if not isinstance(node_type, str):
            self._wrong(key, "type", node_type, "the name of a node type")
        if is_intermediate is not None and not isinstance(is_intermediate, bool):
            self._wrong(key, "is_intermediate", is_intermediate, "true or false")
        if use_cache is not None and not isinstance(use_cache, bool):
            self._wrong(key, "use_cache", use_cache, "true, false or null")
        # made anew and not by taking out of a copy, which would keep room for what was taken out
        inputs = {name: value for name, value in document.items() if name not in _NO_INPUTS}
        if not _TEXT.issuperset(map(type, inputs)):
            self._wrong(key, "inputs", list(inputs), "texts as names of inputs")
        called = self._called(key, document.get("called"))
        annotations = NO_ANNOTATIONS
        if not ANNOTATIONS.isdisjoint(document):
            annotations = {name: document[name] for name in ANNOTATIONS if name in document}
        if len(self.problems) > before:
            return None
        # each text once, so that it takes room once, and is equal at a glance wherever it is looked up
        node_id = key if node_id == key else node_id
        return GraphNode(
            node_id, sys.intern(str(node_type)), bool(is_intermediate), use_cache, inputs, annotations, called
        )

    def _called(self, key: str, found: object) -> CalledGraph | None:
        if found is None:
            return None
        if not isinstance(found, dict):
            self._wrong(key, "called", found, "an object with 'workflow_id', 'name', 'graph' and 'inputs'")
            return None
        workflow_id, name = found.get("workflow_id"), found.get("name", "")
        if not isinstance(workflow_id, str):
            self._wrong(key, "called.workflow_id", workflow_id, "the id of a workflow")
        if not isinstance(name, str):
            self._wrong(key, "called.name", name, "a text")
        inputs = list(self._called_inputs(key, found.get("inputs")))
        if self._depth == MAX_CALL_DEPTH:
            self.problems.append(too_deep(key))
            return None
        try:
            graph = read_document(found.get("graph"), self._graph, self._depth + 1)
        except GraphValidationError as error:
            self.problems.extend(inside_call(key, problem) for problem in error.problems)
            return None
        return CalledGraph(str(workflow_id), str(name), graph, tuple(inputs))

    def _called_inputs(self, key: str, found: object) -> Iterator[EdgeConnection]:
        if found is None:
            return
        if not isinstance(found, list | tuple):
            self._wrong(key, "called.inputs", found, "a list of inputs of the called graph")
            return
        for place, document in enumerate(found):
            input = self._connection(document)
            if input is None:
                self._wrong(key, f"called.inputs[{place}]", document, _FIELD)
            else:
                yield input

    def edges(self, found: object) -> dict[Edge, None]:
        """The edges in order; a dict, so that whoever indexes them need not compare them again."""
        if found is None:
            return {}
        if not isinstance(found, list | tuple):
            self.problems.append(malformed("'edges'", found, "a list of edges", field="edges"))
            return {}
        edges: dict[Edge, None] = {}
        for place, document in enumerate(found):
            edge = self._edge(place, document)
            if edge in edges:
                self.problems.append(_repeated(place, edge))
            elif edge is not None:
                edges[edge] = None
        return edges

    def _edge(self, place: int, document: object) -> Edge | None:
        if not isinstance(document, dict):
            self._bad_edge(f"edges[{place}]", document, "an object with 'source' and 'destination'")
            return None
        source, destination = self._connection(document.get("source")), self._connection(document.get("destination"))
        if source is not None and destination is not None:
            return Edge(source, destination)
        for name, end in zip(_ENDS, (source, destination), strict=True):
            if end is None:
                self._bad_edge(f"edges[{place}].{name}", document.get(name), _FIELD)
        return None

    def _connection(self, found: object) -> EdgeConnection | None:
        if isinstance(found, dict):
            node_id, field = found.get("node_id"), found.get("field")
            if isinstance(node_id, str) and isinstance(field, str):
                return EdgeConnection(self._ids.get(node_id, node_id), sys.intern(field))
        return None

    def _bad_edge(self, place: str, found: object, expected: str) -> None:
        self.problems.append(malformed(place, found, expected, field=place))

    def _wrong(self, key: str, name: str, found: object, expected: str) -> None:
        self.problems.append(malformed(f"{name!r} of node {key!r}", found, expected, node_id=key, field=name))


def _repeated(place: int, edge: Edge) -> Problem:
    return Problem(
        "duplicate_edge",
        f"edges[{place}] repeats the edge {edge}; leave one out",
        node_id=edge.destination.node_id,
        field=edge.destination.field,
        found=str(edge),
        expected="each edge once",
        suggestion="leave one out",
    )
