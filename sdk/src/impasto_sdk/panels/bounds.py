"""`Bounds`: the hard limits of a number, once references are resolved, and the nearest number inside them."""

import math
from dataclasses import dataclass
from typing import Any

from impasto_sdk.panels.kinds import NumberKind, Size
from impasto_sdk.panels.scope import Scope, is_number

__all__ = ["Bounds"]

#: How far a number may be from a multiple, relative to it, for 0.3 to be a multiple of 0.1.
TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Bounds:
    """Least, greatest and step; None for no limit."""

    least: float | None = None
    greatest: float | None = None
    multiple_of: float | None = None

    @classmethod
    def of(cls, field: NumberKind | Size, scope: Scope) -> "Bounds":
        """The bounds of a number, or of either side of a size, in `scope`; a fact that is no number is no limit."""
        return cls(*(_number(scope.resolve(bound)) for bound in (field.min, field.max, field.multiple_of)))

    def problem(self, value: float) -> str | None:
        """What is wrong with `value`: found, allowed, and the nearest that is taken; None when it is inside."""
        if self.least is not None and value < self.least:
            return f"{value} is given, at least {self.least} is needed"
        if self.greatest is not None and value > self.greatest:
            return f"{value} is given, at most {self.greatest} is taken"
        step = self.multiple_of
        if (
            step
            and math.isfinite(value / step)
            and abs(round(value / step) * step - value) > TOLERANCE * max(1.0, abs(value))
        ):
            down, up = math.floor(value / step) * step, math.ceil(value / step) * step
            near = " or ".join(str(one) for one in (down, up) if self._inside(one))
            return f"{value} is given, a multiple of {step} is needed" + (f", such as {near}" if near else "")
        return None

    def nearest(self, value: float, *, whole: bool) -> float:
        """The accepted number nearest to `value`, as an integer when `whole`; ties go up."""
        least, greatest, step = self.least, self.greatest, self.multiple_of
        if step:
            if math.isfinite(value / step):  # else it is too large to count its steps, and as good as any multiple
                value = math.floor(value / step + 0.5) * step
            least = None if least is None else math.ceil(least / step) * step
            greatest = None if greatest is None else math.floor(greatest / step) * step
        if least is not None and value < least:
            value = least
        if greatest is not None and value > greatest:
            value = greatest
        return int(value) if whole else value

    def _inside(self, value: float) -> bool:
        return (self.least is None or value >= self.least) and (self.greatest is None or value <= self.greatest)


def _number(value: Any) -> float | None:
    return value if is_number(value) else None
