"""When two executions have one key."""

import math
from dataclasses import replace
from enum import StrEnum

import pytest
from support.toys import CATALOGUE

from impasto.cache import invocation_key
from impasto.errors import NodeInputError
from impasto_sdk.fields import ColorField, ImageField

ADD = CATALOGUE["toy_add"]


class Size(StrEnum):
    """A choice."""

    SMALL = "small"


def test_the_order_of_inputs_makes_no_difference() -> None:
    assert invocation_key(ADD, "1.0", {"a": 1, "b": {"x": 1, "y": 2}}) == invocation_key(
        ADD, "1.0", {"b": {"y": 2, "x": 1}, "a": 1}
    )


def test_a_value_and_its_document_are_the_same() -> None:
    color = ColorField(r=1, g=2, b=3)
    assert invocation_key(ADD, "1.0", {"a": [color]}) == invocation_key(ADD, "1.0", {"a": [color.model_dump()]})
    assert invocation_key(ADD, "1.0", {"a": Size.SMALL}) == invocation_key(ADD, "1.0", {"a": "small"})


@pytest.mark.parametrize(
    ("inputs", "others"),
    [
        ({"a": 1}, {"a": 2}),
        ({"a": 1}, {"b": 1}),
        ({"a": 1}, {"a": 1.0}),
        ({"a": 1}, {"a": True}),
        ({"a": 1}, {"a": "1"}),
        ({"a": [1, [2]]}, {"a": [[1], 2]}),
        ({"a": 0.0}, {"a": -0.0}),
        ({"a": math.inf}, {"a": -math.inf}),
        ({"a": math.inf}, {"a": None}),
        ({"a": math.nan}, {"a": None}),
        ({"a": math.nan}, {"a": "NaN"}),
        ({"a": ImageField(image_name="x")}, {"a": ImageField(image_name="y")}),
        ({}, {"a": None}),
    ],
)
def test_other_inputs_have_another_key(inputs: dict[str, object], others: dict[str, object]) -> None:
    assert invocation_key(ADD, "1.0", inputs) != invocation_key(ADD, "1.0", others)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_has_one_key(value: float) -> None:
    assert invocation_key(ADD, "1.0", {"a": value}) == invocation_key(ADD, "1.0", {"a": float(str(value))})


def test_another_type_version_or_plugin_version_has_another_key() -> None:
    keys = {
        invocation_key(replace(ADD, version="1.0.1"), "1.0", {}),
        invocation_key(ADD, "1.0", {}),
        invocation_key(ADD, "1.1", {}),
        invocation_key(CATALOGUE["toy_larger"], "1.0", {}),
    }
    assert len(keys) == 4


def test_a_key_is_the_same_in_every_process() -> None:
    # pinned: a change of the key empties every cache, and is to be meant
    assert invocation_key(ADD, "1.0", {"a": 1, "b": "é"}) == "2ab196579bbae106445a30fdb614d3857d918d5f"


def test_what_json_cannot_hold_has_no_key() -> None:
    with pytest.raises(NodeInputError, match="no cache key"):
        invocation_key(ADD, "1.0", {"a": object()})
