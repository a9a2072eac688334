"""Toy nodes, one for each thing the engine must handle, and documents of graphs made of them.

No test of the core needs a real plugin: `CATALOGUE` is what a host would offer, and the builders (`chain`, `fan_out`,
`diamond`, `iterated`, `nested`) give documents as a client would send them. A node's type is its name with ``toy_``
in front, so the toys can stand beside shipped plugins.
"""

import time
from collections.abc import Mapping
from typing import Any, Literal

from impasto_sdk.context import InvocationContext
from impasto_sdk.draft import DraftPort, GraphDraft
from impasto_sdk.errors import InvocationError
from impasto_sdk.fields import (
    BaseInvocationOutput,
    BoardField,
    BooleanOutput,
    ColorField,
    ColorOutput,
    FloatOutput,
    ImageField,
    Input,
    InputField,
    IntegerCollectionOutput,
    IntegerOutput,
    LatentsField,
    LatentsOutput,
    OutputField,
    StringCollectionOutput,
    StringOutput,
    invocation_output,
)
from impasto_sdk.node import BaseInvocation, NodeKind, NodeSpec, invocation

__all__ = ["CATALOGUE", "TOYS", "chain", "diamond", "fan_out", "iterated", "nested"]


@invocation("toy_integer", version="1.0.0")
class ToyInteger(BaseInvocation):
    """A whole number."""

    value: int = InputField(0, description="The number")

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        return IntegerOutput(value=self.value)


@invocation("toy_add", version="1.0.0")
class ToyAdd(BaseInvocation):
    """The sum of two numbers."""

    a: int = InputField(0, description="First number")
    b: int = InputField(0, description="Second number")

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        return IntegerOutput(value=self.a + self.b)


@invocation("toy_larger", version="1.0.0")
class ToyLarger(BaseInvocation):
    """The larger of two numbers."""

    a: int = InputField(0, description="First number")
    b: int = InputField(0, description="Second number")

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        return IntegerOutput(value=max(self.a, self.b))


@invocation("toy_required", version="1.0.0")
class ToyRequired(BaseInvocation):
    """One more than a number that must be set or connected, from 0 to 1,000."""

    value: int = InputField(ge=0, le=1000, description="The number")

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        return IntegerOutput(value=self.value + 1)


@invocation("toy_random", version="1.0.0", use_cache=False)
class ToyRandom(BaseInvocation):
    """A number that differs from call to call."""

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        return IntegerOutput(value=time.perf_counter_ns())


@invocation("toy_float", version="1.0.0")
class ToyFloat(BaseInvocation):
    """A number."""

    value: float = InputField(0.0, description="The number")

    def invoke(self, context: InvocationContext) -> FloatOutput:
        return FloatOutput(value=self.value)


@invocation("toy_boolean", version="1.0.0")
class ToyBoolean(BaseInvocation):
    """A truth value."""

    value: bool = InputField(False, description="The truth value")

    def invoke(self, context: InvocationContext) -> BooleanOutput:
        return BooleanOutput(value=self.value)


@invocation("toy_even", version="1.0.0")
class ToyEven(BaseInvocation):
    """Whether a number is even."""

    value: int = InputField(0, description="The number")

    def invoke(self, context: InvocationContext) -> BooleanOutput:
        return BooleanOutput(value=self.value % 2 == 0)


@invocation("toy_text", version="1.0.0")
class ToyText(BaseInvocation):
    """A text."""

    value: str = InputField("", description="The text")

    def invoke(self, context: InvocationContext) -> StringOutput:
        return StringOutput(value=self.value)


@invocation("toy_split", version="1.0.0")
class ToySplit(BaseInvocation):
    """The words of a text."""

    value: str = InputField("", description="The text")

    def invoke(self, context: InvocationContext) -> StringCollectionOutput:
        return StringCollectionOutput(collection=self.value.split())


@invocation("toy_mode", version="1.0.0")
class ToyMode(BaseInvocation):
    """A choice."""

    mode: Literal["fast", "fine"] = InputField("fast", description="The choice")

    def invoke(self, context: InvocationContext) -> StringOutput:
        return StringOutput(value=self.mode)


@invocation("toy_range", version="1.0.0")
class ToyRange(BaseInvocation):
    """Whole numbers from `start`, `size` of them."""

    start: int = InputField(0, description="First number")
    size: int = InputField(3, ge=0, description="How many")

    def invoke(self, context: InvocationContext) -> IntegerCollectionOutput:
        return IntegerCollectionOutput(collection=list(range(self.start, self.start + self.size)))


@invocation("toy_sum", version="1.0.0")
class ToySum(BaseInvocation):
    """The sum of a list of numbers."""

    collection: list[int] = InputField(default_factory=list, description="The numbers")

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        return IntegerOutput(value=sum(self.collection))


@invocation("toy_pop", version="1.0.0")
class ToyPop(BaseInvocation):
    """The last number of a list, which it takes off: changes the list it was given."""

    collection: list[int] = InputField(description="The numbers")

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        return IntegerOutput(value=self.collection.pop())


@invocation("toy_color", version="1.0.0")
class ToyColor(BaseInvocation):
    """A colour: a frozen value."""

    color: ColorField = InputField(ColorField(r=1, g=2, b=3), description="The colour")

    def invoke(self, context: InvocationContext) -> ColorOutput:
        return ColorOutput(color=self.color)


@invocation("toy_noise", version="1.0.0")
class ToyNoise(BaseInvocation):
    """The name of some latents."""

    seed: int = InputField(0, description="Seed")

    def invoke(self, context: InvocationContext) -> LatentsOutput:
        return LatentsOutput(latents=LatentsField(latents_name=f"noise-{self.seed}"), width=64, height=64)


