"""The plugin `group-toys`: nodes that may run as one call, and write down with which others they did.

Tests of the engine run them in their own process, and write this file into a folder where real workers find it.
"""

from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any, Self

from PIL import Image

from impasto_sdk.context import InvocationContext
from impasto_sdk.errors import InvocationError
from impasto_sdk.fields import FloatOutput, ImageOutput, InputField, IntegerOutput
from impasto_sdk.hookspecs import hookimpl
from impasto_sdk.node import BaseInvocation, Lane, invocation

__all__ = ["GROUP_TOYS", "Together", "TogetherPaint"]


def note(diary: str, call: str, contexts: Sequence[InvocationContext]) -> None:
    """Add a line to a file that a test reads: what was called, and for which nodes."""
    if diary:
        with Path(diary).open("a") as file:
            file.write(" ".join([call, *(context.identity.node_id for context in contexts)]) + "\n")


@invocation("together", lane=Lane.DEVICE, max_batch=4)
class Together(BaseInvocation):
    """One more than a number. Runs with others of its `key`, alone without one; misbehaves in a group, as asked for."""

    a: int = InputField(0)
    key: str = InputField("")
    how: str = InputField("")
    diary: str = InputField("")

    def batch_key(self) -> Hashable | None:
        if self.how == "key":
            raise InvocationError("there is no key for this")
        return [self.key] if self.how == "list" else self.key or None  # type: ignore[return-value] # what is refused

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        note(self.diary, "alone", [context])
        return IntegerOutput(value=self.a + 1)

    @classmethod
    def invoke_batch(cls, nodes: Sequence[Self], contexts: Sequence[InvocationContext]) -> Sequence[IntegerOutput]:
        first = nodes[0]
        note(first.diary, "together", contexts)
        outputs: list[Any] = [IntegerOutput(value=node.a + 1) for node in nodes]
        match first.how:
            case "fail":
                raise InvocationError("the group is too large a picture")
            case "wait":
                while True:
                    contexts[-1].raise_if_cancelled()
            case "short":
                del outputs[-1]
            case "lazy":
                return iter(outputs)  # type: ignore[return-value] # what is refused
            case "class":
                outputs[1] = FloatOutput(value=1.0)
        return outputs


@invocation("together_paint", max_batch=4)
class TogetherPaint(BaseInvocation):
    """A picture of some width, and before it a report with that width."""

    width: int = InputField(8)
    diary: str = InputField("")

    def batch_key(self) -> Hashable | None:
        return ()

    def invoke(self, context: InvocationContext) -> ImageOutput:
        note(self.diary, "alone", [context])
        return self._paint(context)

    @classmethod
    def invoke_batch(cls, nodes: Sequence[Self], contexts: Sequence[InvocationContext]) -> Sequence[ImageOutput]:
        note(nodes[0].diary, "together", contexts)
        return [node._paint(context) for node, context in zip(nodes, contexts, strict=True)]

    def _paint(self, context: InvocationContext) -> ImageOutput:
        context.progress(0.5, f"{self.width} wide")
        return context.images.save(Image.new("RGB", (self.width, 4), "red"))


#: Every node class of the plugin.
GROUP_TOYS: tuple[type[BaseInvocation], ...] = (Together, TogetherPaint)


@hookimpl
def register_invocations() -> list[type[BaseInvocation]]:
    return list(GROUP_TOYS)
