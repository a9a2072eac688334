"""`nearest_values`: the way out for a number that its input does not take: a width that is no multiple of 8, a bound.

Pure. Called where values are refused: by the check of a graph, and by the engine for what arrives over an edge.
"""

from typing import Any

from pydantic import TypeAdapter, ValidationError

__all__ = ["nearest_multiples", "nearest_values"]

#: pydantic's names for a bound that is passed, the fact that holds it, and how far beyond it a whole number may be.
_BOUNDS = {
    "greater_than_equal": ("ge", 0),
    "less_than_equal": ("le", 0),
    "greater_than": ("gt", 1),
    "less_than": ("lt", -1),
}


def nearest_values(adapter: TypeAdapter[Any], error: ValidationError, value: object) -> str | None:
    """The values next to `value` that `adapter` takes, in words; None when `error` is not about a number's size."""
    multiples = nearest_multiples(adapter, error, value)
    if multiples or not isinstance(value, int | float):
        return multiples
    for one in error.errors(include_url=False):
        if one["type"] in _BOUNDS:
            fact, step = _BOUNDS[one["type"]]
            nearest = one["ctx"][fact] + step
            if _takes(adapter, nearest):
                return f"the nearest that it takes: {nearest}"
    return None


def nearest_multiples(adapter: TypeAdapter[Any], error: ValidationError, value: object) -> str | None:
    """The multiples next to `value` that `adapter` takes, in words; None when `error` is about something else."""
    steps = [one["ctx"]["multiple_of"] for one in error.errors(include_url=False) if one["type"] == "multiple_of"]
    if not steps or not isinstance(value, int | float):
        return None
    below = value // steps[0] * steps[0]
    near = [type(value)(one) for one in (below, below + steps[0])]
    taken = [str(one) for one in near if _takes(adapter, one)]
    return f"the nearest that it takes: {' or '.join(taken)}" if taken else None


def _takes(adapter: TypeAdapter[Any], value: object) -> bool:
    try:
        adapter.validate_python(value)
    except ValidationError:
        return False
    return True
