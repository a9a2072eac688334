"""`PanelField`: what every field of a panel has, whatever its kind; the kinds are in `impasto_sdk.panels.kinds`."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from impasto_sdk.panels.condition import Condition
from impasto_sdk.panels.option import Action
from impasto_sdk.panels.part import DeclaredPart, Identifier, Many, Word
from impasto_sdk.panels.reference import Reference

__all__ = ["PanelField", "ValueOrFact"]


def _reference_or_value(value: Any) -> Any:
    return Reference.model_validate(value) if isinstance(value, dict) and "$from" in value else value


#: A default: any JSON value, or a `Reference`.
ValueOrFact = Annotated[Any, BeforeValidator(_reference_or_value)]


class PanelField(DeclaredPart):
    """What every field has, whatever its kind."""

    always_written = frozenset({"kind"})
    null_is_said = frozenset({"default"})

    #: Key in the values; unique in its panel, or in its section when that repeats or is contributed.
    id: Word
    kind: str
    title: str
    #: A sentence or two, as plain text; ``code`` and links are shown as such.
    help: str | None = None
    #: Address of a page about it.
    docs: str | None = None
    #: Held until a person touches the field; may follow a fact of another field's value.
    default: ValueOrFact = None
    #: Must not be empty while it is visible.
    required: bool = False
    #: Has an off state; off means absent.
    optional: bool = False
    #: Shown only on request.
    advanced: bool = False
    width: Literal["full", "half", "third"] | None = None
    #: When it does not hold, the field is hidden, and what is hidden is absent.
    visible_when: Condition | None = None
    #: When it does not hold, the field is shown but cannot be changed.
    enabled_when: Condition | None = None
    #: Why, when it cannot be changed.
    disabled_reason: str | None = None
    #: ``never``: not kept with the images, so not restored from them.
    recall: Literal["value", "never"] | None = None
    #: Names it had in older versions of the panel; `upgrade` moves their values here.
    renamed_from: Many[Identifier] | None = None
    #: A change asks the server for a check at once.
    resolve: bool | None = None
    actions: Many[Action] | None = None

    @property
    def has_default(self) -> bool:
        """Whether a default was given; ``None`` is one when it was given on purpose."""
        return "default" in self.model_fields_set
