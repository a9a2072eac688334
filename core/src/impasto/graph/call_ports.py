"""`call_ports`: what a call takes and gives beyond what its type declares, read off the graph that it calls.

An input for each input of that graph which may be set from outside, and an output for each key that it returns. Used by
`PortTable`, so that checks and the scheduler see a call like any other node.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from impasto.graph.called import CalledGraph
from impasto.graph.control_flow import RETURN_KEY, RETURN_VALUE, VALUES, call_input_name, call_output
from impasto.graph.element_types import TypeResolver
from impasto.graph.node import GraphNode
from impasto.graph.node_ports import InputPort, NodePorts
from impasto.graph.written import written_inputs
from impasto_sdk.node import NodeKind

if TYPE_CHECKING:  # the table asks for a call's ports, and they depend on those of the nodes it calls
    from impasto.graph.graph import Graph
    from impasto.graph.ports import PortTable

__all__ = ["call_ports", "return_nodes", "returned_values"]

#: Nodes that hand on what leads into them, on the way from a value to the return.
_HANDING_ON = (NodeKind.COLLECT, NodeKind.BRANCH)


def call_ports(called: CalledGraph, declared: NodePorts, table: "PortTable") -> NodePorts:
    """The ports of a call of `called`: `declared` ones first, then those that the graph brings."""
    inputs = dict(_inputs(called, table))
    return replace(
        declared,
        inputs={**declared.inputs, **inputs},
        outputs={**declared.outputs, **_outputs(called.graph, table)},
        required=(*declared.required, *(name for name, port in inputs.items() if port.required)),
        unresolved=False,
    )


def return_nodes(graph: "Graph", table: "PortTable") -> list[str]:
    """The nodes that give back the values of a called graph; there should be one."""
    return [
        node_id
        for node_id, node in graph.nodes.items()
        if (ports := table.of(node.type)) is not None and ports.kind is NodeKind.RETURN
    ]


def _inputs(called: CalledGraph, table: "PortTable") -> Iterator[tuple[str, InputPort]]:
    connected = {destination for _, destination in called.graph.adjacency}
    for input in called.inputs:
        node = called.graph.nodes.get(input.node_id)
        ports = table.of_node(node) if node else None
        port = ports.input(input.field) if ports else None
        if node is not None and ports is not None and port is not None:
            name = call_input_name(input)
            is_set = input in connected or input.field in written_inputs(node, ports)
            yield name, replace(port, name=name, required=port.required and not is_set)


def returned_values(graph: "Graph", return_id: str, table: "PortTable") -> Iterator[tuple[str, GraphNode, bool]]:
    """What reaches a return: keys that are written, their nodes, and whether a branch on the way may leave one out."""
    waiting = [(each.source, False) for each in graph.adjacency.incoming(return_id) if each.destination.field == VALUES]
    seen = {source.node_id for source, _ in waiting}
    for source, is_chosen in waiting:  # grows while it is walked
        node = graph.nodes.get(source.node_id)
        ports = table.of(node.type) if node else None
        if node is None or ports is None:
            continue
        if RETURN_KEY in ports.inputs and RETURN_VALUE in ports.inputs:
            key = node.inputs.get(RETURN_KEY)
            if isinstance(key, str) and key:
                yield key, node, is_chosen
        elif ports.kind in _HANDING_ON:
            for before, _ in graph.adjacency.incoming(node.id):
                if before.node_id not in seen:
                    seen.add(before.node_id)
                    waiting.append((before, is_chosen or ports.kind is NodeKind.BRANCH))


def _outputs(graph: "Graph", table: "PortTable") -> Mapping[str, Any]:
    """The types of what is returned, by output; a key of several nodes, of which a branch chooses, gives anything."""
    types = TypeResolver(graph.nodes, graph.adjacency, table)
    arriving: dict[str, set[Any]] = {}
    for return_id in return_nodes(graph, table):
        for key, node, _ in returned_values(graph, return_id, table):
            given = None
            for source, destination in graph.adjacency.incoming(node.id):
                if destination.field == RETURN_VALUE:
                    given = types.output_type(source)
            arriving.setdefault(call_output(key), set()).add(Any if given is None else given)
    return {name: given.pop() if len(given) == 1 else Any for name, given in arriving.items()}
