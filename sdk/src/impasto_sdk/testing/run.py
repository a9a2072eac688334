"""`run_node`: run one node as a worker would, and hold it to what it declares.

`stream_node` runs one that yields, item by item; `run_group` runs several nodes as one call.
"""

import json
from collections.abc import Generator, Sequence
from typing import Any, ClassVar, Protocol, TypeVar, overload

from pydantic_core import to_jsonable_python

from impasto_sdk.context import InvocationContext
from impasto_sdk.fields import BaseInvocationOutput, JsonValue
from impasto_sdk.node import BaseInvocation, NodeSpec
from impasto_sdk.testing.context import FakeContext

__all__ = ["Runnable", "Streamable", "run_group", "run_node", "stream_node"]

ItemT = TypeVar("ItemT")
ItemT_co = TypeVar("ItemT_co", covariant=True)
OutputT = TypeVar("OutputT", bound=BaseInvocationOutput)
OutputT_co = TypeVar("OutputT_co", bound=BaseInvocationOutput, covariant=True)


class Runnable(Protocol[OutputT_co]):
    """A node, as a type checker sees it: what its `invoke` is annotated with is what `run_node` gives."""

    spec: ClassVar[NodeSpec]

    def invoke(self, context: InvocationContext) -> OutputT_co:
        """See `BaseInvocation.invoke`."""
        ...


class Streamable(Protocol[ItemT_co, OutputT_co]):
    """A node that yields, as a type checker sees it: `stream_node` yields its items, `run_node` gives its output."""

    spec: ClassVar[NodeSpec]

    def invoke(self, context: InvocationContext) -> Generator[ItemT_co, None, OutputT_co]:
        """See `BaseInvocation.invoke`."""
        ...


@overload
def run_node(invocation: Runnable[OutputT], context: FakeContext | None = None) -> OutputT: ...
@overload
def run_node(invocation: Streamable[Any, OutputT], context: FakeContext | None = None) -> OutputT: ...
@overload
def run_node(invocation: BaseInvocation, context: FakeContext | None = None) -> BaseInvocationOutput: ...
def run_node(invocation: Any, context: FakeContext | None = None) -> Any:
    """Run one node, in a fresh `FakeContext` unless one is given, and give its output.

    A node that yields is run to its end; `stream_node` gives its items as well. What the node raises passes through.
    Raises `AssertionError` when the output is not of the class that the node declares, cannot be written as JSON, does
    not fit its own schema, or lists other items than were yielded; or when a model is still locked.
    """
    context = _bind(invocation, context)
    if not invocation.spec.yields:
        return _checked(invocation.spec, invocation.invoke(context), context)
    stream = _stream(invocation, context)
    while True:
        try:
            next(stream)
        except StopIteration as end:
            return end.value


def stream_node(
    invocation: Streamable[ItemT, OutputT], context: FakeContext | None = None
) -> Generator[ItemT, None, OutputT]:
    """Run a node that yields, item by item: the generator yields what it yields and returns its checked output.

    ``list(stream_node(node))`` gives all items. `next` runs the node to its next `yield` and no further, so that a test
    can look into the context in between; `close` ends it there, as the platform does when a session is cancelled.
    Raises `AssertionError` as `run_node` does, also when a model stays locked after a `close`.
    """
    context = _bind(invocation, context)
    assert invocation.spec.yields, f"{invocation.spec.type} does not yield; run it with run_node"
    return _stream(invocation, context)


def run_group(nodes: Sequence[Runnable[OutputT]], contexts: Sequence[FakeContext] | None = None) -> list[OutputT]:
    """Run nodes of one type as one call, and give their outputs in order.

    Each has a fresh `FakeContext` of its own unless one is given for each. What the call raises passes through. Raises
    `AssertionError` when they would not run as one call: their type offers no groups, or not of so many, or their batch
    keys are None or differ. Also when there is not one output for each, or one that `run_node` would refuse.
    """
    invocations: list[Any] = list(nodes)
    if contexts is None:
        contexts = [FakeContext() for _ in invocations]
    for invocation, context in zip(invocations, contexts, strict=True):
        _bind(invocation, context)
    spec = _check_group(invocations)
    outputs = spec.invocation.invoke_batch(invocations, contexts)
    assert isinstance(outputs, Sequence), f"{spec.type} gave {outputs!r} for a group; it must give a list of outputs"
    if len(outputs) != len(invocations):
        raise AssertionError(f"{spec.type} gave {len(outputs)} outputs for a group of {len(invocations)}")
    return [_checked(spec, output, context) for output, context in zip(outputs, contexts, strict=True)]


def _check_group(nodes: Sequence[BaseInvocation]) -> NodeSpec:
    types = sorted({node.spec.type for node in nodes})
    assert len(types) == 1, f"a group is of one type; these are {', '.join(types) or 'none'}"
    spec = nodes[0].spec
    assert spec.max_batch > 1, f"{spec.type} offers no groups; run its nodes with run_node"
    assert 2 <= len(nodes) <= spec.max_batch, f"{spec.type} takes 2 to {spec.max_batch} nodes at once, not {len(nodes)}"
    keys = [node.batch_key() for node in nodes]
    assert None not in keys, f"{spec.type} runs alone where its batch_key is None; the keys are {keys!r}"
    assert len(set(keys)) == 1, f"{spec.type} runs as one call where the keys are equal; they are {keys!r}"
    return spec


def _bind(invocation: Any, context: FakeContext | None) -> FakeContext:
    context = context or FakeContext()
    assert isinstance(invocation, BaseInvocation), f"{invocation!r} is no node: it does not derive from BaseInvocation"
    context.bind(invocation)
    return context


def _stream(invocation: Any, context: FakeContext) -> Generator[Any, None, Any]:
    spec = invocation.spec
    stream = invocation.invoke(context)
    yielded: list[JsonValue] = []  # as it was when it was yielded: a run sends it on before the node goes on
    try:
        while True:
            item = next(stream)
            yielded.append(_as_document(spec, item))
            yield item
    except StopIteration as end:
        output = _checked(spec, end.value, context)
    except GeneratorExit:
        stream.close()
        _check_unlocked(spec, context)
        raise
    listed = output.to_document()["collection"]
    if listed != yielded:
        raise AssertionError(f"{spec.type} yielded {yielded!r}, and its output lists {listed!r}")
    return output


def _as_document(spec: NodeSpec, item: object) -> JsonValue:
    try:
        return to_jsonable_python(item)
    except ValueError as error:
        raise AssertionError(f"{spec.type} yielded {item!r}, which does not survive as a document: {error}") from error


def _checked(spec: NodeSpec, output: Any, context: FakeContext) -> Any:
    if not isinstance(output, spec.output):
        raise AssertionError(f"{spec.type} gave {output!r}; it declares {spec.output.__name__}")
    try:
        document = json.loads(json.dumps(output.to_document(), allow_nan=False))
        spec.output.model_validate(document)
    except ValueError as error:  # pydantic's ValidationError is one, too
        raise AssertionError(f"{spec.type} gave {output!r}, which does not survive as a document: {error}") from error
    _check_unlocked(spec, context)
    return output


def _check_unlocked(spec: NodeSpec, context: FakeContext) -> None:
    if context.models.locked:
        raise AssertionError(f"{spec.type} left models locked: {', '.join(context.models.locked)}")
