"""`InputField` and `OutputField`: how a node class says what its inputs and outputs are.

Both are pydantic fields with the platform's own facts beside them, kept in one `Port` in the field's metadata. The
author's annotation, default and bounds are what runs: nothing is made optional behind the author's back.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydantic import Field
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

__all__ = ["Input", "InputField", "OutputField", "Port", "UIComponent", "port_of"]


class Input(StrEnum):
    """Where the value of an input may come from."""

    #: From an edge or written into the node.
    ANY = "any"
    #: Only from an edge, e.g. latents.
    CONNECTION = "connection"
    #: Only written into the node, e.g. a board.
    DIRECT = "direct"


class UIComponent(StrEnum):
    """How a client should draw a field, where its type leaves a choice."""

    NONE = "none"
    TEXTAREA = "textarea"
    SLIDER = "slider"
    #: A choice among the saved workflows; the value is the chosen one's id.
    WORKFLOW = "workflow"


@dataclass(frozen=True, slots=True)
class Port:
    """The platform's facts about one input or output."""

    #: Where an input's value may come from; an output is always `ANY`.
    input: Input = Input.ANY
    #: Name shown to a person; None: made from the field's name.
    title: str | None = None
    #: How to draw it.
    component: UIComponent | None = None
    #: Kept out of the client's view.
    hidden: bool = False
    #: Place among the node's fields; None: in order of declaration.
    order: int | None = None
    #: Labels of a choice's values.
    choice_labels: Mapping[str, str] = field(default_factory=dict)
    #: Facts that a chosen model must have: ``{"type": ["main"], "base": ["sd-1"]}``.
    model_filter: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def port_of(info: FieldInfo) -> Port:
    """The `Port` of a pydantic field; a plain one for a field declared without `InputField`."""
    for item in info.metadata:
        if isinstance(item, Port):
            return item
    return Port()


# InputField and OutputField return Any, as pydantic's Field does: `width: int = InputField(512)` must type-check.
def InputField(
    default: Any = PydanticUndefined,
    *,
    default_factory: Callable[[], Any] | None = None,
    description: str | None = None,
    title: str | None = None,
    input: Input = Input.ANY,
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
    multiple_of: float | None = None,
    min_length: int | None = None,
    max_length: int | None = None,
    pattern: str | None = None,
    ui_component: UIComponent | None = None,
    ui_hidden: bool = False,
    ui_order: int | None = None,
    ui_choice_labels: Mapping[str, str] | None = None,
    ui_model_type: str | tuple[str, ...] | None = None,
    ui_model_base: str | tuple[str, ...] | None = None,
    ui_model_format: str | tuple[str, ...] | None = None,
    ui_model_provider: str | tuple[str, ...] | None = None,
) -> Any:
    """Declare an input of a node.

    Without `default` and `default_factory` the input is required: it must be set or connected before the graph is
    queued. The bounds (`ge`, `gt`, `le`, `lt`, `multiple_of`, lengths, `pattern`) hold for values written into the
    node and for values that arrive on an edge. The `ui_model_*` filters narrow the models a client offers.
    """
    filters = {"type": ui_model_type, "base": ui_model_base, "format": ui_model_format, "provider": ui_model_provider}
    port = Port(
        input=input,
        title=title,
        component=ui_component,
        hidden=ui_hidden,
        order=ui_order,
        choice_labels=dict(ui_choice_labels or {}),
        model_filter={
            fact: (wanted,) if isinstance(wanted, str) else tuple(wanted)
            for fact, wanted in filters.items()
            if wanted is not None
        },
    )
    bounds = {
        name: bound
        for name, bound in {
            "ge": ge,
            "gt": gt,
            "le": le,
            "lt": lt,
            "multiple_of": multiple_of,
            "min_length": min_length,
            "max_length": max_length,
            "pattern": pattern,
        }.items()
        if bound is not None
    }
    return _field(default, default_factory, description, title, bounds, port)


def OutputField(
    default: Any = PydanticUndefined,
    *,
    description: str | None = None,
    title: str | None = None,
    ui_hidden: bool = False,
    ui_order: int | None = None,
) -> Any:
    """Declare an output of a node, in a subclass of `BaseInvocationOutput`."""
    return _field(default, None, description, title, {}, Port(title=title, hidden=ui_hidden, order=ui_order))


def _field(
    default: Any,
    default_factory: Callable[[], Any] | None,
    description: str | None,
    title: str | None,
    bounds: Mapping[str, Any],
    port: Port,
) -> FieldInfo:
    kwargs: dict[str, Any] = {"description": description, "title": title, **bounds}
    if default_factory is not None:
        info = Field(default_factory=default_factory, **kwargs)
    elif default is PydanticUndefined:
        info = Field(**kwargs)
    else:
        info = Field(default, **kwargs)
    assert isinstance(info, FieldInfo)  # pydantic types Field() as Any, so that defaults type-check
    info.metadata.append(port)
    return info
