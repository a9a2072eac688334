"""`Graph`: a document of nodes and edges that can be changed, asked for its neighbours, and checked.

Author time only: nothing is expanded or run here. Adjacency is indexed and an order is kept, so each change costs the
edges it touches (and an edge against the order a walk between its ends). Used by the queue's submissions, by panels,
and by the scheduler, which never changes the graph it runs.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from impasto.errors import (
    CyclicalGraphError,
    DuplicateNodeIdError,
    GraphValidationError,
    InvalidEdgeError,
    NodeAlreadyInGraphError,
    NodeNotFoundError,
    Problem,
)
from impasto.graph.adjacency import Adjacency
from impasto.graph.check import find_problems
from impasto.graph.collection_pause import collection_pause
from impasto.graph.connection import check_connection
from impasto.graph.document import read_document
from impasto.graph.dynamic_order import DynamicOrder, find_circle
from impasto.graph.edge import Edge
from impasto.graph.element_types import TypeResolver
from impasto.graph.node import GraphNode
from impasto.graph.order import topological_order
from impasto.graph.ports import PortTable
from impasto.graph.restriction import restrict
from impasto.graph.suggestions import Suggester
from impasto_sdk.fields import JsonValue
from impasto_sdk.node import NodeSpec

if TYPE_CHECKING:
    import networkx

__all__ = ["Graph"]


class Graph:
    """Nodes by id, and edges between their fields."""

    def __init__(self, id: str = "", nodes: Mapping[str, GraphNode] | None = None, edges: Iterable[Edge] = ()) -> None:
        """A graph of these nodes and edges, unchecked: `problems` says what is wrong with it."""
        self.id = id
        self._nodes: dict[str, GraphNode] = dict(nodes or {})
        self._nodes_view = MappingProxyType(self._nodes)
        self._adjacency = Adjacency(edges)
        # made when the first edge is added: a graph that is only read has no use for it
        self._order: DynamicOrder | None = None
        # the types of outputs, by the catalogue that edges were last added with
        self._types: TypeResolver | None = None

    @classmethod
    def from_document(cls, document: object) -> "Graph":
        """The graph that a JSON document describes.

        Raises `GraphValidationError`, listing every problem, for a document that does not have a graph's form.
        Whether its nodes exist and its edges fit is for `problems` to say.
        """
        with collection_pause():
            return read_document(document, cls)

    def to_document(self) -> dict[str, JsonValue]:
        """The graph as JSON values; `from_document` reads them back."""
        return {
            "id": self.id,
            "nodes": {key: node.to_document() for key, node in self._nodes.items()},
            "edges": [edge.to_document() for edge in self._adjacency],
        }

    @property
    def nodes(self) -> Mapping[str, GraphNode]:
        """The nodes by key, in order of addition; read only."""
        return self._nodes_view

    @property
    def edges(self) -> Sequence[Edge]:
        """The edges in order of addition."""
        return tuple(self._adjacency)

    @property
    def adjacency(self) -> Adjacency:
        """The edges by the nodes they join, for whoever walks all of them; not to be changed."""
        return self._adjacency

    def incoming(self, node_id: str) -> Sequence[Edge]:
        """The edges that lead into a node, in order of addition."""
        return tuple(self._adjacency.incoming(node_id))

    def outgoing(self, node_id: str) -> Sequence[Edge]:
        """The edges that leave a node, in order of addition."""
        return tuple(self._adjacency.outgoing(node_id))

    def get_node(self, node_id: str) -> GraphNode:
        """The node. Raises `NodeNotFoundError`."""
        try:
            return self._nodes[node_id]
        except KeyError:
            raise NodeNotFoundError(
                f"the graph has no node {node_id!r}",
                node_id=node_id,
                field="id",
                value=node_id,
                suggestion=Suggester().did_you_mean(node_id, self._nodes),
            ) from None

    def add_node(self, node: GraphNode) -> None:
        """Add a node.

        Raises `NodeAlreadyInGraphError` when this very node is there, `DuplicateNodeIdError` when another has its id.
        """
        present = self._nodes.get(node.id)
        if present == node:
            raise NodeAlreadyInGraphError(
                f"node {node.id!r} is in the graph already",
                node_id=node.id,
                field="id",
                value=node.id,
                suggestion="use `update_node` to change it",
            )
        if present is not None:
            raise _taken_id(node.id, present, "use `update_node`")
        self._nodes[node.id] = node
        self._add_to_order(node.id)

    def update_node(self, node_id: str, node: GraphNode) -> None:
        """Put `node` in the place of the node `node_id`; its edges stay, and follow it when the id changes.

        Raises `NodeNotFoundError`, and `DuplicateNodeIdError` when the new id belongs to another node.
        """
        self.get_node(node_id)
        self._types = None
        if node.id == node_id:
            self._nodes[node_id] = node
            return
        if node.id in self._nodes:
            raise _taken_id(node.id, self._nodes[node.id], "take that one out first")
        moved = dict.fromkeys((*self.incoming(node_id), *self.outgoing(node_id)))
        for edge in moved:
            self._adjacency.remove(edge)
        del self._nodes[node_id]
        self._nodes[node.id] = node
        self._add_to_order(node.id, renamed=node_id)
        for edge in moved:
            source, destination = (end._replace(node_id=node.id) if end.node_id == node_id else end for end in edge)
            self._adjacency.add(Edge(source, destination))

    def delete_node(self, node_id: str) -> None:
        """Take out a node and its edges. Raises `NodeNotFoundError`."""
        self.get_node(node_id)
        for edge in dict.fromkeys((*self.incoming(node_id), *self.outgoing(node_id))):
            self._adjacency.remove(edge)
        del self._nodes[node_id]
        self._types = None
        if self._order is not None:
            self._order.remove(node_id)

    def add_edge(self, edge: Edge, catalogue: Mapping[str, NodeSpec] | None = None) -> None:
        """Add an edge. With `catalogue`, its fields, its types and whether its input is free are checked too.

        What costs is the part of the graph between the ends of an edge that leads against the order of those that are
        there; an edge that does not costs no more in a large graph than in a small one.

        Raises `NodeNotFoundError`, `NodeFieldNotFoundError`, `InvalidEdgeError` or `CyclicalGraphError`, and then
        leaves the graph as it was.
        """
        self.get_node(edge.source.node_id)
        self.get_node(edge.destination.node_id)
        if edge in self._adjacency:
            raise _wrong_edge(edge, f"the edge {edge} is in the graph already", "leave it as it is")
        cycle = self._cycle_closed_by(edge)
        if cycle:
            raise CyclicalGraphError(
                f"the edge {edge} would close a circle: {' → '.join(cycle)}",
                cycle,
                field=edge.destination.field,
                value=str(edge),
                suggestion="take out one of the other edges first",
            )
        if catalogue is not None:
            check_connection(self._nodes, self._adjacency, edge, self._types_by(catalogue))
        self._adjacency.add(edge)
        if self._types is not None:
            self._types.added(edge)

    def delete_edge(self, edge: Edge) -> None:
        """Take out an edge. Raises `InvalidEdgeError` when it is not in the graph."""
        if edge not in self._adjacency:
            into = ", ".join(str(each) for each in self.incoming(edge.destination.node_id))
            raise _wrong_edge(edge, f"the graph has no edge {edge}", f"into that node lead: {into or 'none'}")
        self._adjacency.remove(edge)
        self._types = None

    def problems(self, catalogue: Mapping[str, NodeSpec], ordered: Sequence[str] | None = None) -> list[Problem]:
        """Everything that keeps the graph from running with these node types; empty when it can run. O(V + E).

        `ordered`: what `topological_order` gave, for who has asked for it already.
        """
        return find_problems(self._nodes, self._adjacency, catalogue, ordered)

    def topological_order(self) -> list[str]:
        """The ids of the nodes, each after all that lead into it; nodes of a circle and behind one are left out."""
        return topological_order(self._nodes, self._adjacency)

    def restricted_to(self, targets: Collection[str]) -> "Graph":
        """The part of the graph that the nodes `targets` need: they, all that leads to them, and the edges between.

        Raises `GraphValidationError` with a problem for each target that is no node of the graph, and when there is no
        target. The rest of the graph may be as unfinished as it likes. O(V + E).
        """
        return Graph(self.id, *restrict(self._nodes, self._adjacency, targets))

    def validate_self(self, catalogue: Mapping[str, NodeSpec], ordered: Sequence[str] | None = None) -> None:
        """Raise `GraphValidationError`, listing every problem, when the graph cannot run with these node types.

        `ordered`: see `problems`.
        """
        problems = self.problems(catalogue, ordered)
        if problems:
            raise GraphValidationError(problems)

    def nx_graph(self) -> "networkx.MultiDiGraph[Any]":
        """The graph for networkx: an edge for each edge, with its fields as ``source_field``, ``destination_field``."""
        import networkx  # takes a quarter of a second, and most servers never need it

        graph: networkx.MultiDiGraph[Any] = networkx.MultiDiGraph()
        graph.add_nodes_from(self._nodes)
        for source, destination in self._adjacency:
            graph.add_edge(
                source.node_id, destination.node_id, source_field=source.field, destination_field=destination.field
            )
        return graph

    def nx_graph_flat(self) -> "networkx.DiGraph[Any]":
        """The graph for networkx: one edge for each pair of nodes that are joined, fields left out."""
        import networkx  # see `nx_graph`

        graph: networkx.DiGraph[Any] = networkx.DiGraph()
        graph.add_nodes_from(self._nodes)
        graph.add_edges_from((source.node_id, destination.node_id) for source, destination in self._adjacency)
        return graph

    def _cycle_closed_by(self, edge: Edge) -> list[str]:
        """The nodes of the circle that `edge` would close, the first again at the end; empty when there is none."""
        source, destination = edge.source.node_id, edge.destination.node_id
        if self._order is None:
            ordered = self.topological_order()
            if len(ordered) < len(self._nodes):  # it was read with a circle: there is no order until that is gone
                return find_circle(source, destination, self._adjacency)
            self._order = DynamicOrder(ordered)
        return self._order.make_room(source, destination, self._adjacency)

    def _types_by(self, catalogue: Mapping[str, NodeSpec]) -> TypeResolver:
        if self._types is None or self._types.table.node_types is not catalogue:
            self._types = TypeResolver(self._nodes, self._adjacency, PortTable(catalogue))
        return self._types

    def _add_to_order(self, node_id: str, renamed: str | None = None) -> None:
        if self._adjacency.incoming(node_id) or self._adjacency.outgoing(node_id):
            self._order = self._types = None  # edges led to and from nowhere until now: all is made anew if need be
        elif self._order is None:
            return
        elif renamed is None:
            self._order.add(node_id)
        else:
            self._order.rename(renamed, node_id)


def _taken_id(node_id: str, holder: GraphNode, instead: str) -> DuplicateNodeIdError:
    return DuplicateNodeIdError(
        f"node id {node_id!r} is taken by a {holder.type!r} node",
        node_id=node_id,
        field="id",
        value=node_id,
        suggestion=f"give it another id, or {instead}",
    )


def _wrong_edge(edge: Edge, message: str, suggestion: str) -> InvalidEdgeError:
    destination = edge.destination
    return InvalidEdgeError(
        message, node_id=destination.node_id, field=destination.field, value=str(edge), suggestion=suggestion
    )
