"""What a declaration refers to: every place where a field or a section names another field, as data.

`impasto_sdk.panels.declaration` checks the names, `impasto_sdk.panels.contribution` whether a panel has them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from impasto_sdk.panels.condition import ConditionPart, comparisons
from impasto_sdk.panels.kinds import AnyField, ChoiceKind, ImageKind, List, Model, TextKind
from impasto_sdk.panels.option import Option
from impasto_sdk.panels.reference import Reference, SameAs
from impasto_sdk.panels.section import Section

__all__ = ["Use", "field_uses", "section_uses"]


@dataclass(frozen=True, slots=True)
class Use:
    """One place where a declaration names a field."""

    #: Where it stands, e.g. ``steps.default``.
    place: str
    #: The path that is named.
    target: str
    #: The fact that is looked at; None: the value.
    fact: str | None
    #: Whether the value or the visibility of the field at `place` follows from it, so that a circle has no answer.
    decides: bool = False
    #: Whether it only asks if the target is set.
    presence: bool = False


def section_uses(section: Section) -> Iterator[Use]:
    """What a section itself refers to; not what its fields do."""
    yield from _condition(f"{section.id}.visible_when", section.visible_when, decides=True)
    if section.repeat is not None:
        yield from _reference(f"{section.id}.repeat.max", section.repeat.max)


def field_uses(field: AnyField) -> Iterator[Use]:
    """What a field refers to."""
    yield from _reference(f"{field.id}.default", field.default, decides=True)
    yield from _condition(f"{field.id}.visible_when", field.visible_when, decides=True)
    yield from _condition(f"{field.id}.enabled_when", field.enabled_when)
    for action in field.actions or ():
        yield from _condition(f"{field.id}.actions.{action.id}.enabled_when", action.enabled_when)
        if action.fills is not None:
            yield Use(f"{field.id}.actions.{action.id}.fills", action.fills, None)
    yield from _kind_uses(field)


def _kind_uses(field: AnyField) -> Iterator[Use]:
    for name in type(field).model_fields.keys() - {"default"}:
        # the facts of an option may decide what others hold, so where options come from does too
        yield from _reference(f"{field.id}.{name}", getattr(field, name), decides=name == "options")
    if isinstance(field, ChoiceKind):
        yield from _choice(field)
    elif isinstance(field, Model):
        for name, wanted in (field.where or {}).items():
            if isinstance(wanted, SameAs):
                yield Use(f"{field.id}.where.{name}", wanted.field, wanted.fact)
    elif isinstance(field, ImageKind) and field.of is not None:
        yield Use(f"{field.id}.of", field.of, None)
    elif isinstance(field, TextKind) and field.tokens is not None and field.tokens.model is not None:
        yield Use(f"{field.id}.tokens.model", field.tokens.model, None)
    elif isinstance(field, List):
        for use in field_uses(field.item):
            yield Use(f"{field.id}.item.{use.place}", use.target, use.fact)


def _choice(field: ChoiceKind) -> Iterator[Use]:
    for option in () if field.options is None or isinstance(field.options, Reference) else field.options:
        if isinstance(option, Option):
            yield from _condition(f"{field.id}.options.{option.value}.enabled_when", option.enabled_when)
    for path in (field.options_from.depends_on or ()) if field.options_from else ():
        yield Use(f"{field.id}.options_from.depends_on", path, None)


def _reference(place: str, value: object, *, decides: bool = False) -> Iterator[Use]:
    if isinstance(value, Reference):
        yield Use(place, value.field, value.fact, decides)


def _condition(place: str, condition: ConditionPart | None, *, decides: bool = False) -> Iterator[Use]:
    for test, negated in comparisons(condition):
        yield Use(place, test.field, test.fact, decides, presence=test.set is not None and test.set is not negated)
        if test.same_as is not None:
            tie = SameAs(same_as=test.same_as)
            yield Use(place, tie.field, tie.fact, decides)
