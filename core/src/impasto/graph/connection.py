"""`ConnectionCheck`: whether one edge can be: its ends exist, its input takes edges, its types fit.

Gives problems as data, for the check of a whole graph; `check_connection` raises them, for one edge about to be added.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from impasto.errors import GraphError, InvalidEdgeError, NodeFieldNotFoundError, NodeNotFoundError, Problem
from impasto.graph.adjacency import Adjacency
from impasto.graph.compatibility import element_type, is_connectable, name_of_type
from impasto.graph.control_flow import COLLECTION, ITEM
from impasto.graph.edge import Edge, EdgeConnection
from impasto.graph.element_types import TypeResolver, common_type
from impasto.graph.names import control_character, has_control_character
from impasto.graph.node import GraphNode
from impasto.graph.node_ports import NodePorts
from impasto.graph.suggestions import Suggester, say
from impasto_sdk.node import NodeKind

__all__ = ["ConnectionCheck", "check_connection"]

#: How a problem of one edge is raised; `InvalidEdgeError` for the others.
_ERRORS: Mapping[str, type[GraphError]] = {
    "unknown_node": NodeNotFoundError,
    "unknown_output": NodeFieldNotFoundError,
    "unknown_input": NodeFieldNotFoundError,
}


class ConnectionCheck:
    """Checks edges of one graph against one catalogue."""

    def __init__(
        self, nodes: Mapping[str, GraphNode], adjacency: Adjacency, types: TypeResolver, suggester: Suggester
    ) -> None:
        self._nodes = nodes
        self._adjacency = adjacency
        self._types = types
        self._table = types.table
        self._suggester = suggester

    def problems(self, edge: Edge) -> Sequence[Problem]:
        """What is wrong with an edge, regarded alone. Nodes of unknown type are passed over: they have a problem."""
        output, input = edge
        writer, reader = self._nodes.get(output.node_id), self._nodes.get(input.node_id)
        giving = self._table.of_node(writer) if writer else None
        reading = self._table.of_node(reader) if reader else None
        if giving and reading:
            given, port = giving.outputs.get(output.field), reading.inputs.get(input.field)
            if port and given is port.type and port.connectable and giving.kind is NodeKind.PLAIN:
                return ()  # as it is with nearly every edge
        return list(self._all_problems(edge, giving, reading))

    def _all_problems(self, edge: Edge, giving: NodePorts | None, reading: NodePorts | None) -> Iterator[Problem]:
        output, input = edge
        for node_id, field in edge:
            if has_control_character(field):
                yield control_character(
                    f"an edge's end at {node_id!r}: the field {field!r}", field, node_id=node_id, field=field
                )
        missing = [end for end in edge if end.node_id not in self._nodes]
        if missing:
            yield from (self._unknown_node(edge, end) for end in missing)
            return
        port = reading.input(input.field) if reading else None
        if giving and giving.output(output.field) is None:
            yield self._unknown_port("output", edge, output.node_id, output.field, giving.outputs)
        if reading and port is None:
            yield self._unknown_port("input", edge, input.node_id, input.field, reading.inputs)
        if port is None:
            return
        if not port.connectable:
            yield _direct_only(edge)
        given = self._types.output_type(output)
        if given is not None and not is_connectable(given, port.type):
            yield _incompatible(edge, given, port.type, giving, reading)

    def taken(self, edge: Edge, holder: Edge) -> Problem:
        """The problem of an edge into an input that `holder` leads into already."""
        input = edge.destination
        suggestion = "use a collect node to gather many values"
        return Problem(
            "input_taken",
            say(
                f"edge {edge}: {holder.source} leads into {input.field!r} already, and an input takes one edge",
                suggestion,
            ),
            node_id=input.node_id,
            field=input.field,
            found=str(edge.source),
            expected=str(holder.source),
            suggestion=suggestion,
            nodes=(holder.source.node_id, edge.source.node_id),
        )

    def takes_many(self, edge: Edge) -> bool:
        """Whether the edge's input takes any number of edges: only a collector's items do."""
        node = self._nodes.get(edge.destination.node_id)
        ports = self._table.of(node.type) if node else None
        return ports is not None and ports.kind is NodeKind.COLLECT and edge.destination.field == ITEM

    def mixture(self, collector_id: str, added: Edge | None = None) -> Problem | None:
        """The problem of a collector whose items are not of one type; `added` is an edge that is about to come."""
        types = self._types.item_types(collector_id)
        if added is not None:
            given = self._types.output_type(added.source)
            if given is not None:
                types = [*types, element_type(given) if added.destination.field == COLLECTION else given]
        if common_type(types) is not None:
            return None
        found = ", ".join(dict.fromkeys(map(name_of_type, types)))
        suggestion = "give each type a collector of its own"
        return Problem(
            "mixed_items",
            say(f"{collector_id} gathers {found}; a collector's items must be of one type", suggestion),
            node_id=collector_id,
            field=ITEM,
            found=found,
            expected="one type",
            suggestion=suggestion,
            nodes=tuple(dict.fromkeys(source.node_id for source, _ in self._adjacency.incoming(collector_id))),
        )

    def _unknown_node(self, edge: Edge, end: EdgeConnection) -> Problem:
        suggestion = self._suggester.did_you_mean(end.node_id, self._nodes) or "add the node, or take out the edge"
        return Problem(
            "unknown_node",
            say(f"edge {edge}: the graph has no node {end.node_id!r}", suggestion),
            node_id=end.node_id,
            field=end.field,
            found=end.node_id,
            expected="the id of a node of the graph",
            suggestion=suggestion,
        )

    def _unknown_port(self, side: str, edge: Edge, node_id: str, field: str, ports: Mapping[str, object]) -> Problem:
        suggestion = self._suggester.did_you_mean(field, ports) or "take out the edge"
        expected = ", ".join(ports) or f"no {side}s"
        return Problem(
            f"unknown_{side}",
            say(
                f"edge {edge}: node type {self._nodes[node_id].type!r} has no {side} {field!r}, it has {expected}",
                suggestion,
            ),
            node_id=node_id,
            field=field,
            found=field,
            expected=expected,
            suggestion=suggestion,
        )


def _direct_only(edge: Edge) -> Problem:
    output, input = edge
    suggestion = f"write the value into {input} instead"
    return Problem(
        "direct_only",
        say(f"edge {edge}: {input} takes no edge, only a value written into the node", suggestion),
        node_id=input.node_id,
        field=input.field,
        found=str(output),
        expected="no edge",
        suggestion=suggestion,
        nodes=(output.node_id,),
    )


def _incompatible(edge: Edge, given: Any, taken: Any, giving: NodePorts | None, reading: NodePorts | None) -> Problem:
    output, input = edge
    found, expected = name_of_type(given), name_of_type(taken)
    outputs = giving.outputs.items() if giving else ()
    inputs = [(name, port.type) for name, port in reading.inputs.items() if port.connectable] if reading else []
    # what gives or takes anything fits everywhere, and so says nothing
    would_fit = [name for name, type in outputs if type is not Any and is_connectable(type, taken)]
    would_take = [name for name, type in inputs if type is not Any and is_connectable(given, type)]
    if would_fit:
        suggestion = f"{output.node_id}.{would_fit[0]} would fit"
    elif would_take:
        suggestion = f"{input.node_id}.{would_take[0]} would take it"
    else:
        suggestion = f"lead an output that gives {expected} into it"
    return Problem(
        "incompatible_types",
        say(f"edge {edge}: {output} gives {found}, {input} takes {expected}", suggestion),
        node_id=input.node_id,
        field=input.field,
        found=found,
        expected=expected,
        suggestion=suggestion,
        nodes=(output.node_id,),
    )


def check_connection(nodes: Mapping[str, GraphNode], adjacency: Adjacency, edge: Edge, types: TypeResolver) -> None:
    """Raise the first problem that `edge` would bring to the graph, if any.

    Raises `NodeNotFoundError`, `NodeFieldNotFoundError` or `InvalidEdgeError`. What the edge means for the consumers of
    an iterator or collector that it leads into is for the check of the whole graph.
    """
    check = ConnectionCheck(nodes, adjacency, types, Suggester())
    problem = next(iter(check.problems(edge)), None)
    if problem is None and check.takes_many(edge):
        problem = check.mixture(edge.destination.node_id, edge)
    elif problem is None:
        holder = next(
            (each for each in adjacency.incoming(edge.destination.node_id) if each.destination == edge.destination),
            None,
        )
        problem = check.taken(edge, holder) if holder else None
    if problem is not None:
        raise _ERRORS.get(problem.code, InvalidEdgeError).of(problem)
