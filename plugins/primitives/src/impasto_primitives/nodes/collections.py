"""Lists: written into the graph, counted up, or drawn by chance.

A list is what `iterate` runs over. A range that would be empty is refused, since the nodes behind it would then
silently never run; one that would not fit into memory is refused as well.
"""

import math
import random
from collections.abc import Sequence

from impasto_sdk.context import InvocationContext
from impasto_sdk.errors import InvalidInputError
from impasto_sdk.fields import (
    BaseInvocationOutput,
    BooleanCollectionOutput,
    ConditioningField,
    FloatCollectionOutput,
    InputField,
    IntegerCollectionOutput,
    LatentsField,
    OutputField,
    StringCollectionOutput,
    invocation_output,
)
from impasto_sdk.node import BaseInvocation, invocation

__all__ = [
    "BooleanCollection",
    "ConditioningCollection",
    "ConditioningCollectionOutput",
    "FloatCollection",
    "FloatRange",
    "IntegerCollection",
    "LatentsCollection",
    "LatentsCollectionOutput",
    "RandomRange",
    "Range",
    "RangeOfSize",
    "StringCollection",
]

#: The longest list that is made; a longer one is a slip of the keyboard.
MAX_ITEMS = 1_000_000


@invocation_output("conditioning_collection_output")
class ConditioningCollectionOutput(BaseInvocationOutput):
    """A list of encoded prompts."""

    collection: list[ConditioningField] = OutputField(description="The encoded prompts")


@invocation_output("latents_collection_output")
class LatentsCollectionOutput(BaseInvocationOutput):
    """A list of stored latents."""

    collection: list[LatentsField] = OutputField(description="The latents")


@invocation(
    "integer_collection",
    title="Integer Collection Primitive",
    category="primitives",
    tags=["primitives", "integer", "collection"],
    version="1.0.2",
)
class IntegerCollection(BaseInvocation):
    """A list of integers."""

    collection: list[int] = InputField(default_factory=list, description="The integers")

    def invoke(self, context: InvocationContext) -> IntegerCollectionOutput:
        """The list, as it is."""
        return IntegerCollectionOutput(collection=self.collection)


@invocation(
    "float_collection",
    title="Float Collection Primitive",
    category="primitives",
    tags=["primitives", "float", "collection"],
    version="1.0.2",
)
class FloatCollection(BaseInvocation):
    """A list of numbers."""

    collection: list[float] = InputField(default_factory=list, description="The numbers")

    def invoke(self, context: InvocationContext) -> FloatCollectionOutput:
        """The list, as it is."""
        return FloatCollectionOutput(collection=self.collection)


@invocation(
    "string_collection",
    title="String Collection Primitive",
    category="primitives",
    tags=["primitives", "string", "collection"],
    version="1.0.2",
)
class StringCollection(BaseInvocation):
    """A list of texts."""

    collection: list[str] = InputField(default_factory=list, description="The texts")

    def invoke(self, context: InvocationContext) -> StringCollectionOutput:
        """The list, as it is."""
        return StringCollectionOutput(collection=self.collection)


@invocation(
    "boolean_collection",
    title="Boolean Collection Primitive",
    category="primitives",
    tags=["primitives", "boolean", "collection"],
    version="1.0.2",
)
class BooleanCollection(BaseInvocation):
    """A list of truth values."""

    collection: list[bool] = InputField(default_factory=list, description="The booleans")

    def invoke(self, context: InvocationContext) -> BooleanCollectionOutput:
        """The list, as it is."""
        return BooleanCollectionOutput(collection=self.collection)


@invocation(
    "conditioning_collection",
    title="Conditioning Collection Primitive",
    category="primitives",
    tags=["primitives", "conditioning", "collection"],
    version="1.0.2",
)
class ConditioningCollection(BaseInvocation):
    """A list of encoded prompts."""

    collection: list[ConditioningField] = InputField(default_factory=list, description="The encoded prompts")

    def invoke(self, context: InvocationContext) -> ConditioningCollectionOutput:
        """The list, as it is; nothing is loaded."""
        return ConditioningCollectionOutput(collection=self.collection)


@invocation(
    "latents_collection",
    title="Latents Collection Primitive",
    category="primitives",
    tags=["primitives", "latents", "collection"],
    version="1.0.1",
)
class LatentsCollection(BaseInvocation):
    """A list of stored latents."""

    collection: list[LatentsField] = InputField(description="The latents")

    def invoke(self, context: InvocationContext) -> LatentsCollectionOutput:
        """The list, as it is; nothing is loaded."""
        return LatentsCollectionOutput(collection=self.collection)


