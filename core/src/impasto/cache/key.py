"""`invocation_key`: one name for all executions that must give the same result.

The same type, in the same version, from the same version of its plugin, with the same inputs. A node's id, and whether
it is intermediate or cached, make no difference to what it gives and are no part of it.
"""

import json
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from pydantic_core import PydanticSerializationError, to_jsonable_python

from impasto.errors import NodeInputError
from impasto_sdk.node import NodeSpec

__all__ = ["invocation_key"]

#: One spelling for each value: keys sorted, no spaces, pydantic values as their documents.
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=to_jsonable_python)


def invocation_key(spec: NodeSpec, plugin_version: str, inputs: Mapping[str, Any]) -> str:
    """The key of an execution: 40 hexadecimal digits (160 bits of BLAKE2b).

    `inputs` are the hydrated values by name; their order, and that of keys in them, makes no difference. Raises
    `NodeInputError` for a value that JSON cannot hold: such an execution cannot be cached.
    """
    return blake2b(_canonical([spec.type, spec.version, plugin_version, inputs]), digest_size=20).hexdigest()


def _canonical(value: object) -> bytes:
    try:
        return _ENCODER.encode(value).encode()
    except (PydanticSerializationError, TypeError, ValueError) as error:
        raise NodeInputError(f"inputs that JSON cannot hold have no cache key: {error}", value=value) from error
