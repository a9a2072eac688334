"""Arithmetic with fractions, at its edges."""

import math

import pytest
from hypothesis import given
from hypothesis.strategies import floats, integers

from impasto_primitives.nodes.floats import FloatMath, FloatToInteger, RandomFloat, RoundFloat
from impasto_sdk.errors import InvalidInputError
from impasto_sdk.testing import run_node


@pytest.mark.parametrize(
    ("operation", "a", "b", "result"),
    [
        ("ADD", 1.5, 0.25, 1.75),
        ("SUB", 1.5, 0.25, 1.25),
        ("MUL", 1.5, 0.25, 0.375),
        ("DIV", 1.5, 0.25, 6.0),
        ("EXP", 4.0, 0.5, 2.0),
        ("EXP", -2.0, 3.0, -8.0),
        ("ABS", -1.5, 0.25, 1.5),
        ("SQRT", 2.25, 0.0, 1.5),
        ("MIN", 1.5, 0.25, 0.25),
        ("MAX", 1.5, 0.25, 1.5),
    ],
)
def test_every_operation_gives_its_result(operation, a, b, result):
    assert run_node(FloatMath(operation=operation, a=a, b=b)).value == result


@pytest.mark.parametrize(
    ("operation", "a", "b", "blamed"),
    [
        ("DIV", 1.0, 0.0, "b"),
        ("EXP", 0.0, -1.0, "b"),
        ("EXP", -2.0, 0.5, "a"),
        ("EXP", 10.0, 400.0, "a"),
        ("MUL", 1e308, 10.0, "a"),
        ("SQRT", -1.0, 0.0, "a"),
    ],
)
def test_an_operation_without_a_finite_result_names_the_input_to_mend(operation, a, b, blamed):
    with pytest.raises(InvalidInputError) as caught:
        run_node(FloatMath(operation=operation, a=a, b=b))
    assert caught.value.field == blamed


@pytest.mark.parametrize(
    ("method", "multiple", "result"),
    [
        ("Nearest", 1, 13),
        ("Floor", 1, 12),
        ("Ceiling", 1, 13),
        ("Truncate", 1, 12),
        ("Nearest", 8, 16),
        ("Floor", 8, 8),
        ("Ceiling", 8, 16),
        ("Truncate", 8, 8),
    ],
)
def test_a_number_is_rounded_to_a_multiple_by_the_chosen_method(method, multiple, result):
    assert run_node(FloatToInteger(value=12.7, multiple=multiple, method=method)).value == result


@given(value=floats(-1e12, 1e12), multiple=integers(1, 4096))
def test_each_method_gives_a_multiple_on_its_own_side_of_the_number(value, multiple):
    results = {
        method: run_node(FloatToInteger(value=value, multiple=multiple, method=method)).value
        for method in ("Nearest", "Floor", "Ceiling", "Truncate")
    }
    assert all(result % multiple == 0 for result in results.values())
    assert results["Floor"] <= results["Nearest"] <= results["Ceiling"] <= results["Floor"] + multiple
    assert results["Truncate"] == results["Floor" if value >= 0 else "Ceiling"]


def test_truncating_goes_towards_zero_and_floor_goes_down():
    assert run_node(FloatToInteger(value=-1.5, method="Truncate")).value == -1
    assert run_node(FloatToInteger(value=-1.5, method="Floor")).value == -2


def test_infinity_has_no_integer():
    with pytest.raises(InvalidInputError) as caught:
        run_node(FloatToInteger(value=math.inf))
    assert caught.value.field == "value"


def test_rounding_takes_places_after_and_before_the_point():
    assert run_node(RoundFloat(value=1234.567, decimals=1)).value == 1234.6
    assert run_node(RoundFloat(value=1234.567, decimals=-2)).value == 1200.0


def test_rounding_out_of_the_range_of_numbers_is_refused():
    with pytest.raises(InvalidInputError) as caught:
        run_node(RoundFloat(value=1.7e308, decimals=-308))
    assert caught.value.field == "decimals"


def test_a_random_number_keeps_its_bounds_and_its_decimals():
    values = {run_node(RandomFloat(low=1, high=2, decimals=1)).value for _ in range(200)}
    assert min(values) >= 1
    assert max(values) <= 2
    assert len(values) > 5
    assert all(round(value, 1) == value for value in values)


def test_a_random_number_between_bounds_too_far_apart_is_refused():
    with pytest.raises(InvalidInputError) as caught:
        run_node(RandomFloat(low=-1.7e308, high=1.7e308))
    assert caught.value.field == "high"


def test_a_multiple_beyond_the_range_of_numbers_is_refused():
    with pytest.raises(InvalidInputError) as caught:
        run_node(FloatToInteger(value=1.5, multiple=10**400))
    assert caught.value.field == "multiple"


def test_a_random_number_between_swapped_bounds_is_refused():
    with pytest.raises(InvalidInputError, match="swap them") as caught:
        run_node(RandomFloat(low=2, high=1))
    assert (caught.value.field, caught.value.value) == ("low", 2)
