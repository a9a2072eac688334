"""Which types may be joined."""

from typing import Annotated, Any, Literal, Optional

import pytest
from pydantic import Field

from impasto.graph.compatibility import element_type, is_connectable, name_of_type, plain_type
from impasto_sdk.fields import ImageField, LatentsField


class TaggedImage(ImageField):
    """An image with something more."""


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (int, int),
        (Any, ImageField),
        (ImageField, Any),
        (int, float),
        (int, str),
        (float, str),
        (bool, int),
        (TaggedImage, ImageField),
        (ImageField, ImageField | None),
        (ImageField, Optional[ImageField]),  # noqa: UP045 - both spellings are met
        (LatentsField, LatentsField | list[LatentsField]),
        (list[LatentsField], LatentsField | list[LatentsField]),
        (int, float | None),
        (int | None, int),
        (int | None, int | str | None),
        (int | str, int),
        (int | float, str),
        (list[int], list[float]),
        (list[int], list),
        (list, list[ImageField]),
        (list[TaggedImage], list[ImageField]),
        (list[int], list[int | str]),
        (Literal["a"], Literal["a", "b"]),
        (Literal["a", "b"], str),
        (str, Literal["a", "b"]),
        (Annotated[int, Field(ge=0)], int),
        (list[Annotated[int, Field(ge=0)]], list[int]),
        (dict[str, Annotated[int, Field(ge=0)]], dict[str, int]),
        (int, object),
    ],
)
def test_types_that_may_be_joined(source: Any, target: Any) -> None:
    assert is_connectable(plain_type(source), plain_type(target))


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (float, int),
        (str, int),
        (str, float),
        (bool, str),
        (ImageField, LatentsField),
        (ImageField, TaggedImage),
        (int, list[int]),
        (list[int], int),
        (list[str], list[int]),
        (list[ImageField], list[LatentsField]),
        (int | str, float),
        (ImageField, LatentsField | None),
        (Literal["a"], Literal["b"]),
        (int, Literal["a"]),
        (Literal["a"], int),
        (dict[str, int], dict[str, str]),
    ],
)
def test_types_that_may_not_be_joined(source: Any, target: Any) -> None:
    assert not is_connectable(plain_type(source), plain_type(target))


@pytest.mark.parametrize(
    ("collection", "element"),
    [(list[int], int), (list, Any), (list[int] | None, int), (list[int] | list[str], Any), (int, Any), (Any, Any)],
)
def test_the_element_of_a_list(collection: Any, element: Any) -> None:
    assert element_type(plain_type(collection)) is element


@pytest.mark.parametrize(
    ("annotation", "name"),
    [
        (int, "int"),
        (ImageField | None, "ImageField or nothing"),
        (list[Any], "list[anything]"),
        (Literal["a", "b"], "'a' or 'b'"),
        (dict[str, int], "dict[str, int]"),
    ],
)
def test_types_are_named_as_a_person_would(annotation: Any, name: str) -> None:
    assert name_of_type(plain_type(annotation)) == name
