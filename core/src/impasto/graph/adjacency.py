"""`Adjacency`: the edges of a graph, found by either end.

Keeps the order of addition, and adds, finds and takes out an edge in constant time. Only `Graph` changes one; the
checks and the scheduler read it.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping

from impasto.graph.edge import Edge

__all__ = ["Adjacency"]

#: A dict is an ordered set here.
_EdgeSet = dict[Edge, None]
_NO_EDGES: Mapping[Edge, None] = {}


class Adjacency:
    """A set of edges, indexed by the nodes they join."""

    def __init__(self, edges: Iterable[Edge] = ()) -> None:
        self._edges: _EdgeSet = {}
        self._incoming: dict[str, _EdgeSet] = {}
        self._outgoing: dict[str, _EdgeSet] = {}
        for edge in edges:
            self.add(edge)

    def __iter__(self) -> Iterator[Edge]:
        return iter(self._edges)

    def __len__(self) -> int:
        return len(self._edges)

    def __contains__(self, edge: object) -> bool:
        return edge in self._edges

    def incoming(self, node_id: str) -> Collection[Edge]:
        """The edges that lead into a node, in order of addition."""
        return self._incoming.get(node_id, _NO_EDGES)

    def outgoing(self, node_id: str) -> Collection[Edge]:
        """The edges that leave a node, in order of addition."""
        return self._outgoing.get(node_id, _NO_EDGES)

    def add(self, edge: Edge) -> None:
        """Add an edge; one that is there already stays where it is."""
        self._edges[edge] = None
        self._outgoing.setdefault(edge.source.node_id, {})[edge] = None
        self._incoming.setdefault(edge.destination.node_id, {})[edge] = None

    def remove(self, edge: Edge) -> None:
        """Take out an edge that is there."""
        del self._edges[edge]
        del self._outgoing[edge.source.node_id][edge]
        del self._incoming[edge.destination.node_id][edge]
