"""Arithmetic with numbers that have a fraction, rounding, and a random number.

Infinity and "not a number" never leave these nodes, as JSON has neither: an operation that has no finite result is
refused with the input that is to blame.
"""

import math
import operator
import secrets
import sys
from collections.abc import Callable, Mapping
from typing import Literal

from impasto_sdk.context import InvocationContext
from impasto_sdk.errors import InvalidInputError
from impasto_sdk.fields import FloatOutput, InputField, IntegerOutput
from impasto_sdk.node import BaseInvocation, invocation

__all__ = ["FloatMath", "FloatToInteger", "RandomFloat", "RoundFloat"]


@invocation(
    "float_math",
    title="Float Math",
    category="math",
    tags=["math", "float", "add", "subtract", "multiply", "divide", "power", "root", "absolute", "min", "max"],
    version="1.0.1",
)
class FloatMath(BaseInvocation):
    """Work out one operation on two numbers."""

    operation: Literal["ADD", "SUB", "MUL", "DIV", "EXP", "ABS", "SQRT", "MIN", "MAX"] = InputField(
        "ADD",
        description="The operation",
        ui_choice_labels={
            "ADD": "Add A+B",
            "SUB": "Subtract A-B",
            "MUL": "Multiply A*B",
            "DIV": "Divide A/B",
            "EXP": "Exponentiate A^B",
            "ABS": "Absolute Value of A",
            "SQRT": "Square Root of A",
            "MIN": "Minimum(A,B)",
            "MAX": "Maximum(A,B)",
        },
    )
    a: float = InputField(1, description="The first number")
    b: float = InputField(1, description="The second number")

    def invoke(self, context: InvocationContext) -> FloatOutput:
        """The result. Raises `InvalidInputError` where there is none, or none that is finite."""
        try:
            value = _OPERATIONS[self.operation](self.a, self.b)
        except OverflowError:
            value = math.inf
        if not math.isfinite(value):
            raise InvalidInputError(
                "a", self.a, f"{self.operation} with b = {self.b!r} leaves the range of numbers", "use smaller numbers"
            )
        return FloatOutput(value=value)


@invocation(
    "float_to_int", title="Float To Integer", category="math", tags=["math", "round", "integer"], version="1.0.1"
)
class FloatToInteger(BaseInvocation):
    """Round a number to an integer, or to a multiple of one."""

    value: float = InputField(0, description="The number to round")
    multiple: int = InputField(1, ge=1, title="Multiple of", description="The result is a multiple of this")
    method: Literal["Nearest", "Floor", "Ceiling", "Truncate"] = InputField(
        "Nearest", description="Nearest (of two equally near, the even multiple), down, up, or towards zero"
    )

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        """The multiple. Raises `InvalidInputError` for what is no finite number."""
        _require_finite("value", self.value)
        if self.multiple > sys.float_info.max:
            raise InvalidInputError("multiple", self.multiple, "leaves the range of numbers", "use a smaller one")
        return IntegerOutput(value=_ROUNDINGS[self.method](self.value / self.multiple) * self.multiple)


@invocation("round_float", title="Round Float", category="math", tags=["math", "round"], version="1.0.1")
class RoundFloat(BaseInvocation):
    """Round a number to so many decimal places."""

    value: float = InputField(0, description="The number to round")
    decimals: int = InputField(0, description="Places after the point; negative ones round to tens, hundreds …")

    def invoke(self, context: InvocationContext) -> FloatOutput:
        """The rounded number. Raises `InvalidInputError` for infinity and "not a number"."""
        _require_finite("value", self.value)
        return FloatOutput(value=_rounded(self.value, self.decimals))


@invocation(
    "rand_float",
    title="Random Float",
    category="math",
    tags=["math", "float", "random"],
    version="1.0.1",
    use_cache=False,
)
class RandomFloat(BaseInvocation):
    """A random number, another in each run."""

    low: float = InputField(0.0, description="The smallest that may come")
    high: float = InputField(1.0, description="The largest that may come")
    decimals: int = InputField(2, description="Places after the point")

    def invoke(self, context: InvocationContext) -> FloatOutput:
        """A number between low and high, which rounding may then leave by half of the last place.

        Raises `InvalidInputError` when low is above high, or so far below it that the distance is no number.
        """
        _require_finite("low", self.low)
        _require_finite("high", self.high)
        if self.low > self.high:
            raise InvalidInputError("low", self.low, f"is above high = {self.high}", "swap them")
        if not math.isfinite(self.high - self.low):
            raise InvalidInputError(
                "high", self.high, f"is further from low = {self.low} than numbers reach", "bring them closer"
            )
        return FloatOutput(value=_rounded(secrets.SystemRandom().uniform(self.low, self.high), self.decimals))


def _require_finite(field: str, value: float) -> None:
    if not math.isfinite(value):
        raise InvalidInputError(field, value, "is not a finite number")


def _rounded(value: float, decimals: int) -> float:
    try:
        return round(value, decimals)
    except OverflowError as error:
        raise InvalidInputError("decimals", decimals, f"rounding {value} leaves the range of numbers") from error


def _divide(a: float, b: float) -> float:
    if b == 0:
        raise InvalidInputError("b", b, "cannot divide by zero", "set b to another number")
    return a / b


def _power(a: float, b: float) -> float:
    if a == 0 and b < 0:
        raise InvalidInputError("b", b, "0 has no negative power", "use an exponent of 0 or more")
    if a < 0 and not b.is_integer():
        raise InvalidInputError("a", a, f"a negative number has no power of {b}", "use a whole exponent, or 0 or more")
    return math.pow(a, b)


def _root(a: float, b: float) -> float:
    if a < 0:
        raise InvalidInputError("a", a, "a negative number has no square root", "use 0 or more")
    return math.sqrt(a)


def _absolute(a: float, b: float) -> float:
    return abs(a)


_OPERATIONS: Mapping[str, Callable[[float, float], float]] = {
    "ADD": operator.add,
    "SUB": operator.sub,
    "MUL": operator.mul,
    "DIV": _divide,
    "EXP": _power,
    "ABS": _absolute,
    "SQRT": _root,
    "MIN": min,
    "MAX": max,
}

_ROUNDINGS: Mapping[str, Callable[[float], int]] = {
    "Nearest": round,
    "Floor": math.floor,
    "Ceiling": math.ceil,
    "Truncate": math.trunc,
}
