"""`node_problems`: what is wrong with one node, its edges left aside: its type, and the values written into it."""

from collections.abc import Collection, Iterator, Mapping
from reprlib import Repr
from typing import Literal, get_args, get_origin

from pydantic import ValidationError

from impasto.errors import Problem
from impasto.graph.compatibility import name_of_type
from impasto.graph.control_flow import COLLECTION, ITEM, WORKFLOW_INPUTS, call_input
from impasto.graph.edge import EdgeConnection
from impasto.graph.names import control_character, has_control_character
from impasto.graph.nearest import nearest_values
from impasto.graph.node import GraphNode
from impasto.graph.ports import InputPort, NodePorts, PortTable
from impasto.graph.suggestions import Suggester, say
from impasto.graph.written import spread_inputs
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
    """What is wrong with `node`; `connected` are the inputs of the graph that edges lead into, or a call's values.

    The value of a connected input is not looked at: what arrives over the edge takes its place.
    """
    ports = table.of_node(node)
    if ports is None:
        yield _unknown_type(node, table, suggester)
        return
    values = node.inputs
    if ports.kind is NodeKind.CALL:
        values = spread_inputs(node, ports)
        yield from _unknown_call_inputs(node, ports, suggester)
    for name, value in values.items():
        port = ports.inputs.get(name)
        if port is None:
            if has_control_character(name):
                yield control_character(f"{node.id!r}: the input {name!r}", name, node_id=node.id, field=name)
            elif ports.input(name) is None:
                yield _unknown_field(node, name, ports, suggester)
        elif port.is_written(value) and (node.id, name) not in connected:
            problem = _value_problem(node, port, value, suggester)
            if problem is not None:
                yield problem
    yield from _missing(node, ports, values, connected)


def _unknown_call_inputs(node: GraphNode, ports: NodePorts, suggester: Suggester) -> Iterator[Problem]:
    """The names in a call's `workflow_inputs` that cannot be those of a called graph's inputs."""
    together = node.inputs.get(WORKFLOW_INPUTS)
    if isinstance(together, dict) and not ports.unresolved:
        for name in together:
            if not isinstance(name, str) or call_input(name) is None:
                yield _unknown_field(node, str(name), ports, suggester)


def _missing(
    node: GraphNode, ports: NodePorts, values: Mapping[str, JsonValue], connected: Collection[EdgeConnection]
) -> Iterator[Problem]:
    # values that arrive in one object are not known before the run
    arriving = ports.kind is NodeKind.CALL and (node.id, WORKFLOW_INPUTS) in connected
    for name in ports.required:
        if (node.id, name) in connected or (arriving and call_input(name) is not None):
            continue
        port = ports.inputs[name]
        if name not in values or not port.is_written(values[name]):
            yield _missing_input(node, port)
    needs_a_list = ports.kind in (NodeKind.ITERATE, NodeKind.COLLECT) and COLLECTION not in ports.required
    if not needs_a_list or (node.id, COLLECTION) in connected or values.get(COLLECTION) is not None:
        return
    if ports.kind is NodeKind.ITERATE or (node.id, ITEM) not in connected:
        yield _missing_input(node, ports.inputs[COLLECTION])


def _missing_input(node: GraphNode, port: InputPort) -> Problem:
    expected = name_of_type(port.type)
    ways = [way for way, open in (("set", port.settable), ("connected", port.connectable)) if open]
    fixes = (f"write {expected} into it" if port.settable else "", f"connect {expected}" if port.connectable else "")
    return Problem(
        "missing_input",
        f"{node.id} ({node.type}): {port.name!r} must be {' or '.join(ways)}; it takes {expected}",
        node_id=node.id,
        field=port.name,
        expected=expected,
        suggestion=" or ".join(filter(None, fixes)),
    )


def _value_problem(node: GraphNode, port: InputPort, value: JsonValue, suggester: Suggester) -> Problem | None:
    if not port.settable:
        suggestion = "lead an edge into it"
        return Problem(
            "connection_only",
            say(f"{node.id}.{port.name} = {_SHORT.repr(value)}: it takes no value, only an edge", suggestion),
            node_id=node.id,
            field=port.name,
            found=value,
            expected="an edge",
            suggestion=suggestion,
        )
    try:
        port.adapter.validate_python(value)
    except ValidationError as error:
        expected = name_of_type(port.type)
        suggestion_or_none = _way_out(port, error, value, suggester)
        return Problem(
            "invalid_value",
            say(f"{node.id}.{port.name} = {_SHORT.repr(value)}: {_explain(error)}", suggestion_or_none),
            node_id=node.id,
            field=port.name,
            found=value,
            expected=expected,
            suggestion=suggestion_or_none or f"write {expected} into it",
        )
    return None


def _way_out(port: InputPort, error: ValidationError, value: JsonValue, suggester: Suggester) -> str | None:
    """A value near `value` that would do."""
    choices = get_args(port.type) if get_origin(port.type) is Literal else ()
    if isinstance(value, str) and choices and all(isinstance(choice, str) for choice in choices):
        return suggester.did_you_mean(value, choices)
    return nearest_values(port.adapter, error, value)


def _explain(error: ValidationError) -> str:
    """pydantic's first words on it, with the place inside the value; for a union, what each member says."""
    lines: dict[str, None] = {}
    for each in error.errors(include_url=False, include_context=False, include_input=False):
        place = ".".join(str(part) for part in each["loc"])
        lines[f"{place}: {each['msg']}" if place else each["msg"]] = None
    return "; ".join(list(lines)[:3])


def _unknown_type(node: GraphNode, table: PortTable, suggester: Suggester) -> Problem:
    message = f"{node.id}: no plugin supplies the node type {node.type!r}"
    if node.node_pack:
        message += f"; the graph was saved with it from {node.node_pack!r}"
        suggestion = f"install or mend the plugin {node.node_pack!r}"
    else:
        near = suggester.did_you_mean(node.type, table.node_types)
        suggestion = near or "install the plugin that supplies it"
    return Problem(
        "unknown_node_type",
        say(message, suggestion),
        node_id=node.id,
        field="type",
        found=node.type,
        expected="a node type of the catalogue",
        suggestion=suggestion,
    )


def _unknown_field(node: GraphNode, name: str, ports: NodePorts, suggester: Suggester) -> Problem:
    suggestion = suggester.did_you_mean(name, ports.inputs) or "leave it out"
    expected = ", ".join(ports.inputs) or "no inputs"
    return Problem(
        "unknown_field",
        say(f"{node.id}: node type {node.type!r} has no input {name!r}, it has {expected}", suggestion),
        node_id=node.id,
        field=name,
        found=name,
        expected=expected,
        suggestion=suggestion,
    )