@invocation("toy_denoise", version="1.0.0")
class ToyDenoise(BaseInvocation):
    """Takes latents that may only come over an edge, and a board that may only be written."""

    latents: LatentsField = InputField(input=Input.CONNECTION, description="The latents")
    mask: LatentsField | list[LatentsField] | None = InputField(
        None, input=Input.CONNECTION, description="One or many masks"
    )
    board: BoardField | None = InputField(None, input=Input.DIRECT, description="The board")
    steps: int = InputField(10, ge=1, description="Steps")

    def invoke(self, context: InvocationContext) -> LatentsOutput:
        name = f"{self.latents.latents_name}-{self.steps}"
        return LatentsOutput(latents=LatentsField(latents_name=name), width=64, height=64)


@invocation("toy_show", version="1.0.0")
class ToyShow(BaseInvocation):
    """The name of an image that must be set or connected."""

    image: ImageField = InputField(description="The image")

    def invoke(self, context: InvocationContext) -> StringOutput:
        return StringOutput(value=self.image.image_name)


@invocation("toy_fail", version="1.0.0")
class ToyFail(BaseInvocation):
    """Fails with a message."""

    message: str = InputField("the toy broke", description="What it says")
    value: Any = InputField(None, description="Anything, to be connected")

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        raise InvocationError(self.message)


@invocation("toy_wait", version="1.0.0", use_cache=False)
class ToyWait(BaseInvocation):
    """Waits, reporting progress, until its time is over or the session is cancelled."""

    seconds: float = InputField(60.0, ge=0, description="How long at most")

    def invoke(self, context: InvocationContext) -> BooleanOutput:
        end = time.monotonic() + self.seconds
        while (left := end - time.monotonic()) > 0:
            context.raise_if_cancelled()
            context.progress(1 - left / self.seconds, "Waiting")
            time.sleep(min(0.005, left))
        return BooleanOutput(value=True)


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


#: Every toy node class.
TOYS: tuple[type[BaseInvocation], ...] = (
    ToyInteger,
    ToyAdd,
    ToyLarger,
    ToyRequired,
    ToyRandom,
    ToyFloat,
    ToyBoolean,
    ToyEven,
    ToyText,
    ToySplit,
    ToyMode,
    ToyRange,
    ToySum,
    ToyPop,
    ToyColor,
    ToyNoise,
    ToyDenoise,
    ToyShow,
    ToyFail,
    ToyWait,
    ToyIterate,
    ToyCollect,
    ToyIf,
)
#: The toys by node type.
CATALOGUE: Mapping[str, NodeSpec] = {toy.spec.type: toy.spec for toy in TOYS}


def chain(length: int) -> dict[str, Any]:
    """``add_0 → add_1 → …``: `length` nodes, each adding 1, so the last gives `length`."""
    draft = GraphDraft()
    before: DraftPort | int = 0
    for place in range(length):
        before = draft.add("toy_add", id=f"add_{place}", a=before, b=1).output("value")
    return draft.to_document()


def fan_out(width: int) -> dict[str, Any]:
    """``start`` (1) read by ``add_0`` … ``add_{width-1}``, each adding its own number."""
    draft = GraphDraft()
    start = draft.add("toy_integer", id="start", value=1).output("value")
    for place in range(width):
        draft.add("toy_add", id=f"add_{place}", a=start, b=place)
    return draft.to_document()


def diamond(size: int) -> dict[str, Any]:
    """`size` // 3 diamonds in a row: ``top_i`` → ``left_i`` (+1), ``right_i`` (+2) → ``top_{i+1}``, the larger."""
    draft = GraphDraft()
    top = draft.add("toy_integer", id="top_0", value=0).output("value")
    for place in range(size // 3):
        left = draft.add("toy_add", id=f"left_{place}", a=top, b=1).output("value")
        right = draft.add("toy_add", id=f"right_{place}", a=top, b=2).output("value")
        top = draft.add("toy_larger", id=f"top_{place + 1}", a=left, b=right).output("value")
    return draft.to_document()


def iterated(size: int) -> dict[str, Any]:
    """``range → iterate → add (+1) → collect → sum``: 2 · `size` + 3 execution nodes."""
    draft = GraphDraft()
    numbers = draft.add("toy_range", id="range", start=0, size=size).output("collection")
    item = draft.add("toy_iterate", id="iterate", collection=numbers).output("item")
    added = draft.add("toy_add", id="add", a=item, b=1).output("value")
    collected = draft.add("toy_collect", id="collect", item=added).output("collection")
    draft.add("toy_sum", id="sum", collection=collected)
    return draft.to_document()


def nested(outer: int, inner: int) -> dict[str, Any]:
    """A range inside a range; each is gathered, summed, and the sums are gathered.

    ``collect[i]`` holds i + 1 … i + `inner`; ``collect_all`` their sums, in order.
    """
    draft = GraphDraft()
    numbers = draft.add("toy_range", id="range", start=0, size=outer).output("collection")
    item = draft.add("toy_iterate", id="iterate", collection=numbers).output("item")
    inside = draft.add("toy_range", id="range_in", start=item, size=inner).output("collection")
    item_in = draft.add("toy_iterate", id="iterate_in", collection=inside).output("item")
    added = draft.add("toy_add", id="add", a=item_in, b=1).output("value")
    collected = draft.add("toy_collect", id="collect", item=added).output("collection")
    total = draft.add("toy_sum", id="sum", collection=collected).output("value")
    draft.add("toy_collect", id="collect_all", item=total)
    return draft.to_document()
