"""`NodeSpec`: what the rest of the platform knows of a node type, read off its class once.

Graph validation, the scheduler, the catalogue and the clients work with specs; only the worker that runs a node touches
its class. What a node *is* for the scheduler (`NodeKind`) is data, so the scheduler imports no node.
"""

import builtins
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, TypeAdapter
from pydantic.fields import FieldInfo

from impasto_sdk.fields import BaseInvocationOutput, Input, JsonValue, Port, port_of

if TYPE_CHECKING:  # a spec is made from a class of base.py, which needs this module
    from impasto_sdk.node.base import BaseInvocation

__all__ = ["Classification", "InputSpec", "Lane", "NodeKind", "NodeSpec", "OutputSpec"]


class NodeKind(StrEnum):
    """What a node type is for the scheduler.

    All but `PLAIN` and `RETURN` are control flow: the scheduler works out their outputs itself, from the inputs named
    here, and their `invoke` is never called in a run.
    """

    #: Runs once for each combination of the iterations above it.
    PLAIN = "plain"
    #: Runs like a plain node; what it gives as the dict ``values`` is what its graph gives back to a call. Takes
    #: ``values``, from nodes that take a ``key`` and a ``value``, directly or gathered.
    RETURN = "return"
    #: Takes a list ``collection``; gives ``item``, ``index``, ``total`` once for each item.
    ITERATE = "iterate"
    #: Takes many ``item`` and ``collection``; gives one list ``collection``. Closes the innermost iteration.
    COLLECT = "collect"
    #: Takes ``condition``, ``true_input``, ``false_input``; gives ``value``. Only the chosen side is run.
    BRANCH = "branch"
    #: Runs the graph that came with the node. Takes ``workflow_id`` and the dict ``workflow_inputs``; gives the dict
    #: ``values``, what that graph returned by key.
    CALL = "call"


class Lane(StrEnum):
    """Where a node type runs. Nodes on different lanes, and those on `CPU` and `IO`, run beside one another."""

    #: On the worker's device, one at a time.
    DEVICE = "device"
    #: On the CPU, a few at once.
    CPU = "cpu"
    #: Waiting for something outside, e.g. a provider; many at once.
    IO = "io"


class Classification(StrEnum):
    """How settled a node type is."""

    STABLE = "stable"
    BETA = "beta"
    PROTOTYPE = "prototype"
    DEPRECATED = "deprecated"
    INTERNAL = "internal"
    SPECIAL = "special"


@dataclass(frozen=True)
class _FieldSpec:
    """What inputs and outputs have in common."""

    name: str
    field: FieldInfo

    @property
    def annotation(self) -> Any:
        """The declared type: a class, a union, ``list[...]``, ``Literal[...]`` or ``Any``."""
        return self.field.annotation

    @property
    def port(self) -> Port:
        """Where an input's values may come from, and how a client draws the field."""
        return port_of(self.field)


class InputSpec(_FieldSpec):
    """One input of a node type."""

    @property
    def required(self) -> bool:
        """Whether it must be set or connected."""
        return self.field.is_required()

    @property
    def connectable(self) -> bool:
        """Whether an edge may lead into it."""
        return self.port.input is not Input.DIRECT

    @property
    def settable(self) -> bool:
        """Whether a value may be written into the node."""
        return self.port.input is not Input.CONNECTION

    @cached_property
    def adapter(self) -> TypeAdapter[Any]:
        """Checks one value for this input, with its bounds; raises pydantic's `ValidationError`."""
        checked: Any = Annotated[self.field.annotation, *self.field.metadata]
        if isinstance(self.annotation, builtins.type) and issubclass(self.annotation, BaseModel):
            return TypeAdapter(checked)  # a model brings its own configuration; pydantic takes no second one
        return TypeAdapter(checked, config=ConfigDict(coerce_numbers_to_str=True))


class OutputSpec(_FieldSpec):
    """One output of a node type."""


@dataclass(frozen=True, kw_only=True)
class NodeSpec:
    """A node type. Made by `@invocation`; find it as ``MyNode.spec``."""

    #: Name in graphs, e.g. ``img_resize``.
    type: str
    title: str
    #: The class's docstring: what the node does.
    description: str
    category: str
    tags: tuple[str, ...]
    #: Version of the node type, ``major.minor.patch``.
    version: str
    lane: Lane
    kind: NodeKind
    classification: Classification
    #: Whether results may be taken from the invocation cache, unless the graph says otherwise.
    use_cache: bool
    #: Whether `invoke` is a generator function, which yields the items of its output's list ``collection`` one by one
    #: and returns the whole output.
    yields: bool
    #: How many nodes of one `batch_key` one call of `invoke_batch` takes at most; 1: the type offers no groups.
    max_batch: int
    invocation: "builtins.type[BaseInvocation]"
    output: builtins.type[BaseInvocationOutput]
    inputs: dict[str, InputSpec]
    outputs: dict[str, OutputSpec]

    def to_document(self) -> dict[str, JsonValue]:
        """The node type for clients: its facts, and inputs and outputs as JSON Schema with `x-ui` hints."""
        return {
            "type": self.type,
            "title": self.title,
            "description": self.description,
            "category": self.category,
            "tags": list(self.tags),
            "version": self.version,
            "lane": self.lane.value,
            "kind": self.kind.value,
            "classification": self.classification.value,
            "use_cache": self.use_cache,
            "yields": self.yields,
            "max_batch": self.max_batch,
            "input_schema": _with_hints(self.invocation.model_json_schema(), self.inputs),
            "output_type": self.output.output_type,
            "output_schema": _with_hints(self.output.model_json_schema(mode="serialization"), self.outputs),
        }


def _with_hints(
    schema: dict[str, JsonValue], ports: "dict[str, InputSpec] | dict[str, OutputSpec]"
) -> dict[str, JsonValue]:
    """The schema with only the ports' properties, each with its hints."""
    properties = {}
    for name, spec in ports.items():
        port = spec.port
        hints: dict[str, JsonValue] = {
            "input": port.input.value if isinstance(spec, InputSpec) else None,
            "component": port.component.value if port.component else None,
            "hidden": port.hidden or None,
            "order": port.order,
            "choice_labels": dict(port.choice_labels) or None,
            "where": {fact: list(wanted) for fact, wanted in port.model_filter.items()} or None,
        }
        stated = {key: value for key, value in hints.items() if value is not None}
        properties[name] = {**schema["properties"][name], "x-ui": stated}
    return {**schema, "properties": properties}
