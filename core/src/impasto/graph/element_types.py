"""`TypeResolver`: what an output really gives, when that depends on what is connected to its node.

An iterator declares that it gives anything; connected to a list of images it gives images, and whatever reads it must
take images. The same holds for a collector's list and for a branch's value. Used by the checks of connections, and kept
by a graph while edges are added to it, so that a collector's items are not gone through for each that is added.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from impasto.graph.adjacency import Adjacency
from impasto.graph.compatibility import element_type, is_connectable, list_of
from impasto.graph.control_flow import CHOSEN, COLLECTION, ITEM, SIDES
from impasto.graph.edge import Edge, EdgeConnection
from impasto.graph.node import GraphNode
from impasto_sdk.node import NodeKind

if TYPE_CHECKING:  # the types of a call's outputs are resolved with this module
    from impasto.graph.ports import PortTable

__all__ = ["TypeResolver", "common_type"]

#: Outputs whose type follows from the types that arrive at these inputs.
_FOLLOWING: Mapping[tuple[NodeKind, str], frozenset[str]] = {
    (NodeKind.ITERATE, ITEM): frozenset({COLLECTION}),
    (NodeKind.COLLECT, COLLECTION): frozenset({COLLECTION, ITEM}),
    (NodeKind.BRANCH, CHOSEN): frozenset(SIDES.values()),
}
_FOLLOWING_KINDS = frozenset(kind for kind, _ in _FOLLOWING)


def common_type(types: Iterable[Any]) -> Any | None:
    """The one among `types` that all others may be taken as; `Any` when none says anything, None when there is none."""
    distinct = [each for each in dict.fromkeys(types) if each is not Any]
    if not distinct:
        return Any
    for candidate in distinct:
        if all(is_connectable(each, candidate) for each in distinct):
            return candidate
    return None


class TypeResolver:
    """Types of outputs, each worked out once, until an edge comes that changes it."""

    def __init__(self, nodes: Mapping[str, GraphNode], adjacency: Adjacency, table: "PortTable") -> None:
        #: The ports of the nodes.
        self.table = table
        self._nodes = nodes
        self._adjacency = adjacency
        self._known: dict[EdgeConnection, Any] = {}
        #: By collector: the types of what it gathers, each once.
        self._gathered: dict[str, Collection[Any]] = {}

    def output_type(self, output: EdgeConnection) -> Any | None:
        """The type that `output` gives; None when its node or its type has no such output."""
        if output in self._known:
            return self._known[output]
        declared = self._declared(output)
        if declared is None or not self._deciding(output):
            return declared
        # a stack instead of recursion: collectors and iterators may follow one another a thousand times
        open_outputs, entered = [output], {output}
        while open_outputs:
            top = open_outputs[-1]
            unknown = [
                source
                for _, source in self._deciding(top)
                if source not in self._known and source not in entered and self._deciding(source)
            ]
            if unknown:
                entered.update(unknown)
                open_outputs.extend(unknown)
                continue
            self._known[open_outputs.pop()] = self._decide(top)
        return self._known[output]

    def item_types(self, collector_id: str) -> Collection[Any]:
        """The types of all that a collector gathers, each once: of its items, and of the items of its lists."""
        self.output_type(EdgeConnection(collector_id, COLLECTION))
        return self._gathered.get(collector_id, ())

    def added(self, edge: Edge) -> None:
        """Forget what the edge, which has just been added, may have changed."""
        node_id, field = edge.destination
        kind = self._kind(edge.destination)
        if kind is NodeKind.COLLECT and node_id in self._gathered:
            given = self.output_type(edge.source) or Any
            if (element_type(given) if field == COLLECTION else given) in self._gathered[node_id]:
                return
        if kind in _FOLLOWING_KINDS:
            if self._adjacency.outgoing(node_id):
                self._known.clear()
                self._gathered.clear()
            else:  # nothing depends on it yet
                for output in (ITEM, COLLECTION, CHOSEN):
                    self._known.pop(EdgeConnection(node_id, output), None)
                self._gathered.pop(node_id, None)

    def _gather(self, collector_id: str) -> Collection[Any]:
        arriving: dict[Any, None] = {}
        for source, destination in self._adjacency.incoming(collector_id):
            given = self._arriving(source)
            arriving[element_type(given) if destination.field == COLLECTION else given] = None
        return arriving

    def _decide(self, output: EdgeConnection) -> Any:
        kind = self._kind(output)
        if kind is NodeKind.COLLECT:
            types = self._gathered[output.node_id] = self._gather(output.node_id)
            return list_of(common_type(types) or Any)
        arriving = [self._arriving(source) for _, source in self._deciding(output)]
        if kind is NodeKind.ITERATE:
            return element_type(arriving[0])
        # a branch with both sides of one type gives that type; otherwise anything, until it has chosen
        one_type = len(arriving) == len(SIDES) and len(set(arriving)) == 1
        return arriving[0] if one_type else Any

    def _arriving(self, source: EdgeConnection) -> Any:
        if source in self._known:
            return self._known[source]
        # what is not known by now is part of a circle, or does not exist; both are reported elsewhere
        declared = self._declared(source)
        return Any if declared is None or self._deciding(source) else declared

    def _deciding(self, output: EdgeConnection) -> list[tuple[str, EdgeConnection]]:
        """The inputs, with what leads into them, that decide the type of `output`."""
        kind = self._kind(output)
        inputs = _FOLLOWING.get((kind, output.field)) if kind else None
        if not inputs:
            return []
        return [
            (destination.field, source)
            for source, destination in self._adjacency.incoming(output.node_id)
            if destination.field in inputs
        ]

    def _kind(self, output: EdgeConnection) -> NodeKind | None:
        node = self._nodes.get(output.node_id)
        ports = self.table.of(node.type) if node else None
        return ports.kind if ports else None

    def _declared(self, output: EdgeConnection) -> Any | None:
        node = self._nodes.get(output.node_id)
        ports = self.table.of_node(node) if node else None
        return ports.output(output.field) if ports else None
