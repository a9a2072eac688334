"""References: values that follow a fact of what a person chose.

``fact("model", "defaults.steps", otherwise=30)`` is the fact ``defaults.steps`` of the chosen model, or 30 when it has
none. Defaults, bounds, options and presets may be references; they are resolved by `impasto_sdk.panels.Scope`.
"""

from typing import Annotated

from pydantic import Field, StringConstraints

from impasto_sdk.fields import JsonValue
from impasto_sdk.panels.part import PanelPart

__all__ = ["NumberOrFact", "Reference", "SameAs", "fact", "same_as"]


class Reference(PanelPart):
    """A fact of the value that another field holds. Written by `fact`."""

    null_is_said = frozenset({"otherwise"})

    #: ``field#fact``; the fact may be a path with dots.
    source: Annotated[str, StringConstraints(pattern=r"^/?[a-z][a-z0-9_.]*#[a-z][a-z0-9_.]*$")] = Field(alias="$from")
    #: Taken when the field is empty or its value has no such fact.
    otherwise: JsonValue = Field(None, alias="else")

    @property
    def field(self) -> str:
        """The path of the field that is looked at."""
        return self.source.partition("#")[0]

    @property
    def fact(self) -> str:
        """The fact's name, a path with dots."""
        return self.source.partition("#")[2]


class SameAs(PanelPart):
    """A fact that must equal another field's: ``field#fact``. Written by `same_as`."""

    same_as: str

    @property
    def field(self) -> str:
        """The path of the field that is looked at."""
        return self.same_as.partition("#")[0]

    @property
    def fact(self) -> str | None:
        """The fact of its value; None: the value itself."""
        return self.same_as.partition("#")[2] or None


#: A bound: a number, or a fact that holds one.
NumberOrFact = int | float | Reference


def fact(field: str, name: str, *, otherwise: JsonValue = None) -> Reference:
    """The fact `name` of the value that `field` holds, or `otherwise` when there is none."""
    said = {"else": otherwise} if otherwise is not None else {}
    return Reference.model_validate({"$from": f"{field}#{name}", **said})


def same_as(path: str) -> SameAs:
    """In a model filter: the fact must equal what `path` (``field#fact``) holds, e.g. ``same_as("/model#base")``."""
    return SameAs(same_as=path)
