"""`nearest_multiples`: the way out for a number that is not a multiple of what its input asks for, e.g. a width.

Pure. Called where values are refused: by the check of a graph, and by the engine for what arrives over an edge.
"""

from typing import Any

from pydantic import TypeAdapter, ValidationError

__all__ = ["nearest_multiples"]


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
