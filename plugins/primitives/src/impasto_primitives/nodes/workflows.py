"""Saved workflows as nodes: call one, and return values from one to its caller.

A call takes an input for each field that the workflow's form shows, beside its declared ones, and gives an output for
each key that the workflow returns. The scheduler runs the called graph itself and never calls `invoke` of the call.
"""

from typing import Any

from impasto_sdk.context import InvocationContext
from impasto_sdk.errors import InvalidInputError
from impasto_sdk.fields import (
    BaseInvocationOutput,
    Input,
    InputField,
    OutputField,
    UIComponent,
    WorkflowReturnOutput,
    WorkflowReturnValueField,
    WorkflowReturnValueOutput,
    invocation_output,
)
from impasto_sdk.node import BaseInvocation, Classification, NodeKind, invocation

__all__ = [
    "CallSavedWorkflow",
    "WorkflowReturn",
    "WorkflowReturnGet",
    "WorkflowReturnGetOutput",
    "WorkflowReturnValue",
]


@invocation_output("workflow_return_get_output")
class WorkflowReturnGetOutput(BaseInvocationOutput):
    """One of the values that a workflow returned."""

    value: Any = OutputField(description="The value")


@invocation(
    "call_saved_workflow",
    title="Call Workflow",
    category="workflow",
    tags=["workflow", "call", "reuse"],
    version="1.0.0",
    use_cache=False,
    kind=NodeKind.CALL,
    classification=Classification.BETA,
)
class CallSavedWorkflow(BaseInvocation):
    """Run a saved workflow, as it was when the run was queued, and pass on what it returns."""

    workflow_id: str = InputField(
        "", description="The workflow to run", title="Workflow", ui_component=UIComponent.WORKFLOW
    )
    workflow_inputs: dict[str, Any] = InputField(
        default_factory=dict,
        description="Values for the workflow's inputs, by the name that the input has on this node",
        ui_hidden=True,
    )

    def invoke(self, context: InvocationContext) -> WorkflowReturnOutput:
        """Always raises `InvalidInputError`: the workflow's graph is run by the scheduler, not by a node."""
        raise InvalidInputError(
            "workflow_id",
            self.workflow_id,
            "a workflow can only be called in a run",
            "queue a graph that has this node in it",
        )


@invocation(
    "workflow_return",
    title="Return to Caller",
    category="workflow",
    tags=["workflow", "return", "output"],
    version="1.0.0",
    use_cache=False,
    kind=NodeKind.RETURN,
    classification=Classification.BETA,
)
class WorkflowReturn(BaseInvocation):
    """What a workflow gives back when another one calls it: one value, or a list of them."""

    values: WorkflowReturnValueField | list[WorkflowReturnValueField] = InputField(
        default_factory=list, input=Input.CONNECTION, description="The values to return, each with its key"
    )

    def invoke(self, context: InvocationContext) -> WorkflowReturnOutput:
        """The values by key. Raises `InvalidInputError` for a key that two of them have."""
        returned: dict[str, Any] = {}
        for each in self.values if isinstance(self.values, list) else [self.values]:
            if each.key in returned:
                raise InvalidInputError(
                    "values",
                    each.key,
                    "two values are returned under this key",
                    "give each a key of its own, or collect them and return the list under one",
                )
            returned[each.key] = each.value
        return WorkflowReturnOutput(values=returned)


@invocation(
    "workflow_return_value",
    title="Value to Return",
    category="workflow",
    tags=["workflow", "return", "output"],
    version="1.0.0",
    use_cache=False,
    classification=Classification.BETA,
)
class WorkflowReturnValue(BaseInvocation):
    """Give a value the key under which the caller of this workflow finds it."""

    key: str = InputField("", description="The key; not empty, and unique in this workflow")
    value: Any | None = InputField(None, description="The value, of any type")

    def invoke(self, context: InvocationContext) -> WorkflowReturnValueOutput:
        """The value with its key. Raises `InvalidInputError` for an empty key."""
        if not self.key:
            raise InvalidInputError("key", self.key, "a value is returned under a key", "name it, e.g. 'image'")
        return WorkflowReturnValueOutput(value=WorkflowReturnValueField(key=self.key, value=self.value))


@invocation(
    "workflow_return_get",
    title="Get Returned Value",
    category="workflow",
    tags=["workflow", "return", "input"],
    version="1.0.0",
    use_cache=False,
    classification=Classification.BETA,
)
class WorkflowReturnGet(BaseInvocation):
    """Take one value, by its key, out of all that a called workflow returned."""

    values: dict[str, Any] = InputField(
        default_factory=dict, input=Input.CONNECTION, description="What the workflow returned"
    )
    key: str = InputField("", description="The key of the value that is wanted")

    def invoke(self, context: InvocationContext) -> WorkflowReturnGetOutput:
        """The value. Raises `InvalidInputError`, naming the keys there are, when none has this key."""
        if self.key not in self.values:
            keys = ", ".join(map(repr, self.values)) or "none"
            raise InvalidInputError("key", self.key, "the workflow returned no value under this key", f"it has {keys}")
        return WorkflowReturnGetOutput(value=self.values[self.key])
