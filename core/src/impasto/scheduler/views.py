"""What can be seen of a run: the executions that are open, as mappings and as a graph. For people, clients and tests.

Worked out anew at each call, from what is there; the run itself needs none of it.
"""

from collections.abc import Iterator
from dataclasses import replace

from impasto.graph import Edge, Graph, GraphNode
from impasto.scheduler.active_graph import ActiveGraph
from impasto.scheduler.frame import Frame, gate_of, members
from impasto.scheduler.station import Pool, Role, Station
from impasto_sdk.fields import BaseInvocationOutput

__all__ = ["execution_graph", "executions", "indegree", "results", "source_ids", "with_status"]


def executions(active: ActiveGraph) -> Iterator[tuple[str, Frame, Station]]:
    """The executions of open frames, by id; those of called graphs come behind those of the graph that calls."""
    yield from _own(active)
    for call in active.calls.values():
        yield from executions(call)


def _own(active: ActiveGraph) -> Iterator[tuple[str, Frame, Station]]:
    """The executions of one graph, those of graphs that it calls left out."""
    for frame in active.frames():
        for station in frame.region.stations:
            if station.role not in Role.HIDDEN:
                yield active.names.of(frame, station), frame, station


def results(active: ActiveGraph) -> dict[str, BaseInvocationOutput]:
    """The outputs that are kept."""
    return {
        execution_id: frame.outputs[station.slot]
        for execution_id, frame, station in executions(active)
        if frame.outputs[station.slot] is not None
    }


def with_status(active: ActiveGraph, status: int) -> set[str]:
    """The ids of the executions of which this has become."""
    return {each for each, frame, station in executions(active) if frame.status[station.slot] == status}


def source_ids(active: ActiveGraph, prefix: str = "") -> dict[str, str]:
    """The id of its node in the graph, for each execution."""
    found = {execution_id: prefix + station.id for execution_id, _, station in _own(active)}
    for call_id, call in active.calls.items():
        found |= source_ids(call, f"{found[call_id]}/")
    return found


def indegree(active: ActiveGraph) -> dict[str, int]:
    """For each execution, how many values it still waits for.

    A branch counts its condition, then its chosen side; a collector what it gathers out of one iteration as one.
    """
    return {execution_id: frame.indegree[station.slot] for execution_id, frame, station in executions(active)}


def execution_graph(graph: Graph, active: ActiveGraph) -> Graph:
    """The executions of the session's own graph, and the edges between them."""
    nodes: dict[str, GraphNode] = {}
    edges: list[Edge] = []
    for name, frame, station in _own(active):
        nodes[name] = replace(graph.nodes[station.id], id=name)
        edges += [
            Edge.between(active.names.of(around, source), output, name, input)
            for around, source, output, input in _read_by(frame, station)
        ]
    return Graph(graph.id, nodes, edges)


def _read_by(frame: Frame, station: Station) -> Iterator[tuple[Frame, Station, str, str]]:
    """The executions that one reads, with the output and the input, through gates and pools."""
    if station.role == Role.ITERATE:
        yield from _read_by(*gate_of(frame))
    for base, slot, output, name, _ in station.reads:
        around = frame.base(base)
        source = around.region.stations[slot]
        if isinstance(source, Pool):
            for inner, _ in members(around, source):
                yield inner, source.member, source.output, name
        else:
            yield around, source, output, name
