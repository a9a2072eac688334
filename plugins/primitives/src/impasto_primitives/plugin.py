"""The hooks of impasto-primitives."""

from collections.abc import Sequence

from impasto_primitives.nodes import NODES
from impasto_sdk.hookspecs import hookimpl
from impasto_sdk.node import BaseInvocation

__all__ = ["register_invocations"]


@hookimpl
def register_invocations() -> Sequence[type[BaseInvocation]]:
    """The value, maths, string, collection and control-flow nodes."""
    return NODES
