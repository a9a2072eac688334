"""Whole-number arithmetic, at its edges."""

import pytest
from hypothesis import given
from hypothesis.strategies import integers

from impasto_primitives.nodes.integers import Add, Divide, IntegerMath, Multiply, RandomInteger, Subtract
from impasto_sdk.errors import InvalidInputError
from impasto_sdk.testing import run_node


def test_sums_differences_and_products_are_exact_beyond_a_machine_word():
    assert run_node(Add(a=2**64, b=1)).value == 2**64 + 1
    assert run_node(Subtract(a=1, b=2**64)).value == 1 - 2**64
    assert run_node(Multiply(a=2**40, b=2**40)).value == 2**80


@pytest.mark.parametrize(("a", "b", "quotient"), [(7, 2, 3), (-7, 2, -3), (7, -2, -3), (-7, -2, 3), (0, 5, 0)])
def test_a_division_cuts_the_fraction_off_towards_zero(a, b, quotient):
    assert run_node(Divide(a=a, b=b)).value == quotient
    assert run_node(IntegerMath(operation="DIV", a=a, b=b)).value == quotient


@given(a=integers(), b=integers().filter(bool))
def test_a_quotient_and_its_remainder_make_up_the_number_at_any_size(a, b):
    quotient = run_node(Divide(a=a, b=b)).value
    rest = a - quotient * b
    assert abs(rest) < abs(b)
    assert rest * a >= 0, "the rest has the sign of the number, or is 0"


@pytest.mark.parametrize(
    ("operation", "a", "b", "result"),
    [
        ("ADD", 7, 3, 10),
        ("SUB", 7, 3, 4),
        ("MUL", 7, 3, 21),
        ("DIV", 7, 3, 2),
        ("EXP", 7, 3, 343),
        ("MOD", 7, 3, 1),
        ("MOD", -7, 3, 2),
        ("ABS", -7, 3, 7),
        ("MIN", 7, 3, 3),
        ("MAX", 7, 3, 7),
    ],
)
def test_every_operation_gives_its_result(operation, a, b, result):
    assert run_node(IntegerMath(operation=operation, a=a, b=b)).value == result


@pytest.mark.parametrize(
    "node",
    [Divide(a=1, b=0), IntegerMath(operation="DIV", a=1, b=0), IntegerMath(operation="MOD", a=1, b=0)],
    ids=["div", "DIV", "MOD"],
)
def test_a_division_by_zero_names_the_input_to_mend(node):
    with pytest.raises(InvalidInputError, match="divide by zero") as caught:
        run_node(node)
    assert (caught.value.field, caught.value.value) == ("b", 0)


@pytest.mark.parametrize("b", [-1, 10**9])
def test_a_power_without_a_whole_result_or_of_endless_length_is_refused(b):
    with pytest.raises(InvalidInputError) as caught:
        run_node(IntegerMath(operation="EXP", a=7, b=b))
    assert (caught.value.field, caught.value.value) == ("b", b)


def test_a_huge_exponent_of_one_is_no_huge_number():
    assert run_node(IntegerMath(operation="EXP", a=-1, b=10**9)).value == 1


def test_a_random_integer_stays_below_its_upper_bound():
    assert {run_node(RandomInteger(low=3, high=5)).value for _ in range(100)} == {3, 4}


@pytest.mark.parametrize("high", [5, 4])
def test_a_random_integer_from_an_empty_span_is_refused(high):
    with pytest.raises(InvalidInputError, match=f"not below high = {high}") as caught:
        run_node(RandomInteger(low=5, high=high))
    assert caught.value.field == "low"
