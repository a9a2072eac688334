"""`PortTable`: what a check needs to know of node types, looked up once for each type instead of once for each node."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from impasto.graph.compatibility import plain_type
from impasto_sdk.node import InputSpec, NodeKind, NodeSpec

__all__ = ["InputPort", "NodePorts", "PortTable"]


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
        return value is not None or (self.settable and not self.required)


#: What an input that a node class allows but does not declare takes.
OPEN_INPUT = InputPort("", Any, required=False, connectable=True, settable=True, spec=None)


@dataclass(frozen=True, slots=True)
class NodePorts:
    """The ports of one node type."""

    kind: NodeKind
    inputs: Mapping[str, InputPort]
    #: Types of the outputs, as `plain_type` gives them.
    outputs: Mapping[str, Any]
    #: Inputs that must be set or connected.
    required: tuple[str, ...]
    #: Whether it takes inputs that it does not declare (its class says ``extra="allow"``).
    open: bool

    def input(self, name: str) -> InputPort | None:
        """The input, declared or allowed; None when there is none of that name."""
        return self.inputs.get(name) or (OPEN_INPUT if self.open else None)


class PortTable:
    """The ports of node types, by type name."""

    def __init__(self, catalogue: Mapping[str, NodeSpec]) -> None:
        self._catalogue = catalogue
        self._ports: dict[str, NodePorts | None] = {}

    @property
    def node_types(self) -> Mapping[str, NodeSpec]:
        """The catalogue."""
        return self._catalogue

    def of(self, node_type: str) -> NodePorts | None:
        """The ports; None for a type that the catalogue lacks."""
        try:
            return self._ports[node_type]
        except KeyError:
            spec = self._catalogue.get(node_type)
            ports = _ports_of(spec) if spec else None
            self._ports[node_type] = ports
            return ports


def _ports_of(spec: NodeSpec) -> NodePorts:
    inputs = {
        name: InputPort(name, plain_type(each.annotation), each.required, each.connectable, each.settable, each)
        for name, each in spec.inputs.items()
    }
    return NodePorts(
        kind=spec.kind,
        inputs=inputs,
        outputs={name: plain_type(each.annotation) for name, each in spec.outputs.items()},
        required=tuple(name for name, each in inputs.items() if each.required),
        open=spec.invocation.model_config.get("extra") == "allow",
    )
