"""Toy nodes, one for each thing the engine must handle, and documents of graphs made of them.

No test of the core needs a real plugin: `CATALOGUE` is what a host would offer, and the builders of `toy_graphs`
(`chain`, `iterated`, …), which tests import from here, give documents as a client would send them. A node's type is its
name with ``toy_`` in front, so the toys can stand beside shipped plugins.
"""

import time
from collections.abc import Generator, Mapping
from typing import Any, Literal

from impasto_sdk.context import InvocationContext
from impasto_sdk.errors import InvocationError
from impasto_sdk.fields import (
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
    StringCollectionOutput,
    StringOutput,
)
from impasto_sdk.node import BaseInvocation, Lane, NodeSpec, invocation
from support.toy_control_flow import CONTROL_FLOW_TOYS
from support.toy_graphs import chain, diamond, fan_out, iterated, nested, streamed, summing

__all__ = ["CATALOGUE", "TOYS", "chain", "diamond", "fan_out", "iterated", "nested", "streamed", "summing"]


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


@invocation("toy_device_add", version="1.0.0", lane=Lane.DEVICE)
class ToyDeviceAdd(ToyAdd):
    """The sum of two numbers, on the lane of the device."""


@invocation("toy_io_add", version="1.0.0", lane=Lane.IO)
class ToyIoAdd(ToyAdd):
    """The sum of two numbers, on the lane of what waits for something outside."""


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


@invocation("toy_stream", version="1.0.0")
class ToyStream(BaseInvocation):
    """Whole numbers from `start`, `size` of them, given one by one."""

    start: int = InputField(0, description="First number")
    size: int = InputField(3, ge=0, description="How many")

    def invoke(self, context: InvocationContext) -> Generator[int, None, IntegerCollectionOutput]:
        given: list[int] = []
        for number in range(self.start, self.start + self.size):
            given.append(number)
            yield number
        return IntegerCollectionOutput(collection=given)


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


#: Every toy node class.
TOYS: tuple[type[BaseInvocation], ...] = (
    ToyInteger,
    ToyAdd,
    ToyDeviceAdd,
    ToyIoAdd,
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
    ToyStream,
    ToySum,
    ToyPop,
    ToyColor,
    ToyNoise,
    ToyDenoise,
    ToyShow,
    ToyFail,
    ToyWait,
    *CONTROL_FLOW_TOYS,
)
#: The toys by node type.
CATALOGUE: Mapping[str, NodeSpec] = {toy.spec.type: toy.spec for toy in TOYS}
