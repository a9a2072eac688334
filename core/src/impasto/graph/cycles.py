"""`cycles`: the circles of a graph, one for each knot of nodes that reach each other."""

from collections.abc import Mapping

from impasto.graph.adjacency import Adjacency

__all__ = ["cycles"]


def cycles(nodes: Mapping[str, object], adjacency: Adjacency) -> list[list[str]]:
    """One circle for each knot, its first node again at the end; empty for a graph without. O(V + E)."""
    tangled = _never_free(nodes, adjacency)
    if not tangled:
        return []
    import networkx  # only a broken graph pays for it

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


def _never_free(nodes: Mapping[str, object], adjacency: Adjacency) -> set[str]:
    """What is left when nodes that wait for nothing are taken out again and again: circles, and what follows them."""
    waiting = dict.fromkeys(nodes, 0)
    for source, destination in adjacency:
        if source.node_id in waiting and destination.node_id in waiting:
            waiting[destination.node_id] += 1
    free = [node_id for node_id, count in waiting.items() if not count]
    for node_id in free:  # grows while it is walked
        for _, destination in adjacency.outgoing(node_id):
            reached = destination.node_id
            if reached in waiting:
                waiting[reached] -= 1
                if not waiting[reached]:
                    free.append(reached)
    return waiting.keys() - set(free)
