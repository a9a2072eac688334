"""The hooks of impasto-image."""

from collections.abc import Sequence

from impasto_image.nodes import NODES
from impasto_sdk.hookspecs import hookimpl
from impasto_sdk.node import BaseInvocation

__all__ = ["register_invocations"]


@hookimpl
def register_invocations() -> Sequence[type[BaseInvocation]]:
    """The image and mask nodes."""
    return NODES
