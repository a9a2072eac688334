"""Lists: counted up, drawn by chance, passed on."""

import math

import pytest
from pydantic import ValidationError

from impasto_primitives.nodes.collections import FloatRange, IntegerCollection, RandomRange, Range, RangeOfSize
from impasto_sdk.errors import InvalidInputError
from impasto_sdk.testing import run_node


@pytest.mark.parametrize(
    ("start", "stop", "step", "numbers"),
    [(0, 3, 1, [0, 1, 2]), (1, 8, 3, [1, 4, 7]), (3, 0, -1, [3, 2, 1])],
)
def test_a_range_leaves_its_end_out_and_counts_either_way(start, stop, step, numbers):
    assert run_node(Range(start=start, stop=stop, step=step)).collection == numbers


def test_a_range_of_size_gives_so_many_numbers():
    assert run_node(RangeOfSize(start=5, size=3, step=-2)).collection == [5, 3, 1]


@pytest.mark.parametrize("node", [Range(step=0), RangeOfSize(size=3, step=0)], ids=["range", "range_of_size"])
def test_a_range_that_stands_still_names_the_step(node):
    with pytest.raises(InvalidInputError) as caught:
        run_node(node)
    assert (caught.value.field, caught.value.value) == ("step", 0)


@pytest.mark.parametrize(
    ("node", "advice"),
    [(Range(start=5, stop=5), "above"), (Range(start=0, stop=5, step=-1), "below")],
    ids=["up", "down"],
)
def test_an_empty_range_says_what_would_fill_it(node, advice):
    with pytest.raises(InvalidInputError, match=advice) as caught:
        run_node(node)
    assert caught.value.field == "stop"


@pytest.mark.parametrize(
    ("node", "field"),
    [
        (Range(stop=10**30), "stop"),
        (RangeOfSize(size=10**30), "size"),
        (RandomRange(size=10**30), "size"),
        (FloatRange(steps=10**30), "steps"),
    ],
    ids=["range", "range_of_size", "random_range", "float_range"],
)
def test_a_list_that_would_not_fit_into_memory_is_refused(node, field):
    with pytest.raises(InvalidInputError, match="longer than 1000000") as caught:
        run_node(node)
    assert caught.value.field == field


def test_the_longest_list_allowed_is_made():
    assert len(run_node(Range(stop=1_000_000)).collection) == 1_000_000


def test_the_same_seed_draws_the_same_numbers_and_another_seed_others():
    first = run_node(RandomRange(size=20, seed=1)).collection
    assert run_node(RandomRange(size=20, seed=1)).collection == first
    assert run_node(RandomRange(size=20, seed=2)).collection != first


def test_random_numbers_stay_below_the_upper_bound():
    assert set(run_node(RandomRange(low=3, high=5, size=100)).collection) == {3, 4}


@pytest.mark.parametrize(
    ("node", "field"),
    [
        (RandomRange(low=5, high=5), "low"),
        (RandomRange(size=0), "size"),
        (FloatRange(steps=0), "steps"),
        (FloatRange(stop=math.inf), "stop"),
    ],
    ids=["no span", "no size", "no steps", "no end"],
)
def test_a_list_of_nothing_names_the_input_to_mend(node, field):
    with pytest.raises(InvalidInputError) as caught:
        run_node(node)
    assert caught.value.field == field


def test_a_float_range_includes_both_ends_exactly():
    collection = run_node(FloatRange(start=0.1, stop=0.7, steps=7)).collection
    assert (collection[0], collection[-1], len(collection)) == (0.1, 0.7, 7)
    assert collection[3] == pytest.approx(0.4)


def test_a_float_range_longer_than_numbers_reach_is_refused():
    with pytest.raises(InvalidInputError) as caught:
        run_node(FloatRange(start=-1.7e308, stop=1.7e308, steps=3))
    assert caught.value.field == "stop"


def test_a_float_range_of_one_is_its_start():
    assert run_node(FloatRange(start=2, stop=9, steps=1)).collection == [2]


def test_a_list_of_the_wrong_type_is_refused_before_it_runs():
    with pytest.raises(ValidationError, match="collection"):
        IntegerCollection(collection=["a"])
