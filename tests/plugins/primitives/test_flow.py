"""Control flow, one call at a time; whole graphs of it are the scheduler's tests."""

import pytest

from impasto_primitives.nodes.flow import Collect, If, Iterate
from impasto_sdk.errors import InvalidInputError
from impasto_sdk.fields import ImageField
from impasto_sdk.node import NodeKind
from impasto_sdk.testing import run_node


def test_the_scheduler_is_told_what_each_is():
    assert [node.spec.kind for node in (Iterate, Collect, If)] == [NodeKind.ITERATE, NodeKind.COLLECT, NodeKind.BRANCH]


def test_iterate_gives_an_item_its_place_and_their_number():
    output = run_node(Iterate(collection=["a", "b", "c"], index=1))
    assert (output.item, output.index, output.total) == ("b", 1, 3)


@pytest.mark.parametrize("index", [-1, 3])
def test_iterate_refuses_a_place_that_the_list_does_not_have(index):
    with pytest.raises(InvalidInputError, match="3 items"):
        run_node(Iterate(collection=["a", "b", "c"], index=index))


def test_collect_puts_lists_before_single_items():
    assert run_node(Collect(collection=[1, 2], item=3)).collection == [1, 2, 3]
    assert run_node(Collect()).collection == []


def test_if_passes_on_the_chosen_side_whatever_it_is():
    picture = ImageField(image_name="a.png")
    assert run_node(If(condition=True, true_input=picture)).value == picture
    assert run_node(If(condition=False, true_input=picture)).value is None
