"""`restrict`: the part of a graph that some of its nodes need: they, and everything that leads to them.

Pure. It judges nothing but the targets themselves: what else is wrong with the part that is kept is for its check to
say, and what is wrong with the rest does not matter. Called by `Graph.restricted_to`.
"""

from collections.abc import Collection, Mapping

from impasto.errors import GraphValidationError, Problem
from impasto.graph.adjacency import Adjacency
from impasto.graph.edge import Edge
from impasto.graph.node import GraphNode
from impasto.graph.suggestions import Suggester

__all__ = ["restrict"]


def restrict(
    nodes: Mapping[str, GraphNode], adjacency: Adjacency, targets: Collection[str]
) -> tuple[dict[str, GraphNode], list[Edge]]:
    """The nodes that `targets` need and the edges into them, each in its old order. O(V + E).

    An edge that comes from a node which does not exist is kept. Raises `GraphValidationError` with a problem for each
    target that is no node, and when there is no target.
    """
    problems = [_no_targets()] if not targets else _unknown(nodes, targets)
    if problems:
        raise GraphValidationError(problems)
    needed = set(targets)
    waiting = list(needed)
    while waiting:
        for source, _ in adjacency.incoming(waiting.pop()):
            if source.node_id not in needed and source.node_id in nodes:
                needed.add(source.node_id)
                waiting.append(source.node_id)
    return (
        {node_id: node for node_id, node in nodes.items() if node_id in needed},
        [edge for edge in adjacency if edge.destination.node_id in needed],
    )


def _unknown(nodes: Mapping[str, GraphNode], targets: Collection[str]) -> list[Problem]:
    suggester = Suggester()
    return [
        _unknown_target(target, suggester.did_you_mean(target, nodes) or "leave it out")
        for target in dict.fromkeys(targets)
        if target not in nodes
    ]


def _unknown_target(target: str, suggestion: str) -> Problem:
    return Problem(
        "unknown_target",
        f"the target {target!r} is no node of the graph; {suggestion}",
        field="targets",
        found=target,
        expected="the id of a node",
        suggestion=suggestion,
    )


def _no_targets() -> Problem:
    suggestion = "name at least one node, or leave it out to run everything"
    return Problem(
        "no_targets",
        f"targets is an empty list, so nothing would run; {suggestion}",
        field="targets",
        found=[],
        expected="ids of nodes, at least one",
        suggestion=suggestion,
    )
