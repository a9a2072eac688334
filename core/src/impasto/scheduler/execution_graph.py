"""`execution_graph`: the execution nodes of a run as a graph of their own, for people and clients to look at."""

from collections.abc import Iterator
from dataclasses import replace

from impasto.graph import Edge, Graph, GraphNode
from impasto.scheduler.plan import PlannedNode, Reach
from impasto.scheduler.wiring import Wiring
from impasto_sdk.node import NodeKind

__all__ = ["execution_graph"]


def execution_graph(graph: Graph, wiring: Wiring) -> Graph:
    """The copies that stand, under their execution ids, and the edges between them."""
    nodes: dict[str, GraphNode] = {}
    edges: list[Edge] = []
    for planned in wiring.plan.nodes:
        if wiring.copies.base[planned.index] < 0:
            continue
        for copy in wiring.copies.of(planned):
            execution_id = wiring.copies.ids[copy]
            nodes[execution_id] = replace(graph.nodes[planned.id], id=execution_id)
        edges.extend(_edges_into(planned, wiring))
    return Graph(graph.id, nodes, edges)


def _edges_into(planned: PlannedNode, wiring: Wiring) -> Iterator[Edge]:
    """The edges into the copies of a node, from what stands; all copies of an iterator read what its gate reads."""
    copies = wiring.copies
    is_iterator = planned.kind is NodeKind.ITERATE
    outer_ranks = wiring.spaces.space(planned.dims).outer_rank if is_iterator else ()
    for link in planned.links_in:
        if link.reach is Reach.GATHER and not wiring.stands(planned.inner_dims):
            continue
        for rank, copy in enumerate(copies.of(planned)):
            for source in wiring.sources(link, outer_ranks[rank] if is_iterator else rank):
                yield Edge.between(copies.ids[source], link.output, copies.ids[copy], link.input)
