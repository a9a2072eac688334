"""`Plan`: a graph as the scheduler walks it: stations numbered in topological order, sorted into regions.

Made once for a run and only read afterwards. It knows which iterators are open around each station, and nothing of how
many items they have: that shows while the run goes on.
"""

from collections.abc import Mapping, Sequence

from impasto.graph import CalledGraph, Graph
from impasto.scheduler.plan_builder import PlanBuilder
from impasto.scheduler.region import Region
from impasto.scheduler.station import Station
from impasto_sdk.node import NodeSpec

__all__ = ["Plan"]


class Plan:
    """The stations and regions of a valid graph."""

    def __init__(self, graph: Graph, catalogue: Mapping[str, NodeSpec], ordered: Sequence[str] | None = None) -> None:
        """`ordered`: the graph's topological order, if that is at hand."""
        self._graph = graph
        self._catalogue = catalogue
        self._called: dict[str, Plan] = {}
        builder = PlanBuilder(graph, catalogue, graph.topological_order() if ordered is None else ordered)
        #: All stations, by number.
        self.stations: Sequence[Station] = builder.stations
        #: Nodes only, by id.
        self.nodes: Mapping[str, Station] = builder.nodes
        #: The regions; the first is outside all iterations.
        self.regions: Sequence[Region] = builder.regions.all

    def called(self, node_id: str) -> "Plan":
        """The plan of the graph that a call runs; made once, for all its executions."""
        plan = self._called.get(node_id)
        if plan is None:
            plan = self._called[node_id] = Plan(self.called_graph(node_id).graph, self._catalogue)
        return plan

    def called_graph(self, node_id: str) -> CalledGraph:
        """The graph that a call runs, and what it takes."""
        called = self._graph.nodes[node_id].called
        assert called is not None  # the graph was validated
        return called

    def iterators(self, region: Region) -> tuple[str, ...]:
        """The ids of the iterators around a region, from the outermost in."""
        return tuple(self.stations[number].id for number in region.dims)
