"""`ResultSpec`: what the annotation of a node's `invoke` says of what it gives, read and checked once.

There are two forms. ``-> IntegerOutput``: the node returns its output. ``-> Generator[int, None,
IntegerCollectionOutput]``: the node yields the items of its output's `collection` one by one, and returns the whole
output at the end. `@invocation` calls this; nobody else does.
"""

import collections.abc
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_origin, get_type_hints

from impasto_sdk.errors import NodeDeclarationError
from impasto_sdk.fields import BaseInvocationOutput

__all__ = ["ResultSpec", "result_of"]

#: What a node that yields may be annotated with by mistake: it says nothing of the output.
_STREAMS = frozenset({collections.abc.Iterator, collections.abc.Iterable})
#: What a generator may be annotated to be sent. `typing` makes None its class, `collections.abc` leaves it.
_NOTHING_SENT = (None, type(None), Any)


@dataclass(frozen=True, slots=True)
class ResultSpec:
    """What `invoke` gives."""

    #: The class of the output that it returns.
    output: type[BaseInvocationOutput]
    #: Whether it yields the output's items before it returns.
    yields: bool


def result_of(invoke: Callable[..., Any], node_type: str) -> ResultSpec:
    """Read the return annotation of `invoke`. Raises `NodeDeclarationError`, saying what to write instead."""
    annotation = _return_annotation(invoke, node_type)
    origin = get_origin(annotation) or annotation
    if origin in _STREAMS:
        raise NodeDeclarationError(
            node_type,
            f"invoke says {annotation!r}; a node that yields says Generator[T, None, Output], and returns the output "
            "at the end",
        )
    yields = origin is collections.abc.Generator
    output = _generated_output(annotation, node_type) if yields else annotation
    _check_output(output, node_type)
    if yields:
        _check_items(output, get_args(annotation)[0], node_type)
    _check_body(invoke, yields, node_type)
    return ResultSpec(output, yields)


def _return_annotation(invoke: Callable[..., Any], node_type: str) -> Any:
    try:
        hints: Mapping[str, Any] = get_type_hints(invoke)
    except NameError as error:
        raise NodeDeclarationError(
            node_type,
            f"an annotation of invoke cannot be resolved ({error}); import its class at the top of the module",
        ) from error
    return hints.get("return")


def _generated_output(annotation: Any, node_type: str) -> Any:
    """The third argument of a `Generator`."""
    arguments = get_args(annotation)
    if len(arguments) != 3 or arguments[1] not in _NOTHING_SENT:
        raise NodeDeclarationError(
            node_type,
            f"invoke says {annotation!r}; write Generator[T, None, Output]: what it yields, None because nothing is "
            "sent to it, and what it returns",
        )
    return arguments[2]


def _check_output(output: Any, node_type: str) -> None:
    if not (isinstance(output, type) and issubclass(output, BaseInvocationOutput)):
        raise NodeDeclarationError(
            node_type, f"invoke must be annotated with its output class, e.g. '-> ImageOutput'; it says {output!r}"
        )
    if not output.output_type:
        raise NodeDeclarationError(node_type, f"{output.__name__} lacks @invocation_output('its_name')")


def _check_items(output: type[BaseInvocationOutput], item: Any, node_type: str) -> None:
    """Hold what is yielded to the elements of the output's list."""
    field = output.model_fields.get("collection")
    if field is None or get_origin(field.annotation) is not list:
        raise NodeDeclarationError(
            node_type,
            f"a node that yields gives a list of its items; declare 'collection: list[...]' in {output.__name__}, or "
            "return the output without yielding",
        )
    (element,) = get_args(field.annotation)
    if item != element:
        raise NodeDeclarationError(
            node_type,
            f"invoke yields {_name(item)}, and {output.__name__}.collection is a list of {_name(element)}; both must "
            f"be the same: Generator[{_name(element)}, None, {output.__name__}]",
        )


def _check_body(invoke: Callable[..., Any], yields: bool, node_type: str) -> None:
    if inspect.isgeneratorfunction(invoke) is yields:
        return
    if yields:
        problem = (
            "invoke is annotated as a Generator but has no yield of its own; yield its items, or return the output"
        )
    else:
        problem = "invoke has a yield in it; annotate it with Generator[T, None, Output], or take the yield out"
    raise NodeDeclarationError(node_type, problem)


def _name(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)
