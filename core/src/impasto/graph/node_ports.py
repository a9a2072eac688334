"""`NodePorts`: what a check and the scheduler need to know of a node's inputs and outputs.

Read off a node type's spec once; a call has more, which `impasto.graph.call_ports` works out. Kept by `PortTable`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from impasto.graph.compatibility import plain_type
from impasto.graph.control_flow import call_input, call_output_key
from impasto_sdk.node import InputSpec, NodeKind, NodeSpec

__all__ = ["InputPort", "NodePorts", "declared_ports"]


@dataclass(frozen=True, slots=True)
class InputPort:
    """One input of a node type."""

    name: str
    #: The declared type, as `plain_type` gives it.
    type: Any
    #: It must be set or connected.
    required: bool
    #: An edge may lead into it.
    connectable: bool
    #: A value may be written into it.
    settable: bool
    #: Null is a value, and does not mean that it is not set.
    takes_null: bool
    #: Where its checker comes from; building that costs, and many inputs are never written.
    spec: InputSpec | None

    @property
    def adapter(self) -> TypeAdapter[Any]:
        """Checks one written value."""
        return self.spec.adapter if self.spec else TypeAdapter(Any)

    def is_written(self, value: object) -> bool:
        """Whether `value`, as written in a document, says something.

        Documents of InvokeAI write null for what is not set; that is only a value where the input can do without one.
        """
        return value is not None or self.takes_null


#: What an input that a node class allows but does not declare takes.
OPEN_INPUT = InputPort("", Any, required=False, connectable=True, settable=True, takes_null=True, spec=None)


@dataclass(frozen=True, slots=True)
class NodePorts:
    """The ports of a node."""

    kind: NodeKind
    inputs: Mapping[str, InputPort]
    #: Types of the outputs, as `plain_type` gives them.
    outputs: Mapping[str, Any]
    #: Inputs that must be set or connected.
    required: tuple[str, ...]
    #: Whether it takes inputs that it does not declare (its class says ``extra="allow"``).
    open: bool
    #: Whether it is a call of which the graph is not known, so that any input or output of one may exist.
    unresolved: bool = False

    def input(self, name: str) -> InputPort | None:
        """The input, declared or allowed; None when there is none of that name."""
        port = self.inputs.get(name)
        if port is None and (self.open or (self.unresolved and call_input(name) is not None)):
            return OPEN_INPUT
        return port

    def output(self, name: str) -> Any | None:
        """The type of an output; None when there is none of that name."""
        given = self.outputs.get(name)
        if given is None and self.unresolved and call_output_key(name) is not None:
            return Any
        return given


def declared_ports(spec: NodeSpec) -> NodePorts:
    """The ports that a node type declares. Those of a call lack what it gets from the graph that it calls."""
    inputs = {
        name: InputPort(
            name,
            plain_type(each.annotation),
            required=each.required,
            connectable=each.connectable,
            settable=each.settable,
            takes_null=each.settable and not each.required,
            spec=each,
        )
        for name, each in spec.inputs.items()
    }
    return NodePorts(
        kind=spec.kind,
        inputs=inputs,
        outputs={name: plain_type(each.annotation) for name, each in spec.outputs.items()},
        required=tuple(name for name, each in inputs.items() if each.required),
        open=spec.invocation.model_config.get("extra") == "allow",
        unresolved=spec.kind is NodeKind.CALL,
    )
