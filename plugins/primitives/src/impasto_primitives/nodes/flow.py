"""Control flow: run over a list, gather a list, choose a side.

In a run the scheduler works these out itself, from their `NodeKind`, and never calls `invoke`. What `invoke` gives is
the same for one call alone, so that the nodes can be tried and tested like any other.
"""

from typing import Any

from impasto_sdk.context import InvocationContext
from impasto_sdk.errors import InvalidInputError
from impasto_sdk.fields import BaseInvocationOutput, Input, InputField, OutputField, invocation_output
from impasto_sdk.node import BaseInvocation, NodeKind, invocation

__all__ = ["Collect", "CollectOutput", "If", "IfOutput", "Iterate", "IterateOutput"]


@invocation_output("iterate_output")
class IterateOutput(BaseInvocationOutput):
    """One item of a list, and its place."""

    item: Any = OutputField(description="The item", title="Collection Item")
    index: int = OutputField(description="Its place, from 0")
    total: int = OutputField(description="How many items there are")


@invocation_output("collect_output")
class CollectOutput(BaseInvocationOutput):
    """A list of what arrived."""

    collection: list[Any] = OutputField(description="The items")


@invocation_output("if_output")
class IfOutput(BaseInvocationOutput):
    """The value of the chosen side."""

    value: Any = OutputField(None, description="The chosen value", title="Output")


@invocation(
    "iterate",
    title="Iterate",
    category="control-flow",
    tags=["collection", "loop"],
    version="1.1.0",
    use_cache=False,
    kind=NodeKind.ITERATE,
)
class Iterate(BaseInvocation):
    """Run all that follows once for each item of a list, up to where a `collect` gathers the results."""

    collection: list[Any] = InputField(default_factory=list, description="The list to run over")
    index: int = InputField(0, description="Place of the item, from 0; set by the scheduler", ui_hidden=True)

    def invoke(self, context: InvocationContext) -> IterateOutput:
        """The item at `index`. Raises `InvalidInputError` when the list has no such place."""
        if not 0 <= self.index < len(self.collection):
            raise InvalidInputError("index", self.index, f"the list has {len(self.collection)} items")
        return IterateOutput(item=self.collection[self.index], index=self.index, total=len(self.collection))


@invocation(
    "collect",
    title="Collect",
    category="control-flow",
    tags=["collection", "gather"],
    version="1.1.0",
    use_cache=False,
    kind=NodeKind.COLLECT,
)
class Collect(BaseInvocation):
    """Gather items into a list: those of lists first, then single ones, in the order of their iterations."""

    item: Any | None = InputField(None, input=Input.CONNECTION, description="An item; many edges may lead here")
    collection: list[Any] = InputField(
        default_factory=list, input=Input.CONNECTION, description="A list whose items come first"
    )

    def invoke(self, context: InvocationContext) -> CollectOutput:
        """The list with the item, if there is one, behind it."""
        single = [] if self.item is None else [self.item]
        return CollectOutput(collection=[*self.collection, *single])


@invocation("if", title="If", category="math", tags=["logic", "choose"], version="1.0.0", kind=NodeKind.BRANCH)
class If(BaseInvocation):
    """Pass on one of two values. What only the other one needs is not run."""

    condition: bool = InputField(False, description="Which side is chosen")
    true_input: Any | None = InputField(None, description="The value when the condition holds")
    false_input: Any | None = InputField(None, description="The value when it does not")

    def invoke(self, context: InvocationContext) -> IfOutput:
        """The chosen value; None when nothing leads there."""
        return IfOutput(value=self.true_input if self.condition else self.false_input)
