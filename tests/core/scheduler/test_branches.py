"""Lazy branches: the chosen side runs, what only the other side needs is skipped, what both need runs."""

import pytest
from support.runs import drive, finish, results, state_of

from impasto.errors import NodeAlreadyExecutedError
from impasto_sdk.draft import DraftPort, GraphDraft
from impasto_sdk.fields import IntegerOutput


@pytest.mark.parametrize(("condition", "value", "skipped"), [(True, 1, "no"), (False, 2, "yes")])
def test_only_the_chosen_side_runs(condition: bool, value: int, skipped: str) -> None:
    draft = GraphDraft()
    chosen = draft.add("toy_boolean", id="condition", value=condition).output("value")
    yes = draft.add("toy_integer", id="yes", value=1).output("value")
    no = draft.add("toy_integer", id="no", value=2).output("value")
    draft.add("toy_if", id="if", condition=chosen, true_input=yes, false_input=no)
    state = state_of(draft.to_document())
    ran = drive(state)
    assert results(state)["if"] == {"value": value}
    assert state.skipped == {skipped}
    assert skipped not in ran


def test_the_condition_is_resolved_before_either_side_begins() -> None:
    draft = GraphDraft()
    slow = draft.add("toy_even", id="condition", value=3).output("value")
    sides = {name: draft.add("toy_add", id=name, a=1).output("value") for name in ("true_input", "false_input")}
    draft.add("toy_if", id="if", condition=slow, **sides)
    state = state_of(draft.to_document(), ready_order=["toy_add"])
    node = state.next()
    assert node is not None
    assert node.id == "condition"
    assert state.next() is None
    finish(state, node)
    assert drive(state) == ["false_input", "if"]


def test_all_that_only_the_other_side_needs_is_skipped_and_what_both_need_runs() -> None:
    draft = GraphDraft()
    shared = draft.add("toy_integer", id="shared", value=1).output("value")
    yes = draft.add("toy_add", id="yes", a=shared).output("value")
    deep = draft.add("toy_add", id="deep", a=shared).output("value")
    no = draft.add("toy_add", id="no", a=deep).output("value")
    draft.add("toy_if", id="if", condition=True, true_input=yes, false_input=no)
    state = state_of(draft.to_document())
    assert drive(state) == ["shared", "yes", "if"]
    assert state.skipped == {"deep", "no"}


def test_what_something_else_needs_too_runs() -> None:
    draft = GraphDraft()
    no = draft.add("toy_integer", id="no", value=1).output("value")
    draft.add("toy_if", id="if", condition=True, true_input=5, false_input=no)
    draft.add("toy_add", id="other", a=no)
    state = state_of(draft.to_document())
    drive(state)
    assert state.skipped == set()
    assert results(state)["other"] == {"value": 1}


def test_a_side_that_would_fail_does_no_harm_when_it_is_not_chosen() -> None:
    draft = GraphDraft()
    fails = draft.add("toy_fail", id="fails").output("value")
    draft.add("toy_if", id="if", condition=False, true_input=fails, false_input=3)
    state = state_of(draft.to_document())
    drive(state)
    assert results(state) == {"if": {"value": 3}}


def test_a_side_that_is_neither_set_nor_connected_gives_nothing() -> None:
    state = state_of({"nodes": {"if": {"type": "toy_if", "condition": True}}})
    drive(state)
    assert results(state)["if"] == {"value": None}


def test_an_unset_condition_takes_its_default() -> None:
    state = state_of({"nodes": {"if": {"type": "toy_if", "true_input": 1, "false_input": 2}}})
    drive(state)
    assert results(state)["if"] == {"value": 2}


def test_branches_inside_branches_that_are_not_chosen_are_skipped_whole() -> None:
    draft = GraphDraft()
    inner_condition = draft.add("toy_boolean", id="inner_condition", value=True).output("value")
    a = draft.add("toy_integer", id="a", value=1).output("value")
    b = draft.add("toy_integer", id="b", value=2).output("value")
    inner = draft.add("toy_if", id="inner", condition=inner_condition, true_input=a, false_input=b).output("value")
    draft.add("toy_if", id="outer", condition=False, true_input=inner, false_input=7)
    state = state_of(draft.to_document())
    assert drive(state) == ["outer"]
    assert state.skipped == {"inner_condition", "a", "b", "inner"}


