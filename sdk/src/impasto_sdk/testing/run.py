"""`run_node`: run one node as a worker would, and hold it to what it declares."""

import json
from typing import ClassVar, Protocol, TypeVar

from impasto_sdk.context import InvocationContext
from impasto_sdk.fields import BaseInvocationOutput
from impasto_sdk.node import BaseInvocation, NodeSpec
from impasto_sdk.testing.context import FakeContext

__all__ = ["Runnable", "run_node"]

OutputT_co = TypeVar("OutputT_co", bound=BaseInvocationOutput, covariant=True)


class Runnable(Protocol[OutputT_co]):
    """A node, as a type checker sees it: what its `invoke` is annotated with is what `run_node` gives."""

    spec: ClassVar[NodeSpec]

    def invoke(self, context: InvocationContext) -> OutputT_co:
        """See `BaseInvocation.invoke`."""
        ...


def run_node(invocation: Runnable[OutputT_co], context: FakeContext | None = None) -> OutputT_co:
    """Run one node, in a fresh `FakeContext` unless one is given, and give its output.

    What the node raises passes through. Raises `AssertionError` when the output is not of the class that the node
    declares, cannot be written as JSON or does not fit its own schema; or when a model is still locked.
    """
    context = context or FakeContext()
    assert isinstance(invocation, BaseInvocation), f"{invocation!r} is no node: it does not derive from BaseInvocation"
    context.bind(invocation)
    output = invocation.invoke(context)
    spec = invocation.spec
    if not isinstance(output, spec.output):
        raise AssertionError(f"{spec.type} gave {output!r}; it declares {spec.output.__name__}")
    try:
        document = json.loads(json.dumps(output.to_document(), allow_nan=False))
        spec.output.model_validate(document)
    except ValueError as error:  # pydantic's ValidationError is one, too
        raise AssertionError(f"{spec.type} gave {output!r}, which does not survive as a document: {error}") from error
    if context.models.locked:
        raise AssertionError(f"{spec.type} left models locked: {', '.join(context.models.locked)}")
    return output
