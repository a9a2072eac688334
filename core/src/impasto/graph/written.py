"""`written_inputs`: the values that a document writes into a node's inputs, as far as they say something.

A call may be given the values of its graph's inputs in two ways: each under its own name, or all in one object. Used by
the check of a graph, and by the scheduler when it works out what a node gets.
"""

from collections.abc import Mapping

from impasto.graph.control_flow import WORKFLOW_INPUTS, call_input
from impasto.graph.node import GraphNode
from impasto.graph.node_ports import NodePorts
from impasto_sdk.fields import JsonValue
from impasto_sdk.node import NodeKind

__all__ = ["spread_inputs", "written_inputs"]


def spread_inputs(node: GraphNode, ports: NodePorts) -> Mapping[str, JsonValue]:
    """What is written into a node, by input; what a call has in its `workflow_inputs` stands beside the rest.

    A value under an input's own name comes before one in `workflow_inputs`, unless it is null.
    """
    together = node.inputs.get(WORKFLOW_INPUTS) if ports.kind is NodeKind.CALL else None
    if not isinstance(together, dict):
        return node.inputs
    spread = {name: value for name, value in together.items() if isinstance(name, str) and call_input(name) is not None}
    own = {name: value for name, value in node.inputs.items() if value is not None or name not in spread}
    return {**spread, **own}


def written_inputs(node: GraphNode, ports: NodePorts) -> dict[str, JsonValue]:
    """`spread_inputs` without names that are no inputs of the node, and without nulls that only mean "not set"."""
    return {
        name: value
        for name, value in spread_inputs(node, ports).items()
        if (port := ports.input(name)) is not None and port.is_written(value)
    }
