"""`own_copy`: a value that a node may change without another node noticing.

Lists and dictionaries are copied, all the way down; texts, numbers and frozen pydantic values are shared, since
nothing can change them.
"""

from copy import deepcopy
from typing import Any

from pydantic import BaseModel

__all__ = ["own_copy"]

_SHARED = frozenset({str, int, float, bool, type(None), bytes})


def own_copy(value: Any) -> Any:
    """`value`, or a copy of it where it could be changed."""
    kind = type(value)
    if kind in _SHARED:
        return value
    if kind is list:
        # a list of a thousand numbers is copied at once
        return value.copy() if _SHARED.issuperset(map(type, value)) else [own_copy(item) for item in value]
    if kind is dict:
        return {key: own_copy(item) for key, item in value.items()}
    if isinstance(value, BaseModel) and value.model_config.get("frozen"):
        return value
    return deepcopy(value)
