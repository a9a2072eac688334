"""Node signatures as other programs' graphs expect them, compared with what a plugin declares.

A signature file holds, for each node type, its version, output and inputs (port, default, choices, bounds), as InvokeAI
publishes them: graphs and workflows made there must load here.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import annotated_types
from pydantic_core import PydanticUndefined

from impasto_sdk.node import InputSpec, NodeSpec

__all__ = ["read_signatures", "signature"]


def read_signatures(path: Path) -> dict[str, dict[str, Any]]:
    """The signatures of a file, by node type."""
    signatures: dict[str, dict[str, Any]] = json.loads(path.read_text("utf-8"))
    return signatures


def signature(spec: NodeSpec) -> dict[str, Any]:
    """What a node declares, in the form of a signature file."""
    return {
        "version": spec.version,
        "use_cache": spec.use_cache,
        "output_type": spec.output.output_type,
        "outputs": sorted(spec.outputs),
        "inputs": {name: _input(port) for name, port in spec.inputs.items()},
    }


def _input(port: InputSpec) -> dict[str, Any]:
    stated: dict[str, Any] = {"input": port.port.input.value}
    if port.required:
        stated["required"] = True
    default = port.field.default
    if default is not PydanticUndefined and default is not None:
        stated["default"] = default.model_dump() if hasattr(default, "model_dump") else default
    choices = list(_choices(port.annotation))
    if choices:
        stated["enum"] = choices
    bounds = dict(_bounds(port))
    if bounds:
        stated["bounds"] = bounds
    return stated


def _choices(annotation: object) -> Iterator[object]:
    if get_origin(annotation) is Literal:
        yield from get_args(annotation)


def _bounds(port: InputSpec) -> Iterator[tuple[str, float]]:
    for item in port.field.metadata:
        for name, kind in (
            ("ge", annotated_types.Ge),
            ("gt", annotated_types.Gt),
            ("le", annotated_types.Le),
            ("lt", annotated_types.Lt),
        ):
            if isinstance(item, kind):
                yield name, getattr(item, name)
