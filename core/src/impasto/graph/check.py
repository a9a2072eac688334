"""`find_problems`: the check of a whole graph. Reports everything that is wrong, each once, in O(V + E)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from impasto.errors import Problem
from impasto.graph.adjacency import Adjacency
from impasto.graph.connection import ConnectionCheck
from impasto.graph.cycles import cycles
from impasto.graph.edge import Edge, EdgeConnection
from impasto.graph.node import GraphNode
from impasto.graph.ports import PortTable
from impasto.graph.suggestions import Suggester
from impasto.graph.values import node_problems
from impasto_sdk.node import NodeKind, NodeSpec

__all__ = ["find_problems"]

#: How the executions of a node in an iteration are called.
_EXECUTION_ID = re.compile(r"(?P<node_id>.*)\[\d+(,\d+)*\]", re.DOTALL)


def find_problems(
    nodes: Mapping[str, GraphNode], adjacency: Adjacency, catalogue: Mapping[str, NodeSpec]
) -> list[Problem]:
    """Everything that keeps a graph from running with the node types of `catalogue`: nodes first, edges, circles."""
    table, suggester = PortTable(catalogue), Suggester()
    connected = {destination for _, destination in adjacency}
    problems: list[Problem] = []
    for key, node in nodes.items():
        if key != node.id:
            problems.append(_mismatch(key, node))
            node = replace(node, id=key)  # edges know it by its key
        if key.endswith("]") and _is_ambiguous(key, nodes):
            problems.append(_ambiguous(key))
        problems.extend(node_problems(node, connected, table, suggester))
    check = ConnectionCheck(nodes, adjacency, table, suggester)
    problems.extend(_edge_problems(adjacency, check))
    problems.extend(_mixtures(nodes, table, check))
    problems.extend(_circles(nodes, adjacency))
    return problems


def _edge_problems(adjacency: Adjacency, check: ConnectionCheck) -> Iterator[Problem]:
    holders: dict[EdgeConnection, Edge] = {}
    for edge in adjacency:
        yield from check.problems(edge)
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


def _circles(nodes: Mapping[str, GraphNode], adjacency: Adjacency) -> Iterator[Problem]:
    for circle in cycles(nodes, adjacency):
        yield Problem(
            "cycle",
            f"the graph goes in a circle: {' → '.join(circle)}; take out one of these edges",
            node_id=circle[0],
            nodes=tuple(circle),
        )


def _is_ambiguous(key: str, nodes: Mapping[str, GraphNode]) -> bool:
    """Whether ``denoise[3]`` could be the fourth execution of a node ``denoise`` as well as a node of its own."""
    path = _EXECUTION_ID.fullmatch(key)
    return path is not None and path["node_id"] in nodes


def _ambiguous(key: str) -> Problem:
    return Problem(
        "ambiguous_id",
        f"node {key!r} is called like an execution of the node {key[: key.rindex('[')]!r}; rename one of them",
        node_id=key,
        field="id",
        found=key,
        expected="an id that does not end in [numbers] after the id of another node",
    )


def _mismatch(key: str, node: GraphNode) -> Problem:
    return Problem(
        "id_mismatch",
        f"the node under the key {key!r} has the id {node.id!r}; they must be equal",
        node_id=key,
        field="id",
        found=node.id,
        expected=key,
    )
