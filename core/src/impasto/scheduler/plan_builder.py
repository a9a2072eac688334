"""`PlanBuilder`: makes the stations and regions of a plan, in one pass over the nodes in topological order.

A node stands in all iterations that its inputs stand in, an iterator in its own besides. A collector leaves, for each
edge into it, the innermost iteration that the edge comes from.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from impasto.graph import Edge, Graph, GraphNode
from impasto.graph.control_flow import COLLECTION, SIDES, TOTAL
from impasto.graph.ports import PortTable
from impasto.graph.written import written_inputs
from impasto.scheduler.region import Region
from impasto.scheduler.regions import Regions
from impasto.scheduler.station import Dims, Gate, Pool, Reading, Role, Station, role_of
from impasto_sdk.node import NodeSpec

__all__ = ["PlanBuilder"]

_SIDE_OF = {name: side for side, name in SIDES.items()}

#: What leads into one input: a station, its output, and the input.
_Arrival = tuple[Station, str, str]


class PlanBuilder:
    """The parts of a plan."""

    def __init__(self, graph: Graph, catalogue: Mapping[str, NodeSpec], ordered: Sequence[str]) -> None:
        self.stations: list[Station] = []
        self.nodes: dict[str, Station] = {}
        self.regions = Regions()
        self._catalogue = catalogue
        self._ports = PortTable(catalogue)
        self._roles = {node_type: role_of(spec.kind) for node_type, spec in catalogue.items()}
        #: Readers of stations that more than one always reads, by region and slot.
        self._readers: dict[tuple[int, int], list[int]] = {}
        nodes, adjacency = graph.nodes, graph.adjacency
        for node_id in ordered:
            self._add(nodes[node_id], adjacency.incoming(node_id))
        for (number, slot), readers in self._readers.items():
            self.regions.all[number].readers_of[slot] = tuple(readers)
        for region in self.regions.all:
            region.begin = [slot for slot, count in enumerate(region.indegree) if not count]
        if any(station.role == Role.BRANCH for station in self.stations):
            self._find_conditional()
        if any(station.spec.yields for station in self.stations):
            self._find_streams()

    def _add(self, node: GraphNode, edges: Iterable[Edge]) -> None:
        spec, role, nodes = self._catalogue[node.type], self._roles[node.type], self.nodes
        arrivals = [(nodes[source.node_id], source.field, end.field) for source, end in edges]
        values = self._written(node, arrivals)
        use_cache = spec.use_cache if node.use_cache is None else node.use_cache
        if role == Role.ITERATE:
            region = self._pass_gate(node.id, spec, arrivals, values)
            arrivals = []
        elif role == Role.COLLECT:
            region, arrivals = self._gather(node.id, spec, arrivals)
        else:
            region = self._around(arrivals)
        station = Station(
            len(self.stations),
            role,
            node.id,
            spec,
            region.index,
            len(region.stations),
            values,
            node.is_intermediate,
            use_cache,
        )
        self._stand(station, region, arrivals)
        nodes[node.id] = station

    def _pass_gate(
        self, node_id: str, spec: NodeSpec, arrivals: Sequence[_Arrival], values: Mapping[str, Any]
    ) -> Region:
        """Make the gate of an iterator; gives the region of its iterations."""
        around = self._around(arrivals)
        gate = Gate(len(self.stations), node_id, spec, around.index, len(around.stations), values)
        self._stand(gate, around, arrivals)
        iterator = len(self.stations)
        self.regions.gates[iterator] = gate
        return self.regions.of((*around.dims, iterator))

    def _gather(self, node_id: str, spec: NodeSpec, arrivals: Sequence[_Arrival]) -> tuple[Region, list[_Arrival]]:
        """Make the pools of a collector; gives its region, and what leads into it then."""
        dims = _union({self._dims(source)[:-1] for source, _, _ in arrivals})
        gathered: list[_Arrival] = []
        for source, output, name in arrivals:
            around = self._dims(source)
            if around and around[-1] not in dims:
                gathered.append((self._pool(node_id, spec, source, output), "", name))
            else:
                gathered.append((source, output, name))
        return self.regions.of(dims), gathered

    def _pool(self, collector_id: str, spec: NodeSpec, member: Station, output: str) -> Pool:
        inner = self.regions.all[member.region]
        region = inner.parent
        assert region is not None
        number, slot = len(self.stations), len(region.stations)
        pool = Pool(number, collector_id, spec, region.index, slot, member=member, output=output, loop=inner.loop)
        inner.pools.append(pool)
        inner.pools_of.setdefault(member.slot, []).append(pool)
        inner.readers[member.slot] += 1
        inner.is_read[member.slot] = 1
        self._stand(pool, region, [(self.regions.gates[inner.dims[-1]], "", "")])
        region.indegree[pool.slot] += 1  # until its loop has opened all iterations
        return pool

    def _stand(self, station: Station, region: Region, arrivals: Iterable[_Arrival]) -> None:
        """Put a station into its region, and join it to what it reads."""
        reads: list[Reading] = []
        slot, waits, is_branch = station.slot, 0, station.role == Role.BRANCH
        for source, output, name in arrivals:
            side = _SIDE_OF.get(name) if is_branch else None
            if source.region != region.index:
                base = self.regions.join(self.regions.all[source.region], source.slot, region, slot, side)
            else:
                base = 0
                waits += side is None
                self._join(region, source.slot, slot, side)
            reads.append((base, source.slot, output, name, side))
        station.reads = tuple(reads)
        self.stations.append(station)
        region.stations.append(station)
        region.readers_of.append(())
        region.is_read.append(0)
        region.indegree.append(waits)
        region.readers.append(0)
        region.wanted.append(1)

    def _join(self, region: Region, source: int, slot: int, side: bool | None) -> None:
        """Let a station be read by another one of its region."""
        region.readers[source] += 1
        region.is_read[source] = 1
        if side is not None:
            region.sides_of.setdefault(source, []).append((slot, side))
        elif not region.readers_of[source]:
            region.readers_of[source] = (slot,)
        else:
            self._readers.setdefault((region.index, source), list(region.readers_of[source])).append(slot)

    def _around(self, arrivals: Sequence[_Arrival]) -> Region:
        """The region of all iterations that these stand in."""
        first = arrivals[0][0].region if arrivals else 0
        if all(source.region == first for source, _, _ in arrivals):
            return self.regions.all[first]
        return self.regions.of(_union({self._dims(source) for source, _, _ in arrivals}))

    def _dims(self, station: Station) -> Dims:
        return self.regions.all[station.region].dims

    def _written(self, node: GraphNode, arrivals: Sequence[_Arrival]) -> Mapping[str, Any]:
        if not node.inputs:
            return node.inputs
        ports = self._ports.of_node(node)
        assert ports is not None  # the graph was validated against this catalogue
        connected = [name for _, _, name in arrivals]
        if node.called is not None:
            return {name: value for name, value in written_inputs(node, ports).items() if name not in connected}
        known = ports.inputs
        return {
            name: value
            for name, value in node.inputs.items()
            if name not in connected
            and ((value is not None and name in known) or ((port := ports.input(name)) and port.is_written(value)))
        }

    def _find_conditional(self) -> None:
        """Which stations are needed only if a branch chooses their side.

        A station is needed for certain when nothing reads it, or when something that is needed for certain always does.
        A gate is needed for certain when something that is needed for certain stands in its iteration.
        """
        needed = bytearray(len(self.stations))
        certain: set[int] = set()
        for station in reversed(self.stations):
            region = self.regions.all[station.region]
            if not needed[station.index] and (region.is_read[station.slot] or station.role == Role.GATE):
                region.wanted[station.slot] = 0
                continue
            for base, slot, _, _, side in station.reads:
                if side is None:
                    needed[self._at(region, base).stations[slot].index] = 1
            if isinstance(station, Pool):
                needed[station.member.index] = 1
            if region.index not in certain:
                certain.add(region.index)
                for iterator in region.dims:
                    needed[self.regions.gates[iterator].index] = 1

    def _find_streams(self) -> None:
        """Which gates take a generator's items as they come: those of iterators whose total nobody asks for."""
        counted: set[int] = set()
        for station in self.stations:
            region = self.regions.all[station.region]
            read = [(self._at(region, base).stations[slot], output) for base, slot, output, _, _ in station.reads]
            if isinstance(station, Pool):
                read.append((station.member, station.output))
            counted.update(source.index for source, output in read if output == TOTAL and source.role == Role.ITERATE)
        for iterator, gate in self.regions.gates.items():
            if iterator not in counted and gate.reads:
                base, slot, output, _, _ = gate.reads[0]
                source = self._at(self.regions.all[gate.region], base).stations[slot]
                gate.streams = source.spec.yields and source.role == Role.PLAIN and output == COLLECTION
                if gate.streams and not base:
                    self.regions.all[gate.region].streams_of.setdefault(slot, []).append(gate.slot)

    def _at(self, region: Region, base: int) -> Region:
        return self.regions.all[region.routes[base - 1].region] if base else region


def _union(around: set[Dims]) -> Dims:
    if len(around) <= 1:
        return next(iter(around), ())
    return tuple(sorted(set().union(*around)))
