"""`stands_in_iteration`: whether a node of a graph runs once for each item of something. For the check of calls."""

from typing import TYPE_CHECKING

from impasto.graph.order import topological_order
from impasto_sdk.node import NodeKind

if TYPE_CHECKING:  # a graph is checked with this module
    from impasto.graph.graph import Graph
    from impasto.graph.ports import PortTable

__all__ = ["stands_in_iteration"]

#: Numbers of the iterators that are open around a node, rising.
_Open = tuple[int, ...]


def stands_in_iteration(node_id: str, graph: "Graph", table: "PortTable") -> bool:
    """Whether an iterator is open around the node.

    A node stands in all iterations that its inputs stand in, and what an iterator gives in its own besides. A collector
    leaves, for each edge into it, the innermost iteration that the edge comes from. O(V + E) for iterators that are not
    nested. Of a node of a circle, or behind one, it is not known: False.
    """
    around: dict[str, _Open] = {}
    for place, each in enumerate(topological_order(graph.nodes, graph.adjacency)):
        kind = _kind(each, graph, table)
        sources = {around.get(source.node_id, ()) for source, _ in graph.adjacency.incoming(each)}
        if kind is NodeKind.COLLECT:
            sources = {inner[:-1] for inner in sources}
        around[each] = _union(sources)
        if each == node_id:
            return bool(around[each])
        if kind is NodeKind.ITERATE:
            around[each] = (*around[each], place)
    return False


def _union(sources: set[_Open]) -> _Open:
    if len(sources) <= 1:
        return next(iter(sources), ())
    return tuple(sorted(set().union(*sources)))


def _kind(node_id: str, graph: "Graph", table: "PortTable") -> NodeKind | None:
    ports = table.of(graph.nodes[node_id].type)
    return ports.kind if ports else None
