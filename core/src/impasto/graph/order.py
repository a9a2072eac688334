"""`topological_order`: the nodes of a graph, each after all that lead into it. For checks and the scheduler."""

from collections.abc import Iterable

from impasto.graph.adjacency import Adjacency

__all__ = ["topological_order"]


def topological_order(nodes: Iterable[str], adjacency: Adjacency) -> list[str]:
    """The nodes in an order in which every edge leads onward; of nodes that are equally far, as they are given.

    Nodes of a circle, and what follows one, are left out. Edges to and from other nodes are passed over. O(V + E).
    """
    waiting = dict.fromkeys(nodes, 0)
    for source, destination in adjacency:
        if source.node_id in waiting and destination.node_id in waiting:
            waiting[destination.node_id] += 1
    ordered = [node_id for node_id, count in waiting.items() if not count]
    for node_id in ordered:  # grows while it is walked
        for _, destination in adjacency.outgoing(node_id):
            reached = destination.node_id
            if reached in waiting:
                waiting[reached] -= 1
                if not waiting[reached]:
                    ordered.append(reached)
    return ordered
