"""`cycles`: the circles of a graph, one for each knot of nodes that reach each other."""

from collections.abc import Mapping, Sequence

from impasto.graph.adjacency import Adjacency
from impasto.graph.order import topological_order

__all__ = ["cycles"]


def cycles(nodes: Mapping[str, object], adjacency: Adjacency, ordered: Sequence[str] | None = None) -> list[list[str]]:
    """One circle for each knot, its first node again at the end; empty for a graph without. O(V + E).

    `ordered`: what `topological_order` gave for this graph, if that is at hand.
    """
    if ordered is None:
        ordered = topological_order(nodes, adjacency)
    if len(ordered) == len(nodes):
        return []
    import networkx  # only a broken graph pays for it

    tangled = nodes.keys() - set(ordered)  # circles, and what follows them
    graph = networkx.DiGraph()
    for node_id in tangled:
        for source, destination in adjacency.outgoing(node_id):
            if destination.node_id in tangled:
                graph.add_edge(source.node_id, destination.node_id)
    found = []
    for knot in networkx.strongly_connected_components(graph):
        start = min(knot)
        if len(knot) > 1 or graph.has_edge(start, start):
            way = networkx.find_cycle(graph.subgraph(knot), start)
            found.append([*(source for source, _ in way), way[-1][1]])
    return sorted(found)