def test_each_iteration_chooses_for_itself() -> None:
    draft = GraphDraft()
    item = draft.add("toy_iterate", id="each", collection=[1, 2, 3, 4]).output("item")
    even = draft.add("toy_even", id="even", value=item).output("value")
    tens = draft.add("toy_add", id="tens", a=item, b=10).output("value")
    hundreds = draft.add("toy_add", id="hundreds", a=item, b=100).output("value")
    chosen = draft.add("toy_if", id="if", condition=even, true_input=tens, false_input=hundreds).output("value")
    draft.add("toy_collect", id="all", item=chosen)
    state = state_of(draft.to_document())
    drive(state)
    assert results(state)["all"] == {"collection": [101, 12, 103, 14]}
    assert set(state.outputs).isdisjoint({"tens[0]", "hundreds[1]", "tens[2]", "hundreds[3]"})
    assert state.skipped_counts == {"tens": 2, "hundreds": 2}


def test_something_outside_runs_if_one_iteration_chooses_it() -> None:
    def run(items: list[int]) -> set[str]:
        draft = GraphDraft()
        item = draft.add("toy_iterate", id="each", collection=items).output("item")
        even = draft.add("toy_even", id="even", value=item).output("value")
        outside = draft.add("toy_integer", id="outside", value=5).output("value")
        draft.add("toy_if", id="if", condition=even, true_input=outside, false_input=0)
        state = state_of(draft.to_document())
        drive(state)
        return state.skipped

    assert run([1, 2, 3]) == set()
    assert run([1, 3]) == {"outside"}
    assert run([]) == {"outside"}


@pytest.mark.parametrize("condition", [True, False])
def test_a_whole_loop_behind_a_side_is_run_or_skipped(condition: bool) -> None:
    draft = GraphDraft()
    numbers = draft.add("toy_range", id="range", size=3).output("collection")
    item = draft.add("toy_iterate", id="each", collection=numbers).output("item")
    added = draft.add("toy_add", id="add", a=item, b=1).output("value")
    collected = draft.add("toy_collect", id="all", item=added).output("collection")
    total = draft.add("toy_sum", id="sum", collection=collected).output("value")
    draft.add("toy_if", id="if", condition=condition, true_input=total, false_input=0)
    state = state_of(draft.to_document())
    ran = drive(state)
    if condition:
        assert results(state)["if"] == {"value": 6}
        assert state.skipped == set()
    else:
        assert ran == ["if"]
        assert state.skipped == {"range", "all", "sum"}
        assert "each" not in state.executed_counts


def test_a_loop_inside_a_loop_is_skipped_where_it_is_not_chosen() -> None:
    draft = GraphDraft()

    def loop(start: DraftPort) -> DraftPort:
        numbers = draft.add("toy_range", id="range", start=start, size=2).output("collection")
        item = draft.add("toy_iterate", id="inside", collection=numbers).output("item")
        collected = draft.add("toy_collect", id="row", item=item).output("collection")
        return draft.add("toy_sum", id="sum", collection=collected).output("value")

    item = draft.add("toy_iterate", id="each", collection=[1, 2]).output("item")
    even = draft.add("toy_even", id="even", value=item).output("value")
    chosen = draft.add("toy_if", id="if", condition=even, true_input=loop(item), false_input=item).output("value")
    draft.add("toy_collect", id="all", item=chosen)
    state = state_of(draft.to_document())
    drive(state)
    assert results(state)["all"] == {"collection": [1, 5]}
    assert state.skipped_counts == {"range": 1, "row": 1, "sum": 1}
    assert [name for name in state.outputs if name.startswith("inside")] == ["inside[1,0]", "inside[1,1]"]


def test_what_a_skipped_collector_took_is_kept_for_the_others_that_read_it() -> None:
    draft = GraphDraft()
    number = draft.add("toy_integer", id="number", value=1).output("value")
    even = draft.add("toy_even", id="even", value=number).output("value")
    item = draft.add("toy_iterate", id="each", collection=[5, 6]).output("item")
    added = draft.add("toy_add", id="add", a=item).output("value")
    draft.add("toy_larger", id="reader", a=added)
    gathered = draft.add("toy_collect", id="all", item=added).output("collection")
    draft.add("toy_if", id="if", condition=even, true_input=gathered, false_input=0)
    state = state_of(draft.to_document(), ready_order=["toy_iterate", "toy_add", "toy_integer", "toy_even"])
    order = drive(state)
    assert order.index("add[1]") < order.index("even") < order.index("reader[0]")
    assert (results(state)["reader[0]"], results(state)["reader[1]"]) == ({"value": 5}, {"value": 6})


def test_what_was_skipped_cannot_be_completed() -> None:
    draft = GraphDraft()
    no = draft.add("toy_integer", id="no").output("value")
    draft.add("toy_if", id="if", condition=True, true_input=1, false_input=no)
    state = state_of(draft.to_document())
    with pytest.raises(NodeAlreadyExecutedError, match="no is skipped already"):
        state.complete("no", IntegerOutput(value=1))
