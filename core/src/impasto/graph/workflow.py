"""`read_workflow`: a workflow, as an editor saves it, read as the graph that it stands for and the inputs it exposes.

The format is InvokeAI's, versions 3 and 4: nodes with positions, edges between handles, notes, connectors, a form. What
only an editor needs is left out. Looks at form only, like `impasto.graph.document`, whose documents it gives: whether
the nodes exist and fit is for `Graph.problems`. Pure and linear. Called by whoever runs a workflow or calls one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from impasto.errors import Problem, WorkflowFormatError
from impasto.graph.edge import EdgeConnection
from impasto.graph.malformed import malformed
from impasto.graph.node import ANNOTATIONS
from impasto.graph.workflow_edges import INVOCATION, EdgeReader
from impasto.graph.workflow_form import exposed_places
from impasto_sdk.fields import JsonValue

__all__ = ["WorkflowGraph", "exposed_inputs", "read_workflow", "with_inputs"]

#: Versions of the format that are read: the number before the first dot of ``meta.version``.
READ_VERSIONS = ("3", "4")
#: Inputs that choose a board, and what an editor writes into one for "whichever" and "none": no board, here.
BOARD, NO_BOARDS = "board", ("auto", "none")
#: The pack that InvokeAI's own nodes are from. No plugin is called that, so it says nothing of where a node is found.
OWN_PACK = "invokeai"
#: Keys of a node in a graph document that are no inputs.
RESERVED = ANNOTATIONS | {"id", "type", "is_intermediate", "use_cache", "called"}


@dataclass(frozen=True, slots=True)
class WorkflowGraph:
    """What a workflow comes to."""

    #: The graph as a document.
    graph: dict[str, JsonValue]
    #: The inputs that its author offers to whoever runs or calls it, each once, in the order of its form. Inputs that
    #: an edge leads into, and those of nodes that are gone, are not among them.
    inputs: tuple[EdgeConnection, ...]


def read_workflow(document: object) -> WorkflowGraph:
    """The graph of a workflow document, and the inputs that it exposes.

    Raises `WorkflowFormatError`, listing everything that is malformed with its place in the document.
    """
    if not isinstance(document, dict):
        raise WorkflowFormatError([malformed("a workflow", document, "an object with 'nodes' and 'edges'")])
    problems: list[Problem] = list(_version_problems(document.get("meta")))
    reader = _NodeReader(problems)
    reader.read(document.get("nodes"))
    edges = EdgeReader(reader.kinds, problems).read(document.get("edges"))
    exposed = exposed_places(document, problems)
    if problems:
        raise WorkflowFormatError(problems)
    connected = {edge.destination for edge in edges}
    graph_id = document.get("id")
    return WorkflowGraph(
        graph={
            "id": graph_id if isinstance(graph_id, str) else "",
            "nodes": {node_id: _without(node, node_id, connected) for node_id, node in reader.nodes.items()},
            "edges": [edge.to_document() for edge in edges],
        },
        inputs=tuple(place for place in exposed if place.node_id in reader.nodes and place not in connected),
    )


def exposed_inputs(document: object) -> list[EdgeConnection]:
    """The inputs that a workflow exposes, as (node id, field): each once, those of its form first, in its order.

    Raises what `read_workflow` raises.
    """
    return list(read_workflow(document).inputs)


def with_inputs(workflow: Mapping[str, JsonValue], values: Mapping[EdgeConnection, JsonValue]) -> dict[str, JsonValue]:
    """The workflow with values written into inputs of its nodes; what they do not touch is shared.

    `workflow` is one that `read_workflow` can read. Inputs of nodes that it lacks are passed over.
    """
    by_node: dict[str, dict[str, JsonValue]] = {}
    for place, value in values.items():
        by_node.setdefault(place.node_id, {})[place.field] = value
    nodes = [_written(node, by_node[node["id"]]) if node["id"] in by_node else node for node in workflow["nodes"]]
    return {**workflow, "nodes": nodes}


def _written(node: Mapping[str, Any], values: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    inputs = dict(node["data"].get("inputs") or {})
    for field, value in values.items():
        inputs[field] = {"name": field, **inputs.get(field, {}), "value": value}
    return {**node, "data": {**node["data"], "inputs": inputs}}


def _version_problems(meta: object) -> list[Problem]:
    version = meta.get("version") if isinstance(meta, dict) else None
    if meta is not None and not isinstance(meta, dict):
        return [malformed("meta", meta, "an object with 'version'", field="meta")]
    if version is None:
        return []  # written by hand
    if not isinstance(version, str):
        return [malformed("meta.version", version, "a text such as '3.0.0'", field="meta.version")]
    if version.partition(".")[0] in READ_VERSIONS:
        return []
    return [
        Problem(
            "unknown_version",
            f"meta.version is {version!r}; workflows of the versions {' and '.join(READ_VERSIONS)} are read; "
            f"save it anew with an editor of today",
            field="meta.version",
            found=version,
            expected=f"{' or '.join(READ_VERSIONS)}, as in '3.0.0'",
            suggestion="save it anew with an editor of today",
        )
    ]


def _without(node: dict[str, JsonValue], node_id: str, connected: set[EdgeConnection]) -> dict[str, JsonValue]:
    """The node without the values of inputs that edges lead into."""
    return {name: value for name, value in node.items() if name in RESERVED or (node_id, name) not in connected}


class _NodeReader:
    """Reads the nodes of a workflow, and keeps the problems met on the way."""

    def __init__(self, problems: list[Problem]) -> None:
        self._problems = problems
        #: The nodes of the graph, as its document holds them.
        self.nodes: dict[str, dict[str, JsonValue]] = {}
        #: Every node of the workflow, with its kind.
        self.kinds: dict[str, str] = {}

    def read(self, found: object) -> None:
        if not isinstance(found, list):
            self._problems.append(malformed("nodes", found, "a list of nodes", field="nodes"))
            return
        for place, node in enumerate(found):
            self._read_node(f"nodes[{place}]", node)

    def _read_node(self, place: str, node: object) -> None:
        if not isinstance(node, dict):
            self._problems.append(malformed(place, node, "an object with 'id', 'type' and 'data'"))
            return
        node_id, kind, data = node.get("id"), node.get("type"), node.get("data")
        if not isinstance(node_id, str) or not node_id:
            self._problems.append(malformed(f"{place}.id", node_id, "a text", field="id"))
            return
        if node_id in self.kinds:
            self._problems.append(
                Problem(
                    "duplicate_id",
                    f"{place}.id is {node_id!r}, which another node has; rename one of them",
                    node_id=node_id,
                    field="id",
                    found=node_id,
                    expected="an id that no other node has",
                    suggestion="rename one of them",
                )
            )
            return
        if not isinstance(kind, str):
            self._wrong(node_id, "type", f"{place}.type", kind, f"the kind of a node, e.g. {INVOCATION!r}")
            return
        self.kinds[node_id] = kind
        if kind != INVOCATION:
            return
        if isinstance(data, dict):
            self.nodes[node_id] = self._invocation(node_id, f"{place}.data", data)
        else:
            self._wrong(node_id, "data", f"{place}.data", data, "an object with 'type' and 'inputs'")

    def _invocation(self, node_id: str, place: str, data: dict[str, Any]) -> dict[str, JsonValue]:
        node: dict[str, JsonValue] = {"id": node_id, "type": data.get("type")}
        if not isinstance(node["type"], str):
            self._wrong(node_id, "type", f"{place}.type", node["type"], "the name of a node type")
        for name, key in (("is_intermediate", "isIntermediate"), ("use_cache", "useCache")):
            value = data.get(key)
            if isinstance(value, bool):
                node[name] = value
            elif value is not None:
                self._wrong(node_id, key, f"{place}.{key}", value, "true or false")
        for name, key in (("version", "version"), ("node_pack", "nodePack")):
            value = data.get(key)
            if isinstance(value, str) and value != OWN_PACK:
                node[name] = value
        inputs = data.get("inputs")
        if isinstance(inputs, dict):
            node.update(self._values(node_id, f"{place}.inputs", inputs))
        elif inputs is not None:
            self._wrong(node_id, "inputs", f"{place}.inputs", inputs, "an object of inputs by name")
        return node

    def _values(self, node_id: str, place: str, inputs: dict[str, Any]) -> dict[str, JsonValue]:
        values: dict[str, JsonValue] = {}
        for name, given in inputs.items():
            if not isinstance(given, dict):
                self._wrong(node_id, name, f"{place}.{name}", given, "an object, with a 'value' if it has one")
            elif name in RESERVED:
                self._problems.append(
                    Problem(
                        "reserved_field",
                        f"{place}.{name}: a graph keeps something else under {name!r}, so no input has that name; "
                        f"leave it out",
                        node_id=node_id,
                        field=name,
                        found=name,
                        expected="the name of an input",
                        suggestion="leave it out",
                    )
                )
            elif "value" in given and not (name == BOARD and given["value"] in NO_BOARDS):
                values[name] = given["value"]
        return values

    def _wrong(self, node_id: str, field: str, place: str, found: object, expected: str) -> None:
        self._problems.append(malformed(place, found, expected, node_id=node_id, field=field))
