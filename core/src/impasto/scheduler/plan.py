"""`Plan`: a graph as the scheduler walks it: nodes numbered in topological order, edges as numbers, iterations named.

Made once for a run and only read afterwards. It knows which iterators are open around each node, and nothing of
how many items they have: that is for `spaces`, while the run goes on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from impasto.graph import Graph
from impasto.graph.control_flow import SIDES
from impasto.graph.ports import PortTable
from impasto_sdk.node import NodeKind, NodeSpec

__all__ = ["Dims", "Link", "Plan", "PlannedNode", "Reach"]

#: Numbers of the iterators that are open around a node, rising, so that an outer one comes before its inner ones.
Dims = tuple[int, ...]


class Reach(IntEnum):
    """How the copies of a link's source find the copies of its target."""

    #: One to one: both have the same open iterators.
    SAME = 0
    #: One to many: the target has more open iterators.
    BROADCAST = 1
    #: Many to one (or some): the target is a collector.
    GATHER = 2
    #: To an iterator's gate: before it, all copies of the source must be done.
    GATE = 3


@dataclass(slots=True)
class Link:
    """An edge between numbered nodes."""

    source: int
    output: str
    target: int
    input: str
    reach: Reach = Reach.SAME
    #: The condition under which a branch reads it; None for an edge that is always read.
    side: bool | None = None
    #: Of an edge into a collector: the iterators that are open around both ends.
    shared_dims: Dims = ()


@dataclass(slots=True)
class PlannedNode:
    """A node of the plan."""

    index: int
    id: str
    spec: NodeSpec
    #: What the node type is for the scheduler.
    kind: NodeKind
    is_intermediate: bool
    use_cache: bool
    #: Written values that say something, those of connected inputs left out.
    values: Mapping[str, Any]
    links_in: list[Link] = field(default_factory=list)
    links_out: list[Link] = field(default_factory=list)
    #: Iterators open around its copies; of an iterator: with itself.
    dims: Dims = ()
    #: Iterators open around what leads into it; of a collector: with those that it closes.
    inner_dims: Dims = ()
    #: Some of its copies may turn out not to be needed: everything it leads to is behind a side of a branch.
    conditional: bool = False
    #: The same of an iterator's gate: whether its items have to be counted at all.
    gate_conditional: bool = False

    @property
    def closed_dims(self) -> Dims:
        """Iterators that a collector closes; none for other nodes."""
        if self.kind is not NodeKind.COLLECT:
            return ()
        return tuple(each for each in self.inner_dims if each not in self.dims)


class Plan:
    """The nodes of a valid graph in topological order; of nodes that are equally far, in the document's order."""

    def __init__(self, graph: Graph, catalogue: Mapping[str, NodeSpec]) -> None:
        ordered = graph.topological_order()
        self.index: Mapping[str, int] = {node_id: index for index, node_id in enumerate(ordered)}
        self.nodes: Sequence[PlannedNode] = _planned(graph, ordered, catalogue)
        for source, destination in graph.edges:
            origin, target = self.nodes[self.index[source.node_id]], self.nodes[self.index[destination.node_id]]
            link = Link(origin.index, source.field, target.index, destination.field)
            origin.links_out.append(link)
            target.links_in.append(link)
        #: Numbers of the iterators, rising.
        self.iterators: Sequence[int] = [node.index for node in self.nodes if node.kind is NodeKind.ITERATE]
        #: Whether it has branches, so that nodes may turn out not to be needed.
        self.has_branches = any(node.kind is NodeKind.BRANCH for node in self.nodes)
        if self.iterators:
            _open_iterators(self.nodes)
        _set_reach(self.nodes)
        if self.has_branches:
            _find_conditional(self.nodes)


def _planned(graph: Graph, ordered: Sequence[str], catalogue: Mapping[str, NodeSpec]) -> list[PlannedNode]:
    table = PortTable(catalogue)
    connected = {destination for _, destination in graph.edges}
    planned = []
    for index, node_id in enumerate(ordered):
        node = graph.nodes[node_id]
        spec, ports = catalogue[node.type], table.of(node.type)
        assert ports is not None  # the graph was validated against this catalogue
        values = {}
        for name, value in node.inputs.items():
            port = ports.input(name)
            if (node_id, name) not in connected and port is not None and port.is_written(value):
                values[name] = value
        use_cache = spec.use_cache if node.use_cache is None else node.use_cache
        planned.append(PlannedNode(index, node_id, spec, spec.kind, node.is_intermediate, use_cache, values))
    return planned


def _open_iterators(nodes: Sequence[PlannedNode]) -> None:
    """Which iterators are open around each node.

    A node stands in all iterations that its inputs stand in, an iterator in its own besides. A collector leaves, for
    each edge into it, the innermost iteration that the edge comes from.
    """
    for node in nodes:
        around = {nodes[link.source].dims for link in node.links_in}
        node.inner_dims = _union(around)
        node.dims = node.inner_dims
        if node.kind is NodeKind.ITERATE:
            node.dims = (*node.inner_dims, node.index)
        elif node.kind is NodeKind.COLLECT:
            node.dims = _union({dims[:-1] for dims in around})


def _union(around: set[Dims]) -> Dims:
    if len(around) <= 1:
        return next(iter(around), ())
    return tuple(sorted(set().union(*around)))


def _set_reach(nodes: Sequence[PlannedNode]) -> None:
    for target in nodes:
        for link in target.links_in:
            if target.kind is NodeKind.ITERATE:
                link.reach = Reach.GATE
            elif target.kind is NodeKind.COLLECT:
                link.reach = Reach.GATHER
                link.shared_dims = tuple(each for each in nodes[link.source].dims if each in target.dims)
            elif nodes[link.source].dims != target.dims:
                link.reach = Reach.BROADCAST
            if target.kind is NodeKind.BRANCH:
                link.side = next((side for side, name in SIDES.items() if name == link.input), None)


def _find_conditional(nodes: Sequence[PlannedNode]) -> None:
    """Which nodes are needed only if a branch chooses their side.

    A node is needed for certain when nothing reads it, or when something that is needed for certain always does. An
    iterator must be counted for certain when something needed for certain stands in its iteration.
    """
    counted: set[int] = set()
    for node in reversed(nodes):
        node.conditional = bool(node.links_out) and not any(
            _needs_for_certain(nodes[link.target], link) for link in node.links_out
        )
        if not node.conditional:
            counted.update(node.dims)
        if node.kind is NodeKind.ITERATE:
            node.gate_conditional = node.index not in counted


def _needs_for_certain(reader: PlannedNode, link: Link) -> bool:
    if link.reach is Reach.GATE:
        return not reader.gate_conditional
    return link.side is None and not reader.conditional