@invocation("range", title="Integer Range", category="batch", tags=["collection", "integer", "range"], version="1.0.0")
class Range(BaseInvocation):
    """Count from a start to just before a stop."""

    start: int = InputField(0, description="The first number")
    stop: int = InputField(10, description="The end, itself left out")
    step: int = InputField(1, description="The distance of two numbers; negative counts down; not 0")

    def invoke(self, context: InvocationContext) -> IntegerCollectionOutput:
        """start, start + step, … before stop. Raises `InvalidInputError` for step 0, an empty or a huge list."""
        _require_step(self.step)
        numbers = range(self.start, self.stop, self.step)
        if not numbers:
            direction = "above" if self.step > 0 else "below"
            raise InvalidInputError(
                "stop",
                self.stop,
                f"there is no number from start = {self.start} in steps of {self.step}",
                f"set stop {direction} start, or turn the sign of step",
            )
        return IntegerCollectionOutput(collection=_listed(numbers, "stop", self.stop))


@invocation(
    "range_of_size",
    title="Integer Range of Size",
    category="batch",
    tags=["collection", "integer", "size", "range"],
    version="1.0.0",
)
class RangeOfSize(BaseInvocation):
    """Count so many numbers from a start."""

    start: int = InputField(0, description="The first number")
    size: int = InputField(1, gt=0, description="How many numbers")
    step: int = InputField(1, description="The distance of two numbers; negative counts down; not 0")

    def invoke(self, context: InvocationContext) -> IntegerCollectionOutput:
        """`size` numbers: start, start + step, … Raises `InvalidInputError` for step 0 or a huge list."""
        _require_step(self.step)
        numbers = range(self.start, self.start + self.size * self.step, self.step)
        return IntegerCollectionOutput(collection=_listed(numbers, "size", self.size))


@invocation(
    "random_range",
    title="Random Range",
    category="batch",
    tags=["collection", "integer", "random", "range"],
    version="1.0.1",
    use_cache=False,
)
class RandomRange(BaseInvocation):
    """Draw so many random integers; the same seed draws the same ones."""

    low: int = InputField(0, description="The smallest that may come")
    high: int = InputField(2147483647, description="One more than the largest that may come")
    size: int = InputField(1, description="How many integers, 1 or more")
    seed: int = InputField(0, ge=0, le=4294967295, description="Where the draw begins")

    def invoke(self, context: InvocationContext) -> IntegerCollectionOutput:
        """`size` integers with low ≤ item < high. Raises `InvalidInputError` when there is none, or for a huge list."""
        if self.low >= self.high:
            raise InvalidInputError("low", self.low, f"is not below high = {self.high}", "swap them or raise high")
        _require_size("size", self.size)
        draw = random.Random(self.seed)  # noqa: S311 - the same seed must draw the same numbers
        return IntegerCollectionOutput(collection=[draw.randrange(self.low, self.high) for _ in range(self.size)])


@invocation("float_range", title="Float Range", category="math", tags=["math", "float", "range"], version="1.0.1")
class FloatRange(BaseInvocation):
    """Numbers at equal distances, both ends included."""

    start: float = InputField(5, description="The first number")
    stop: float = InputField(10, description="The last number")
    steps: int = InputField(30, description="How many numbers, 1 or more")

    def invoke(self, context: InvocationContext) -> FloatCollectionOutput:
        """`steps` numbers from start to stop; one alone is start. Raises `InvalidInputError` for none or too many."""
        _require_size("steps", self.steps)
        for field, value in (("start", self.start), ("stop", self.stop)):
            if not math.isfinite(value):
                raise InvalidInputError(field, value, "is not a finite number")
        if self.steps == 1:
            return FloatCollectionOutput(collection=[self.start])
        if not math.isfinite(self.stop - self.start):
            raise InvalidInputError(
                "stop", self.stop, f"is further from start = {self.start} than numbers reach", "bring them closer"
            )
        distance = (self.stop - self.start) / (self.steps - 1)
        # the last one is stop itself, not what the rounding of so many distances made of it
        numbers = [self.start + distance * place for place in range(self.steps - 1)]
        return FloatCollectionOutput(collection=[*numbers, self.stop])


def _require_step(step: int) -> None:
    if step == 0:
        raise InvalidInputError("step", step, "a range cannot stand still", "use 1, or -1 to count down")


def _require_size(field: str, size: int) -> None:
    if size < 1:
        raise InvalidInputError(field, size, "the list would be empty", "use 1 or more")
    if size > MAX_ITEMS:
        raise InvalidInputError(field, size, f"the list would be longer than {MAX_ITEMS}", "use a smaller one")


def _listed(numbers: Sequence[int], field: str, value: int) -> list[int]:
    """The numbers as a list, unless they are too many; `field` and `value` name the input to blame."""
    # a slice, since len() of a range refuses more than a machine word
    if numbers[MAX_ITEMS:]:
        raise InvalidInputError(field, value, f"the list would be longer than {MAX_ITEMS}", "make the range shorter")
    return list(numbers)
