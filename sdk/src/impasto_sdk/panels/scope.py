"""`Scope`: where names lead to, what facts a chosen value has, and whether a condition holds.

A scope is the panel, or one item of a nested section with the panel as its parent. It is pure: it reads fields, values
and a `World`, and is made anew for each evaluation. The evaluation that fills it is `impasto_sdk.panels.effective`.
"""

import sys
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

from impasto_sdk.fields import JsonValue
from impasto_sdk.panels.condition import AllOf, AnyOf, Comparison, ConditionPart, Not
from impasto_sdk.panels.kinds import AnyField, ChoiceKind, Image, Mask, Model
from impasto_sdk.panels.option import Option
from impasto_sdk.panels.reference import Reference, SameAs
from impasto_sdk.panels.world import World

__all__ = ["Scope", "equal", "is_empty", "is_number"]

_GREATEST = sys.float_info.max


def is_empty(value: JsonValue) -> bool:
    """Whether a value counts as not there: absent, null, an empty text or an empty list. False and 0 do not."""
    return value is None or value == "" or (isinstance(value, list | tuple) and not value)


def equal(left: JsonValue, right: JsonValue) -> bool:
    """Whether two texts, numbers or booleans are equal; true is not 1, and lists and objects equal nothing."""
    if isinstance(left, list | tuple | dict) or isinstance(left, bool) is not isinstance(right, bool):
        return False
    return bool(left == right)


def is_number(value: JsonValue) -> TypeGuard[int | float]:
    """Whether a value is a number that a float can hold; true, false, infinity and nan are not."""
    # compared, not converted: an integer may be too large for math.isfinite; nan is in no range
    return isinstance(value, int | float) and not isinstance(value, bool) and -_GREATEST <= value <= _GREATEST


class Scope:
    """Fields and their values, as conditions and references see them."""

    def __init__(
        self,
        fields: Mapping[str, AnyField],
        values: Mapping[str, JsonValue],
        world: World,
        parent: "Scope | None" = None,
    ) -> None:
        self.fields = fields
        self.values = values
        self.world = world
        self.parent = parent

    def owner(self, path: str) -> "Scope":
        """Where `path` leads: ``/name`` to the panel; ``name`` to this item if it has the field, else to the panel."""
        if self.parent is None or (not path.startswith("/") and path in self.fields):
            return self
        return self.parent

    def look(self, path: str) -> JsonValue:
        """The value at `path`; None when it is absent or hidden."""
        return self.owner(path).values.get(path.removeprefix("/"))

    def fact(self, path: str, name: str) -> JsonValue:
        """The fact `name`, a path with dots, of the value at `path`; None when there is none."""
        owner = self.owner(path)
        field = owner.fields.get(path.removeprefix("/"))
        found: Any = {} if field is None else owner.facts(field, self.look(path))
        for key in name.split("."):
            found = found.get(key) if isinstance(found, Mapping) else None
        return found

    def facts(self, field: AnyField, value: JsonValue) -> Mapping[str, JsonValue]:
        """The facts of what `field` holds: of the model record, the option or the image; none for other kinds."""
        if is_empty(value):
            return {}
        if isinstance(field, Model):
            return self.world.models.get(_text(value, "key"), {})
        if isinstance(field, Image | Mask):
            return (self.world.images or {}).get(_text(value, "image_name"), {})
        if isinstance(field, ChoiceKind):
            chosen = (option for option in self.options(field) or () if equal(option.value, value))
            return next((option.facts or {} for option in chosen), {})
        return {}

    def options(self, field: ChoiceKind) -> tuple[Option, ...] | None:
        """The options of a choice as they are now; None when they are not known here."""
        found = self.resolve(field.options)
        if not isinstance(found, Sequence) or isinstance(found, str):
            return None
        return tuple(_option(option) for option in found)

    def resolve(self, value: Any) -> Any:
        """`value` itself, or what it refers to; None when a reference leads nowhere and has no ``else``."""
        if not isinstance(value, Reference):
            return value
        found = self.fact(value.field, value.fact)
        return value.otherwise if found is None else found

    def same(self, tie: SameAs) -> JsonValue:
        """What a `SameAs` points at now."""
        return self.look(tie.field) if tie.fact is None else self.fact(tie.field, tie.fact)

    def test(self, condition: ConditionPart | None) -> bool:
        """Whether a condition holds; no condition does."""
        if isinstance(condition, AllOf):
            return all(self.test(part) for part in condition.all)
        if isinstance(condition, AnyOf):
            return any(self.test(part) for part in condition.any)
        if isinstance(condition, Not):
            return not self.test(condition.not_)
        return condition is None or self._compare(condition)

    def _compare(self, test: Any) -> bool:
        assert isinstance(test, Comparison)
        value = self.look(test.field) if test.fact is None else self.fact(test.field, test.fact)
        if test.set is not None:
            return is_empty(value) is not test.set
        if is_empty(value):
            return False
        if "is_" in test.operators:
            wanted = test.is_ if isinstance(test.is_, list | tuple) else [test.is_]
            return any(equal(value, one) for one in wanted)
        if "has" in test.operators:
            return isinstance(value, list | tuple) and any(equal(one, test.has) for one in value)
        if test.same_as is not None:
            return equal(value, self.same(SameAs(same_as=test.same_as)))
        return is_number(value) and _within(value, test)


def _within(value: float, test: Comparison) -> bool:
    return not (
        (test.gt is not None and value <= test.gt)
        or (test.gte is not None and value < test.gte)
        or (test.lt is not None and value >= test.lt)
        or (test.lte is not None and value > test.lte)
    )


def _text(value: JsonValue, key: str) -> str:
    return str(value.get(key, "")) if isinstance(value, Mapping) else ""


def _option(option: Any) -> Option:
    if isinstance(option, Option):
        return option
    return Option.model_validate(option) if isinstance(option, Mapping) else Option(value=option)
