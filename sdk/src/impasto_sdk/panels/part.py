"""`PanelPart`: what every part of a panel has in common: frozen, strict about names, and silent about what is not said.

A part serialises to what its author wrote, no more: a field that was not given is left out of the document, so that
clients apply their own defaults. `DeclaredPart` turns pydantic's complaints into a `PanelDeclarationError`.
"""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    ModelWrapValidatorHandler,
    SerializerFunctionWrapHandler,
    StringConstraints,
    ValidationError,
    model_serializer,
    model_validator,
)

from impasto_sdk.errors import PanelDeclarationError
from impasto_sdk.fields import JsonValue

__all__ = ["DeclaredPart", "FieldPath", "Identifier", "Many", "PanelPart", "Word"]

#: Id of a panel or a section: words of lower-case letters, digits and ``_``, joined by dots.
Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$")]
#: Id of a field, an anchor or an action: one such word. Dots are left to sections, so that their values never collide.
Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
#: A field as conditions name it: ``name`` is looked for in this item, then in the panel; ``/name`` in the panel.
FieldPath = Annotated[str, StringConstraints(pattern=r"^/?[a-z][a-z0-9_.]*$")]

T = TypeVar("T")


def _as_tuple(several: Sequence[T]) -> tuple[T, ...]:
    # not the class itself: pydantic reads a validator's signature, which for a built-in class costs a parse each time
    return tuple(several)


#: Several of something: authors may give any sequence; it is kept as a tuple, since parts are frozen.
Many = Annotated[Sequence[T], AfterValidator(_as_tuple)]


class PanelPart(BaseModel):
    """Base of the parts of a panel."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        defer_build=True,
    )

    #: Fields that are written even when the author left them to their default.
    always_written: ClassVar[frozenset[str]] = frozenset()
    #: Fields for which a given ``None`` means something, and is written as ``null``.
    null_is_said: ClassVar[frozenset[str]] = frozenset()

    @model_serializer(mode="wrap")
    def _what_was_said(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written = handler(self)
        document: dict[str, Any] = {}
        for name, field in type(self).model_fields.items():
            key = field.alias or name
            if key not in written or (name not in self.model_fields_set and name not in self.always_written):
                continue
            if written[key] is not None or name in self.null_is_said:
                document[key] = written[key]
        return document

    def to_document(self) -> dict[str, JsonValue]:
        """The part as JSON, in the shape of panel documents."""
        return self.model_dump(mode="json")


class DeclaredPart(PanelPart):
    """A part that authors construct by name; what is wrong with it is a `PanelDeclarationError`."""

    @model_validator(mode="wrap")
    @classmethod
    def _name_the_mistake(cls, data: Any, handler: ModelWrapValidatorHandler["DeclaredPart"]) -> "DeclaredPart":
        try:
            return handler(data)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            identity = str(data.get("id", "")) if isinstance(data, dict) else ""
            where = [f"{cls.__name__} {identity!r}", *(str(part) for part in first["loc"])]
            raise PanelDeclarationError("", ".".join(where), f"{first['msg']} (found {first['input']!r})") from error
