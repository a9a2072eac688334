"""What can be chosen: `Option` of a choice, `OptionSource` for options that are asked for, `Action` on a field."""

from typing import Literal

from impasto_sdk.fields import JsonValue
from impasto_sdk.panels.condition import Condition
from impasto_sdk.panels.part import FieldPath, Many, PanelPart, Word

__all__ = ["Action", "Option", "OptionSource", "OptionValue"]

#: What an option stands for in the values.
OptionValue = str | int | float | bool


class Option(PanelPart):
    """One option of a choice, with what a person and other fields may want to know of it."""

    null_is_said = frozenset({"value"})

    value: OptionValue | None
    #: Name shown to a person; without it, the value is shown.
    label: str | None = None
    help: str | None = None
    #: Heading under which it is listed.
    group: str | None = None
    #: Address of a picture of it.
    image: str | None = None
    #: What conditions and references may look at, as with a model's facts.
    facts: dict[str, JsonValue] | None = None
    enabled_when: Condition | None = None


class OptionSource(PanelPart):
    """Options that a client asks the server for."""

    source: Literal["plugin", "boards", "workflows"]
    #: Fields whose values go into the question; a change of one asks again.
    depends_on: Many[FieldPath] | None = None
    #: Whether a search text may go with the question.
    search: bool | None = None
    #: Seconds for which an answer stays good.
    ttl_s: int | float | None = None


class Action(PanelPart):
    """A button on a field, run by the server as a queue item."""

    id: Word
    title: str
    #: The field that takes the image it makes.
    fills: FieldPath | None = None
    enabled_when: Condition | None = None
