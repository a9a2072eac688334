"""Node classes: how they are declared, and what the platform knows of them."""

from impasto_sdk.node.base import BaseInvocation, WithBoard, WithMetadata, invocation
from impasto_sdk.node.spec import Classification, InputSpec, Lane, NodeKind, NodeSpec, OutputSpec

__all__ = [
    "BaseInvocation",
    "Classification",
    "InputSpec",
    "Lane",
    "NodeKind",
    "NodeSpec",
    "OutputSpec",
    "WithBoard",
    "WithMetadata",
    "invocation",
]
