"""`is_connectable`: whether a value of one declared type may go where another is declared.

A pure function of two types, remembered. The rules are InvokeAI's, so that its graphs load: equal types; `Any` on
either side; a member of a union, on either side; every member of a union; lists by their elements; a whole number as a
number; a number as text; a subclass; a text where a choice is wanted. What a rule lets through is checked once more, by
the node itself, when the value arrives.
"""

from functools import lru_cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

__all__ = ["element_type", "is_connectable", "list_of", "name_of_type", "plain_type"]


def plain_type(annotation: Any) -> Any:
    """The type without what pydantic hangs on it, with one spelling for unions and for lists of anything."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return plain_type(get_args(annotation)[0])
    if origin is Union or origin is UnionType:
        return Union[tuple(plain_type(member) for member in get_args(annotation))]  # noqa: UP007 - made at run time
    if annotation is list:
        return list[Any]
    if origin is list:
        return list_of(plain_type(get_args(annotation)[0]))
    if origin in (dict, set, frozenset, tuple):
        return origin[tuple(plain_type(each) for each in get_args(annotation))]
    return Any if annotation is object else annotation


def list_of(element: Any) -> Any:
    """The type of a list of `element`."""
    return list[element]


def element_type(collection: Any) -> Any:
    """The type of one item of a `plain_type`; `Any` when it says nothing about its items."""
    if get_origin(collection) is list:
        return get_args(collection)[0]
    if get_origin(collection) is Union:
        elements = {get_args(member)[0] for member in get_args(collection) if get_origin(member) is list}
        if len(elements) == 1:
            return elements.pop()
    return Any


@lru_cache(maxsize=4096)
def is_connectable(source: Any, target: Any) -> bool:
    """Whether an output of type `source` may lead into an input of type `target`; both as `plain_type` gives them."""
    if source == target or source is Any or target is Any:
        return True
    if get_origin(source) is Union:
        return _union_fits(source, target)
    if get_origin(target) is Union:
        return any(is_connectable(source, member) for member in get_args(target))
    if get_origin(source) is list and get_origin(target) is list:
        return is_connectable(get_args(source)[0], get_args(target)[0])
    if get_origin(source) is Literal or get_origin(target) is Literal:
        return _choice_fits(source, target)
    return _class_fits(source, target)


def _union_fits(source: Any, target: Any) -> bool:
    """Every member fits; or the target is one of the members, and the value decides when it arrives."""
    members = get_args(source)
    return target in members or all(is_connectable(member, target) for member in members if member is not NoneType)


def _choice_fits(source: Any, target: Any) -> bool:
    """A choice is as good as its values' types; two choices need a value in common."""
    if get_origin(source) is Literal and get_origin(target) is Literal:
        return not set(get_args(source)).isdisjoint(get_args(target))
    if get_origin(source) is Literal:
        return all(is_connectable(kind, target) for kind in _kinds_of_values(source))
    # a number is no choice among texts: only a text that is given may turn out to be one of them
    return isinstance(source, type) and any(_is_subclass(source, kind) for kind in _kinds_of_values(target))


def _kinds_of_values(choice: Any) -> set[type]:
    return {type(value) for value in get_args(choice)}


def _class_fits(source: Any, target: Any) -> bool:
    if source is int and target is float:
        return True
    if source in (int, float) and target is str:
        return True
    # generic classes (dict[str, int]) are compared whole, above
    return isinstance(source, type) and isinstance(target, type) and _is_subclass(source, target)


def _is_subclass(source: type, target: type) -> bool:
    return get_origin(source) is None and get_origin(target) is None and issubclass(source, target)


def name_of_type(annotation: Any) -> str:
    """The type as a person writes it: ``int``, ``list[ImageField]``, ``'fast' or 'fine'``, ``int or nothing``."""
    arguments = get_args(annotation)
    match get_origin(annotation):
        case origin if origin is Union:
            return " or ".join(map(name_of_type, arguments))
        case origin if origin is Literal:
            return " or ".join(map(repr, arguments))
        case origin if origin is list:
            return f"list[{name_of_type(arguments[0])}]"
    if annotation is Any or annotation is NoneType:
        return "anything" if annotation is Any else "nothing"
    return getattr(annotation, "__name__", str(annotation)) if not arguments else str(annotation)
