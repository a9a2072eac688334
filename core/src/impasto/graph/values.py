"""`node_problems`: what is wrong with one node, its edges left aside: its type, and the values written into it."""

from collections.abc import Collection, Iterator
from reprlib import Repr

from pydantic import ValidationError

from impasto.errors import Problem
from impasto.graph.compatibility import name_of_type
from impasto.graph.control_flow import COLLECTION, ITEM
from impasto.graph.edge import EdgeConnection
from impasto.graph.nearest import nearest_multiples
from impasto.graph.node import GraphNode
from impasto.graph.ports import InputPort, NodePorts, PortTable
from impasto.graph.suggestions import Suggester
from impasto_sdk.fields import JsonValue
from impasto_sdk.node import NodeKind

__all__ = ["node_problems"]

#: Values in messages are shortened: a prompt may be long.
_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = 60
_SHORT.maxlist = _SHORT.maxdict = 4


def node_problems(
    node: GraphNode, connected: Collection[EdgeConnection], table: PortTable, suggester: Suggester
) -> Iterator[Problem]:
    """What is wrong with `node`; `connected` are the inputs of the graph that edges lead into.

    The value of a connected input is not looked at: what arrives over the edge takes its place.
    """
    ports = table.of(node.type)
    if ports is None:
        yield _unknown_type(node, table, suggester)
        return
    for name, value in node.inputs.items():
        port = ports.inputs.get(name)
        if port is None:
            if not ports.open:
                yield _unknown_field(node, name, ports, suggester)
        elif port.is_written(value) and (node.id, name) not in connected:
            problem = _value_problem(node, port, value)
            if problem is not None:
                yield problem
    yield from _missing(node, ports, connected)


def _missing(node: GraphNode, ports: NodePorts, connected: Collection[EdgeConnection]) -> Iterator[Problem]:
    for name in ports.required:
        if (node.id, name) in connected:
            continue
        port = ports.inputs[name]
        if name not in node.inputs or not port.is_written(node.inputs[name]):
            yield _missing_input(node, port)
    needs_a_list = ports.kind in (NodeKind.ITERATE, NodeKind.COLLECT) and COLLECTION not in ports.required
    if not needs_a_list or (node.id, COLLECTION) in connected or node.inputs.get(COLLECTION) is not None:
        return
    if ports.kind is NodeKind.ITERATE or (node.id, ITEM) not in connected:
        yield _missing_input(node, ports.inputs[COLLECTION])


def _missing_input(node: GraphNode, port: InputPort) -> Problem:
    ways = [way for way, open in (("set", port.settable), ("connected", port.connectable)) if open]
    return Problem(
        "missing_input",
        f"{node.id} ({node.type}): {port.name!r} must be {' or '.join(ways)}; it takes {name_of_type(port.type)}",
        node_id=node.id,
        field=port.name,
        expected=name_of_type(port.type),
    )


def _value_problem(node: GraphNode, port: InputPort, value: JsonValue) -> Problem | None:
    if not port.settable:
        return Problem(
            "connection_only",
            f"{node.id}.{port.name} = {_SHORT.repr(value)}: it takes no value, only an edge",
            node_id=node.id,
            field=port.name,
            found=value,
            expected="an edge",
        )
    try:
        port.adapter.validate_python(value)
    except ValidationError as error:
        message = f"{node.id}.{port.name} = {_SHORT.repr(value)}: {_explain(error)}"
        suggestion = nearest_multiples(port.adapter, error, value)
        return Problem(
            "invalid_value",
            f"{message}; {suggestion}" if suggestion else message,
            node_id=node.id,
            field=port.name,
            found=value,
            expected=name_of_type(port.type),
            suggestion=suggestion,
        )
    return None


def _explain(error: ValidationError) -> str:
    """pydantic's first words on it, with the place inside the value; for a union, what each member says."""
    lines: dict[str, None] = {}
    for each in error.errors(include_url=False, include_context=False, include_input=False):
        place = ".".join(str(part) for part in each["loc"])
        lines[f"{place}: {each['msg']}" if place else each["msg"]] = None
    return "; ".join(list(lines)[:3])


def _unknown_type(node: GraphNode, table: PortTable, suggester: Suggester) -> Problem:
    suggestion = suggester.did_you_mean(node.type, table.node_types)
    message = f"{node.id}: no plugin supplies the node type {node.type!r}"
    if node.node_pack:
        message += f"; the graph was saved with it from {node.node_pack!r}, so install or mend that plugin"
    elif suggestion:
        message += f"; {suggestion}"
    return Problem(
        "unknown_node_type",
        message,
        node_id=node.id,
        found=node.type,
        expected="a node type of the catalogue",
        suggestion=f"install or mend the plugin {node.node_pack!r}" if node.node_pack else suggestion,
    )


def _unknown_field(node: GraphNode, name: str, ports: NodePorts, suggester: Suggester) -> Problem:
    suggestion = suggester.did_you_mean(name, ports.inputs)
    expected = ", ".join(ports.inputs) or "no inputs"
    message = f"{node.id}: node type {node.type!r} has no input {name!r}, it has {expected}"
    return Problem(
        "unknown_field",
        f"{message}; {suggestion}" if suggestion else message,
        node_id=node.id,
        field=name,
        found=name,
        expected=expected,
        suggestion=suggestion,
    )
