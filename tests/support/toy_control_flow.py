"""Toy nodes of every kind but plain, with the plain ones that carry a called graph's values in and out of them.

`support.toys` puts them into its catalogue. Iterators, collectors, branches and calls are worked out by the scheduler:
their `invoke` fails the test that calls it. A return runs like a plain node.
"""

from collections.abc import Sequence
from typing import Any

from impasto_sdk.context import InvocationContext
from impasto_sdk.fields import (
    BaseInvocationOutput,
    Input,
    InputField,
    OutputField,
    WorkflowReturnOutput,
    WorkflowReturnValueField,
    WorkflowReturnValueOutput,
    invocation_output,
)
from impasto_sdk.node import BaseInvocation, NodeKind, invocation

__all__ = ["CONTROL_FLOW_TOYS"]


@invocation_output("toy_iterate_output")
class ToyIterateOutput(BaseInvocationOutput):
    """One item of a list."""

    item: Any = OutputField(description="The item")
    index: int = OutputField(description="Its place, from 0")
    total: int = OutputField(description="How many items there are")


@invocation("toy_iterate", version="1.0.0", kind=NodeKind.ITERATE)
class ToyIterate(BaseInvocation):
    """Runs what follows once for each item of a list."""

    collection: list[Any] = InputField(default_factory=list, description="The list")

    def invoke(self, context: InvocationContext) -> ToyIterateOutput:
        raise AssertionError("the scheduler works out the outputs of control flow")


@invocation_output("toy_collect_output")
class ToyCollectOutput(BaseInvocationOutput):
    """A list of what was collected."""

    collection: list[Any] = OutputField(description="The list")


@invocation("toy_collect", version="1.0.0", kind=NodeKind.COLLECT)
class ToyCollect(BaseInvocation):
    """Gathers items into a list."""

    item: Any = InputField(None, input=Input.CONNECTION, description="Items")
    collection: list[Any] = InputField(default_factory=list, description="A list to begin with")

    def invoke(self, context: InvocationContext) -> ToyCollectOutput:
        raise AssertionError("the scheduler works out the outputs of control flow")


@invocation_output("toy_if_output")
class ToyIfOutput(BaseInvocationOutput):
    """The chosen value."""

    value: Any = OutputField(description="The value of the chosen side")


@invocation("toy_if", version="1.0.0", kind=NodeKind.BRANCH)
class ToyIf(BaseInvocation):
    """One of two values; only the chosen side is run."""

    condition: bool = InputField(False, description="Which side")
    true_input: Any = InputField(None, description="The value if true")
    false_input: Any = InputField(None, description="The value if false")

    def invoke(self, context: InvocationContext) -> ToyIfOutput:
        raise AssertionError("the scheduler works out the outputs of control flow")


@invocation("toy_call", version="1.0.0", kind=NodeKind.CALL, use_cache=False)
class ToyCall(BaseInvocation):
    """Runs the graph that came with it, and gives what that returns."""

    workflow_id: str = InputField("", description="Which workflow")
    workflow_inputs: dict[str, Any] = InputField(default_factory=dict, description="Values for its inputs")

    def invoke(self, context: InvocationContext) -> WorkflowReturnOutput:
        raise AssertionError("the scheduler works out the outputs of control flow")


@invocation("toy_return_value", version="1.0.0")
class ToyReturnValue(BaseInvocation):
    """A value to return, under a key."""

    key: str = InputField("", description="The key")
    value: Any = InputField(None, description="The value")

    def invoke(self, context: InvocationContext) -> WorkflowReturnValueOutput:
        return WorkflowReturnValueOutput(value=WorkflowReturnValueField(key=self.key, value=self.value))


@invocation("toy_return", version="1.0.0", kind=NodeKind.RETURN)
class ToyReturn(BaseInvocation):
    """What a called graph gives its caller: one value or many."""

    values: WorkflowReturnValueField | list[WorkflowReturnValueField] = InputField(
        default_factory=list, input=Input.CONNECTION, description="The values with their keys"
    )

    def invoke(self, context: InvocationContext) -> WorkflowReturnOutput:
        returned = self.values if isinstance(self.values, list) else [self.values]
        return WorkflowReturnOutput(values={each.key: each.value for each in returned})


@invocation_output("toy_return_get_output")
class ToyReturnGetOutput(BaseInvocationOutput):
    """One of the values that a call gave."""

    value: Any = OutputField(description="The value")


@invocation("toy_return_get", version="1.0.0")
class ToyReturnGet(BaseInvocation):
    """One of the values that a call gave."""

    values: dict[str, Any] = InputField(
        default_factory=dict, input=Input.CONNECTION, description="The values of a call"
    )
    key: str = InputField("", description="The key of the one that is wanted")

    def invoke(self, context: InvocationContext) -> ToyReturnGetOutput:
        return ToyReturnGetOutput(value=self.values[self.key])


CONTROL_FLOW_TOYS: Sequence[type[BaseInvocation]] = (
    ToyIterate,
    ToyCollect,
    ToyIf,
    ToyCall,
    ToyReturnValue,
    ToyReturn,
    ToyReturnGet,
)
