"""Where the nodes of a graph run, those of the graphs that it calls among them; and so whether it needs a device.

Asked when a session is submitted, and once more by a worker without a device, whose plugins may be newer by then.
"""

from collections.abc import Mapping
from typing import NamedTuple

from impasto.graph.graph import Graph
from impasto_sdk.node import Lane, NodeSpec

__all__ = ["FirstNode", "first_on_lanes", "needs_device"]


class FirstNode(NamedTuple):
    """A node, as one that runs on its lane."""

    #: With the ids of the calls that it stands in before its own: ``call/denoise``.
    node_id: str
    node_type: str


def first_on_lanes(graph: Graph, node_types: Mapping[str, NodeSpec]) -> dict[Lane, FirstNode]:
    """A node for each lane that the graph, or one that it calls, has nodes on. O(V).

    Nodes of unknown types count for nothing.
    """
    found: dict[Lane, FirstNode] = {}
    graphs = [("", graph)]
    for calls, each in graphs:  # which grows on the way
        for node in each.nodes.values():
            spec = node_types.get(node.type)
            if spec is not None and spec.lane not in found:
                found[spec.lane] = FirstNode(calls + node.id, node.type)
            if node.called is not None:
                graphs.append((f"{calls}{node.id}/", node.called.graph))
    return found


def needs_device(graph: Graph, node_types: Mapping[str, NodeSpec]) -> bool:
    """Whether the graph is for a worker with a device.

    It is not when nodes of it wait for something outside and none runs on a device. One that does neither is: it takes
    a CPU for its time, as others do.
    """
    lanes = first_on_lanes(graph, node_types)
    return Lane.DEVICE in lanes or Lane.IO not in lanes
