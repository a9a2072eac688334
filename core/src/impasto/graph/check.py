"""`find_problems`: the check of a whole graph, and of the graphs that it calls.

Reports everything that is wrong, each once, in O(V + E).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from impasto.errors import Problem
from impasto.graph.adjacency import Adjacency
from impasto.graph.call_check import call_problems
from impasto.graph.called import MAX_CALL_DEPTH, CalledGraph, inside_call
from impasto.graph.connection import ConnectionCheck
from impasto.graph.control_flow import WORKFLOW_INPUTS, call_input_name
from impasto.graph.cycles import cycles
from impasto.graph.edge import Edge, EdgeConnection
from impasto.graph.element_types import TypeResolver
from impasto.graph.names import id_problems
from impasto.graph.node import GraphNode
from impasto.graph.ports import PortTable
from impasto.graph.suggestions import Suggester, say
from impasto.graph.values import node_problems
from impasto.graph.written import written_inputs
from impasto_sdk.node import NodeKind, NodeSpec

__all__ = ["find_problems"]


def find_problems(
    nodes: Mapping[str, GraphNode],
    adjacency: Adjacency,
    catalogue: Mapping[str, NodeSpec],
    ordered: Sequence[str] | None = None,
) -> list[Problem]:
    """Everything that keeps a graph from running with the node types of `catalogue`: nodes first, edges, circles.

    `ordered`: what `topological_order` gave for this graph, if that is at hand.
    """
    problems = _Check(PortTable(catalogue), Suggester()).problems(nodes, adjacency)
    return [*problems, *_circles(nodes, adjacency, ordered)]


class _Check:
    """Checks a graph and those that it calls with one table and one lot of suggestions."""

    def __init__(self, table: PortTable, suggester: Suggester) -> None:
        self._table = table
        self._suggester = suggester

    def problems(
        self,
        nodes: Mapping[str, GraphNode],
        adjacency: Adjacency,
        given: Collection[EdgeConnection] = (),
        chain: Sequence[CalledGraph] = (),
    ) -> list[Problem]:
        """What is wrong with nodes and edges of the last of `chain`, whose inputs `given` come from its call."""
        connected = {destination for _, destination in adjacency}
        set_inputs = connected.union(given) if given else connected
        has_calls = any(node.called is not None for node in nodes.values())
        problems: list[Problem] = []
        for key, node in nodes.items():
            if key != node.id or key[-1:] == "]" or has_calls or not key.isprintable():  # most ids are beyond doubt
                problems.extend(id_problems(key, node, nodes, has_calls=has_calls))
            known = node if key == node.id else replace(node, id=key)  # edges know it by its key
            problems.extend(node_problems(known, set_inputs, self._table, self._suggester))
            ports = self._table.of(node.type)
            if node.called is not None or (ports is not None and ports.kind is NodeKind.CALL):
                problems.extend(self._call_problems(known, connected, chain))
        types = TypeResolver(nodes, adjacency, self._table)
        check = ConnectionCheck(nodes, adjacency, types, self._suggester)
        for edge in adjacency:
            problems.extend(check.problems(edge))
        if len(connected) < len(adjacency):
            problems.extend(_taken_inputs(adjacency, check))
        problems.extend(_mixtures(nodes, self._table, check))
        return problems

    def _call_problems(
        self, node: GraphNode, connected: Collection[EdgeConnection], chain: Sequence[CalledGraph]
    ) -> Iterator[Problem]:
        yield from call_problems(node, chain, self._table, self._suggester)
        ports, called = self._table.of_node(node), node.called
        if called is None or ports is None or ports.kind is not NodeKind.CALL or len(chain) >= MAX_CALL_DEPTH:
            return
        # what the call must set and does not is a problem of the call, reported once
        written = {*written_inputs(node, ports), *ports.required}
        everything = (node.id, WORKFLOW_INPUTS) in connected
        edges_inside = {destination for _, destination in called.graph.adjacency}
        given = []
        for input in called.inputs:
            name = call_input_name(input)
            if (node.id, name) in connected:
                given.append(input)
                if input in edges_inside:
                    yield _taken_inside(node.id, name, input)
            elif everything or name in written:
                given.append(input)
        inside = self.problems(called.graph.nodes, called.graph.adjacency, given, [*chain, called])
        for problem in (*inside, *_circles(called.graph.nodes, called.graph.adjacency)):
            yield inside_call(node.id, problem)


def _taken_inputs(adjacency: Adjacency, check: ConnectionCheck) -> Iterator[Problem]:
    """The problems of inputs that more than one edge leads into."""
    holders: dict[EdgeConnection, Edge] = {}
    for edge in adjacency:
        holder = holders.setdefault(edge.destination, edge)
        if holder is not edge and not check.takes_many(edge):
            yield check.taken(edge, holder)


def _mixtures(nodes: Mapping[str, GraphNode], table: PortTable, check: ConnectionCheck) -> Iterator[Problem]:
    for node_id, node in nodes.items():
        ports = table.of(node.type)
        if ports is not None and ports.kind is NodeKind.COLLECT:
            mixture = check.mixture(node_id)
            if mixture is not None:
                yield mixture


def _circles(
    nodes: Mapping[str, GraphNode], adjacency: Adjacency, ordered: Sequence[str] | None = None
) -> Iterator[Problem]:
    for circle in cycles(nodes, adjacency, ordered):
        way, suggestion = " → ".join(circle), "take out one of these edges"
        yield Problem(
            "cycle",
            say(f"the graph goes in a circle: {way}", suggestion),
            node_id=circle[0],
            found=way,
            expected="edges that all lead onward",
            suggestion=suggestion,
            nodes=tuple(circle),
        )


def _taken_inside(call_id: str, name: str, input: EdgeConnection) -> Problem:
    suggestion = f"take out the edge into {name!r}, or the one inside the called workflow"
    return Problem(
        "input_taken",
        say(f"{call_id}.{name}: inside the graph that it calls, an edge leads into {input} already", suggestion),
        node_id=call_id,
        field=name,
        found=str(input),
        expected="one edge into an input",
        suggestion=suggestion,
    )
