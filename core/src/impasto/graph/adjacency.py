"""`Adjacency`: the edges of a graph, found by either end.

Keeps the order of addition, and adds, finds and takes out an edge in constant time. Only `Graph` changes one; the
checks and the scheduler read it.
"""

from collections.abc import Collection, Iterable, Iterator

from impasto.graph.edge import Edge

__all__ = ["Adjacency"]

#: The edges at one node: a lone edge as it is, for in most graphs most nodes have no more, and a dict would take ten
#: times its room; else a dict, which is an ordered set here.
_Held = Edge | dict[Edge, None]


class Adjacency:
    """A set of edges, indexed by the nodes they join."""

    __slots__ = ("_edges", "_incoming", "_outgoing")

    def __init__(self, edges: Iterable[Edge] = ()) -> None:
        self._edges = dict.fromkeys(edges)
        self._incoming: dict[str, _Held] = {}
        self._outgoing: dict[str, _Held] = {}
        for edge in self._edges:
            _put(self._outgoing, edge[0].node_id, edge)
            _put(self._incoming, edge[1].node_id, edge)

    def __iter__(self) -> Iterator[Edge]:
        return iter(self._edges)

    def __len__(self) -> int:
        return len(self._edges)

    def __contains__(self, edge: object) -> bool:
        return edge in self._edges

    def incoming(self, node_id: str) -> Collection[Edge]:
        """The edges that lead into a node, in order of addition."""
        return _held(self._incoming, node_id)

    def outgoing(self, node_id: str) -> Collection[Edge]:
        """The edges that leave a node, in order of addition."""
        return _held(self._outgoing, node_id)

    def add(self, edge: Edge) -> None:
        """Add an edge; one that is there already stays where it is."""
        if edge not in self._edges:
            self._edges[edge] = None
            _put(self._outgoing, edge.source.node_id, edge)
            _put(self._incoming, edge.destination.node_id, edge)

    def remove(self, edge: Edge) -> None:
        """Take out an edge that is there."""
        del self._edges[edge]
        _take(self._outgoing, edge.source.node_id, edge)
        _take(self._incoming, edge.destination.node_id, edge)


def _put(index: dict[str, _Held], node_id: str, edge: Edge) -> None:
    """Put in an edge that is not there."""
    held = index.setdefault(node_id, edge)
    if held is not edge:
        if isinstance(held, dict):
            held[edge] = None
        else:
            index[node_id] = {held: None, edge: None}


def _take(index: dict[str, _Held], node_id: str, edge: Edge) -> None:
    held = index[node_id]
    if isinstance(held, dict) and len(held) > 1:
        del held[edge]
    else:
        del index[node_id]


def _held(index: dict[str, _Held], node_id: str) -> Collection[Edge]:
    held = index.get(node_id)
    if held is None:
        return ()
    return held if isinstance(held, dict) else (held,)
