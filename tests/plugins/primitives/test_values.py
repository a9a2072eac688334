"""Nodes that hold one value."""

import pytest
from pydantic import ValidationError

from impasto_primitives.nodes.values import Color, Float, ModelIdentifier, String
from impasto_sdk.errors import ModelNotFoundError
from impasto_sdk.fields import ColorField, ModelIdentifierField
from impasto_sdk.testing import run_node


def test_a_value_comes_out_as_it_went_in():
    assert run_node(String(value="ünï\ncode")).value == "ünï\ncode"
    assert run_node(Color(color=ColorField(r=1, g=2, b=3, a=4))).color.tuple() == (1, 2, 3, 4)


def test_an_integer_serves_as_a_number():
    assert run_node(Float(value=3)).value == 3.0


def test_a_colour_beyond_its_bounds_is_refused():
    with pytest.raises(ValidationError, match="255"):
        Color(color={"r": 256, "g": 0, "b": 0})


def test_a_model_that_does_not_exist_is_named():
    with pytest.raises(ModelNotFoundError, match="m1") as caught:
        run_node(ModelIdentifier(model=ModelIdentifierField(key="m1")))
    assert caught.value.name == "m1"
