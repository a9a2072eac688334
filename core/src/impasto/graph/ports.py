"""`PortTable`: the ports of node types and of calls, each looked up once instead of once for each node."""

from collections.abc import Mapping

from impasto.graph.call_ports import call_ports
from impasto.graph.called import MAX_CALL_DEPTH, CalledGraph
from impasto.graph.node import GraphNode
from impasto.graph.node_ports import InputPort, NodePorts, declared_ports
from impasto_sdk.node import NodeKind, NodeSpec

__all__ = ["InputPort", "NodePorts", "PortTable"]


class PortTable:
    """The ports of a catalogue's node types, and of the calls that it is asked about."""

    def __init__(self, catalogue: Mapping[str, NodeSpec]) -> None:
        self._catalogue = catalogue
        self._ports: dict[str, NodePorts | None] = {}
        self._calls: dict[tuple[str, CalledGraph], NodePorts] = {}
        #: How many calls are being looked at, one inside the other.
        self._depth = 0

    @property
    def node_types(self) -> Mapping[str, NodeSpec]:
        """The catalogue."""
        return self._catalogue

    def of(self, node_type: str) -> NodePorts | None:
        """The ports that a type declares; None for a type that the catalogue lacks."""
        try:
            return self._ports[node_type]
        except KeyError:
            spec = self._catalogue.get(node_type)
            ports = declared_ports(spec) if spec else None
            self._ports[node_type] = ports
            return ports

    def of_node(self, node: GraphNode) -> NodePorts | None:
        """The ports of a node: those that its type declares, and of a call those that its graph brings besides."""
        ports = self.of(node.type)
        if node.called is None or ports is None or ports.kind is not NodeKind.CALL:
            return ports
        known = self._calls.get((node.type, node.called))
        if known is not None or self._depth > MAX_CALL_DEPTH:  # deeper is refused, and need not be understood
            return known or ports
        self._depth += 1
        known = self._calls[node.type, node.called] = call_ports(node.called, ports, self)
        self._depth -= 1
        return known
