"""`GraphEdits`: changes of a graph whose run is under way, as far as the run has not come to what they change.

What has been *prepared* stays as it is: a node that may start, runs, has run or was skipped, a branch that has chosen
its side, and all nodes of iterations that have begun. The graph that the run was made from is not touched: the first
change copies it.
"""

from impasto.errors import NodeAlreadyExecutedError
from impasto.graph import Edge, Graph, GraphNode
from impasto.scheduler.active_graph import ActiveGraph
from impasto.scheduler.frame import Status

__all__ = ["GraphEdits"]


class GraphEdits:
    """Guarded changes of one graph. Every method raises `NodeAlreadyExecutedError`, and what `Graph`'s does."""

    def __init__(self, graph: Graph, active: ActiveGraph) -> None:
        #: The graph with the changes.
        self.graph = Graph(graph.id, graph.nodes, graph.edges)
        self._active = active

    def add_node(self, node: GraphNode) -> None:
        """Add a node."""
        self.graph.add_node(node)

    def update_node(self, node_id: str, node: GraphNode) -> None:
        """Put another node in the place of one, with its edges."""
        self._check_with_readers(node_id)
        self.graph.update_node(node_id, node)

    def delete_node(self, node_id: str) -> None:
        """Take out a node and its edges."""
        self._check_with_readers(node_id)
        self.graph.delete_node(node_id)

    def add_edge(self, edge: Edge) -> None:
        """Add an edge to a node that is not prepared, from one whose output will be, or still is, there."""
        self._check(edge.destination.node_id)
        self._check_output(edge.source.node_id)
        self.graph.add_edge(edge)

    def delete_edge(self, edge: Edge) -> None:
        """Take out an edge to a node that is not prepared."""
        self._check(edge.destination.node_id)
        self.graph.delete_edge(edge)

    def _check_with_readers(self, node_id: str) -> None:
        self._check(node_id)
        for edge in self.graph.outgoing(node_id):
            self._check(edge.destination.node_id)

    def _check(self, node_id: str) -> None:
        if self._is_prepared(node_id):
            raise NodeAlreadyExecutedError(
                f"{node_id} cannot be changed: the run has prepared it already",
                node_id=node_id,
                suggestion="change what has not begun, or run the changed graph anew: what is the same is cached",
            )

    def _check_output(self, node_id: str) -> None:
        """Whether what a node gives can still be had."""
        station = self._active.plan.nodes.get(node_id)
        if station is None or not self._is_prepared(node_id):
            return
        root = self._active.run.root
        is_kept = root.status[station.slot] != Status.EXECUTED or root.outputs[station.slot] is not None
        if station.region or root.status[station.slot] == Status.SKIPPED or not is_kept:
            raise NodeAlreadyExecutedError(
                f"what {node_id} gave cannot be read any more: the run has let it go",
                node_id=node_id,
                suggestion="run the changed graph anew: what is the same is cached",
            )

    def _is_prepared(self, node_id: str) -> bool:
        plan, root = self._active.plan, self._active.run.root
        station = plan.nodes.get(node_id)
        if station is None:
            return False
        region = plan.regions[station.region]
        while region.parent is not None and region.parent.parent is not None:
            region = region.parent
        if region.gate is None:
            return root.status[station.slot] != Status.WAITING or station.slot in root.choices
        # once the list of the outermost iterator is known, what goes through it is, even if it is empty
        return root.status[region.gate.slot] != Status.WAITING
