"""Conditions: when a field or section is shown or enabled.

Written with `when` and joined with ``&``, ``|`` and ``~``::

    when("init_image").is_set()
    when("model").fact("supports").has("clip_skip") & ~when("preprocessor").is_("none")

An empty value (absent, null, an empty text or list) meets no condition but ``is_empty()`` and negations.
"""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag, model_validator

from impasto_sdk.fields import JsonValue
from impasto_sdk.panels.part import FieldPath, PanelPart

__all__ = ["AllOf", "AnyOf", "Comparison", "Condition", "ConditionPart", "Not", "When", "comparisons", "when"]


class ConditionPart(PanelPart):
    """What all conditions share: ``&``, ``|`` and ``~``."""

    def __and__(self, other: "ConditionPart") -> "AllOf":
        """Both hold."""
        return AllOf.model_validate({"all": (*_parts(self, AllOf), *_parts(other, AllOf))})

    def __or__(self, other: "ConditionPart") -> "AnyOf":
        """At least one holds."""
        return AnyOf.model_validate({"any": (*_parts(self, AnyOf), *_parts(other, AnyOf))})

    def __invert__(self) -> "Not":
        """It does not hold."""
        return Not.model_validate({"not": self})


class Comparison(ConditionPart):
    """A test of one field's value, or of a fact of it. Written by `when`."""

    null_is_said = frozenset({"is_", "has"})

    field: FieldPath
    fact: str | None = None
    is_: JsonValue = Field(None, alias="is")
    has: JsonValue = None
    gt: int | float | None = None
    gte: int | float | None = None
    lt: int | float | None = None
    lte: int | float | None = None
    set: bool | None = None
    same_as: str | None = None

    @property
    def operators(self) -> frozenset[str]:
        """The tests that it makes: one, or a lower and an upper bound."""
        return frozenset(self.model_fields_set - {"field", "fact"})

    @model_validator(mode="after")
    def _one_test(self) -> "Comparison":
        bounds = self.operators <= {"gt", "gte", "lt", "lte"}
        if not self.operators or (len(self.operators) > 1 and not bounds) or len(self.model_fields_set) > 3:
            raise ValueError(
                f"a condition on {self.field!r} makes one test, or has a lower and an upper bound on a value; "
                f"found {', '.join(sorted(self.operators)) or 'none'}. Join more with &"
            )
        return self


class AllOf(ConditionPart):
    """Every part holds; with no parts, true."""

    all: tuple["Condition", ...]


class AnyOf(ConditionPart):
    """At least one part holds."""

    any: tuple["Condition", ...]


class Not(ConditionPart):
    """The part does not hold."""

    not_: "Condition" = Field(alias="not")


def _shape(value: Any) -> str:
    for key in ("all", "any", "not"):
        if (isinstance(value, dict) and key in value) or isinstance(value, _SHAPES[key]):
            return key
    return "field"


_SHAPES: dict[str, type[ConditionPart]] = {"all": AllOf, "any": AnyOf, "not": Not}

#: Any condition.
Condition = Annotated[
    Annotated[AllOf, Tag("all")]
    | Annotated[AnyOf, Tag("any")]
    | Annotated[Not, Tag("not")]
    | Annotated[Comparison, Tag("field")],
    Discriminator(_shape),
]

# built at once: every kind of field has conditions, and takes over what is built instead of writing it out again
for _model in (AllOf, AnyOf, Not):
    _model.model_rebuild()


class When:
    """Writes a `Comparison`; made by `when`."""

    def __init__(self, field: str, fact: str | None = None) -> None:
        self._about = {"field": field} if fact is None else {"field": field, "fact": fact}

    def fact(self, name: str) -> "When":
        """Look at a fact of the chosen model, option or image instead of the value."""
        return When(self._about["field"], name)

    def is_(self, value: JsonValue) -> Comparison:
        """It equals `value`; a list means one of."""
        return self._test("is", value)

    def is_one_of(self, *values: JsonValue) -> Comparison:
        """It equals one of `values`."""
        return self._test("is", list(values))

    def has(self, value: JsonValue) -> Comparison:
        """It is a list that contains `value`."""
        return self._test("has", value)

    def gt(self, value: float) -> Comparison:
        """It is a number greater than `value`."""
        return self._test("gt", value)

    def gte(self, value: float) -> Comparison:
        """It is a number, `value` or greater."""
        return self._test("gte", value)

    def lt(self, value: float) -> Comparison:
        """It is a number less than `value`."""
        return self._test("lt", value)

    def lte(self, value: float) -> Comparison:
        """It is a number, `value` or less."""
        return self._test("lte", value)

    def is_set(self) -> Comparison:
        """It is not empty."""
        return self._test("set", True)

    def is_empty(self) -> Comparison:
        """It is absent, null, an empty text or an empty list."""
        return self._test("set", False)

    def same_as(self, path: str) -> Comparison:
        """It equals what `path` (``field`` or ``field#fact``) holds; false while that is empty."""
        return self._test("same_as", path)

    def _test(self, operator: str, value: JsonValue) -> Comparison:
        return Comparison.model_validate({**self._about, operator: value})


def when(field: str) -> When:
    """Begin a condition on `field`: ``name`` is looked for in this item, then in the panel; ``/name`` in the panel."""
    return When(field)


def comparisons(condition: "ConditionPart | None", *, negated: bool = False) -> Iterator[tuple[Comparison, bool]]:
    """Every comparison in a condition, from left to right, and whether it stands under an odd number of ``~``."""
    if isinstance(condition, Comparison):
        yield condition, negated
    elif isinstance(condition, Not):
        yield from comparisons(condition.not_, negated=not negated)
    elif isinstance(condition, AllOf | AnyOf):
        for part in condition.all if isinstance(condition, AllOf) else condition.any:
            yield from comparisons(part, negated=negated)


def _parts(condition: ConditionPart, joined: type[ConditionPart]) -> tuple[ConditionPart, ...]:
    if isinstance(condition, AllOf) and joined is AllOf:
        return condition.all
    if isinstance(condition, AnyOf) and joined is AnyOf:
        return condition.any
    return (condition,)
