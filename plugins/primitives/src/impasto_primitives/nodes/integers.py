"""Whole-number arithmetic, and a random whole number.

Results are exact at any size that a graph can carry; what has no whole result (a division by zero, a negative
exponent) is refused with the input that is to blame.
"""

import operator
import secrets
from collections.abc import Callable, Mapping
from typing import Literal

from impasto_sdk.context import InvocationContext
from impasto_sdk.errors import InvalidInputError
from impasto_sdk.fields import InputField, IntegerOutput
from impasto_sdk.node import BaseInvocation, invocation

__all__ = ["Add", "Divide", "IntegerMath", "Multiply", "RandomInteger", "Subtract"]

#: Bits of the largest power that is worked out; beyond it a slip of the keyboard would fill the memory.
MAX_POWER_BITS = 1024


@invocation("add", title="Add Integers", category="math", tags=["math", "add"], version="1.0.1")
class Add(BaseInvocation):
    """Add two integers."""

    a: int = InputField(0, description="The first number")
    b: int = InputField(0, description="The second number")

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        """The sum a + b."""
        return IntegerOutput(value=self.a + self.b)


@invocation("sub", title="Subtract Integers", category="math", tags=["math", "subtract"], version="1.0.1")
class Subtract(BaseInvocation):
    """Subtract one integer from another."""

    a: int = InputField(0, description="The number to subtract from")
    b: int = InputField(0, description="The number to subtract")

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        """The difference a - b."""
        return IntegerOutput(value=self.a - self.b)


@invocation("mul", title="Multiply Integers", category="math", tags=["math", "multiply"], version="1.0.1")
class Multiply(BaseInvocation):
    """Multiply two integers."""

    a: int = InputField(0, description="The first number")
    b: int = InputField(0, description="The second number")

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        """The product a · b."""
        return IntegerOutput(value=self.a * self.b)


@invocation("div", title="Divide Integers", category="math", tags=["math", "divide"], version="1.0.1")
class Divide(BaseInvocation):
    """Divide one integer by another; the fraction is cut off, towards zero."""

    a: int = InputField(0, description="The number to divide")
    b: int = InputField(0, description="The number to divide by, not 0")

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        """The quotient a / b without its fraction. Raises `InvalidInputError` for b = 0."""
        return IntegerOutput(value=_divide(self.a, self.b))


@invocation(
    "integer_math",
    title="Integer Math",
    category="math",
    tags=["math", "integer", "add", "subtract", "multiply", "divide", "modulus", "power", "absolute", "min", "max"],
    version="1.0.1",
)
class IntegerMath(BaseInvocation):
    """Work out one operation on two integers."""

    operation: Literal["ADD", "SUB", "MUL", "DIV", "EXP", "MOD", "ABS", "MIN", "MAX"] = InputField(
        "ADD",
        description="The operation",
        ui_choice_labels={
            "ADD": "Add A+B",
            "SUB": "Subtract A-B",
            "MUL": "Multiply A*B",
            "DIV": "Divide A/B",
            "EXP": "Exponentiate A^B",
            "MOD": "Modulus A%B",
            "ABS": "Absolute Value of A",
            "MIN": "Minimum(A,B)",
            "MAX": "Maximum(A,B)",
        },
    )
    a: int = InputField(1, description="The first number")
    b: int = InputField(1, description="The second number")

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        """The result. Raises `InvalidInputError` for a division by zero, a negative exponent or a power too large."""
        return IntegerOutput(value=_OPERATIONS[self.operation](self.a, self.b))


@invocation(
    "rand_int", title="Random Integer", category="math", tags=["math", "random"], version="1.0.1", use_cache=False
)
class RandomInteger(BaseInvocation):
    """A random integer, another in each run."""

    low: int = InputField(0, description="The smallest that may come")
    high: int = InputField(2147483647, description="One more than the largest that may come")

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        """An integer with low ≤ value < high, all equally likely. Raises `InvalidInputError` when there is none."""
        if self.low >= self.high:
            raise InvalidInputError("low", self.low, f"is not below high = {self.high}", "swap them or raise high")
        return IntegerOutput(value=self.low + secrets.randbelow(self.high - self.low))


def _divide(a: int, b: int) -> int:
    if b == 0:
        raise InvalidInputError("b", b, "cannot divide by zero", "set b to another number")
    quotient = abs(a) // abs(b)  # not int(a / b): a float is only exact to 2^53
    return quotient if (a < 0) == (b < 0) else -quotient


def _modulus(a: int, b: int) -> int:
    if b == 0:
        raise InvalidInputError("b", b, "cannot divide by zero", "set b to another number")
    return a % b


def _power(a: int, b: int) -> int:
    if b < 0:
        raise InvalidInputError("b", b, "a negative exponent has no whole result", "use 0 or more, or float_math")
    if abs(a) > 1 and abs(a).bit_length() * b > MAX_POWER_BITS:
        raise InvalidInputError("b", b, f"{a} to this power has more than {MAX_POWER_BITS} bits", "use a smaller one")
    result: int = a**b
    return result


def _absolute(a: int, b: int) -> int:
    return abs(a)


_OPERATIONS: Mapping[str, Callable[[int, int], int]] = {
    "ADD": operator.add,
    "SUB": operator.sub,
    "MUL": operator.mul,
    "DIV": _divide,
    "EXP": _power,
    "MOD": _modulus,
    "ABS": _absolute,
    "MIN": min,
    "MAX": max,
}
