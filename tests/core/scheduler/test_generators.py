"""Nodes that give their list item by item: what reads it begins before they have finished."""

import json

import pytest
from support.runs import RecordedRun, advance, drive, drive_written_down, finish, results, state_of
from support.toys import CATALOGUE, chain, streamed

from impasto.errors import GraphError
from impasto.scheduler import ExecutionNode
from impasto_sdk.draft import GraphDraft


def until(state: RecordedRun, node_id: str) -> ExecutionNode:
    """Run until this node is handed out."""
    while (node := state.next()) is not None:
        if node.id == node_id:
            return node
        finish(state, node)
    raise AssertionError(f"{node_id} never came")


def test_what_reads_a_generator_begins_before_it_has_finished() -> None:
    state = state_of(streamed(5, 1, source="toy_stream"))
    first = until(state, "add_0[0]")
    assert "range" not in state.outputs
    finish(state, first)
    assert drive(state)[-2:] == ["collect", "sum"]


def test_a_generator_gives_what_the_same_list_gives_at_once() -> None:
    item_by_item, at_once = state_of(streamed(20, 2, source="toy_stream")), state_of(streamed(20, 2))
    drive(item_by_item)
    drive(at_once)
    both = (results(item_by_item), results(at_once))
    for found in both:
        for execution_id in [name for name in found if name.startswith("iterate")]:
            del found[execution_id]["total"]  # see the next test
    assert both[0] == both[1]


def test_a_total_that_nobody_asked_for_is_not_waited_for() -> None:
    state = state_of(streamed(2, 1, source="toy_stream"))
    drive(state)
    assert results(state)["iterate[0]"] == {"item": 0, "index": 0, "total": 0}


def test_a_total_that_is_asked_for_is_waited_for() -> None:
    draft = GraphDraft()
    numbers = draft.add("toy_stream", id="stream", size=3).output("collection")
    each = draft.add("toy_iterate", id="each", collection=numbers)
    draft.add("toy_add", id="add", a=each.output("item"), b=each.output("total"))
    state = state_of(draft.to_document())
    assert until(state, "each[0]").path == (0,)
    assert "stream" in state.outputs
    state = state_of(draft.to_document())
    drive(state)
    assert results(state)["add[2]"] == {"value": 5}


def test_a_generator_does_not_run_ahead_of_what_reads_it() -> None:
    state = state_of(streamed(100, 1, source="toy_stream"), window=3)
    ahead, given = 0, 0
    while (node := state.next()) is not None:
        given += node.id == "range"
        taken = state.executed_counts.get("add_0", 0)
        ahead = max(ahead, given - taken)
        finish(state, node)
    assert state.is_complete()
    assert ahead <= 4


def test_a_generator_that_nothing_goes_through_item_by_item_runs_to_its_end() -> None:
    draft = GraphDraft()
    numbers = draft.add("toy_stream", id="stream", size=4).output("collection")
    draft.add("toy_sum", id="sum", collection=numbers)
    state = state_of(draft.to_document())
    assert drive(state) == ["stream"] * 5 + ["sum"]
    assert results(state)["sum"] == {"value": 6}


def test_a_generator_that_gives_nothing_is_an_empty_list() -> None:
    state = state_of(streamed(0, 2, source="toy_stream"))
    assert drive(state) == ["range", "collect", "sum"]
    assert results(state)["sum"] == {"value": 0}


def test_a_generator_in_an_iteration_feeds_the_iteration_inside_it() -> None:
    draft = GraphDraft()
    outer = draft.add("toy_iterate", id="outer", collection=[10, 20]).output("item")
    numbers = draft.add("toy_stream", id="stream", start=outer, size=3).output("collection")
    inner = draft.add("toy_iterate", id="inner", collection=numbers).output("item")
    rows = draft.add("toy_collect", id="row", item=inner).output("collection")
    draft.add("toy_collect", id="rows", item=rows)
    state = state_of(draft.to_document(), window=1)
    drive(state)
    assert results(state)["rows"] == {"collection": [[10, 11, 12], [20, 21, 22]]}


def test_two_loops_go_through_one_generator() -> None:
    draft = GraphDraft()
    numbers = draft.add("toy_stream", id="stream", size=9).output("collection")
    for name in ("one", "two"):
        item = draft.add("toy_iterate", id=f"each_{name}", collection=numbers).output("item")
        draft.add("toy_collect", id=name, item=item)
    state = state_of(draft.to_document(), window=2)
    drive(state)
    assert results(state)["one"] == results(state)["two"] == {"collection": list(range(9))}


def test_items_may_meet_those_of_another_loop() -> None:
    draft = GraphDraft()
    slow = draft.add("toy_stream", id="stream", size=4).output("collection")
    left = draft.add("toy_iterate", id="left", collection=[10, 20, 30]).output("item")
    right = draft.add("toy_iterate", id="right", collection=slow).output("item")
    added = draft.add("toy_add", id="add", a=left, b=right).output("value")
    rows = draft.add("toy_collect", id="row", item=added).output("collection")
    draft.add("toy_collect", id="rows", item=rows)
    state = state_of(draft.to_document(), window=1)
    drive(state)
    assert results(state)["rows"] == {"collection": [[10, 11, 12, 13], [20, 21, 22, 23], [30, 31, 32, 33]]}


@pytest.mark.parametrize("window", [1, 2, 16])
def test_a_round_trip_at_any_step_leaves_out_the_items_that_are_known(window: int) -> None:
    document = streamed(6, 2, source="toy_stream")
    in_one_go, state = state_of(document, window=window), state_of(document, window=window)
    drive(in_one_go)
    outputs = drive_written_down(state)
    assert outputs == results(in_one_go)


def test_a_generator_behind_a_side_goes_on_after_a_round_trip() -> None:
    draft = GraphDraft()
    item = draft.add("toy_iterate", id="each", collection=draft.add("toy_stream").output("collection")).output("item")
    collected = draft.add("toy_collect", id="all", item=item).output("collection")
    draft.add("toy_if", id="if", condition=True, true_input=collected)
    state = state_of(draft.to_document())
    advance(state, 1)
    state = RecordedRun.from_document(json.loads(json.dumps(state.to_document())), CATALOGUE)
    drive(state)
    assert results(state)["if"] == {"value": [0, 1, 2]}


def test_a_generator_may_be_completed_at_once() -> None:
    state = state_of(streamed(2, 1, source="toy_stream"))
    node = state.next()
    assert node is not None
    state.complete("range", CATALOGUE["toy_range"].output(collection=[7, 8]))
    drive(state)
    assert results(state)["sum"] == {"value": 17}


def test_only_generators_give_items() -> None:
    state = state_of(chain(1))
    advance(state, 0)
    with pytest.raises(GraphError, match="add_0 gives its output whole: it is no generator"):
        state.emit("add_0", 1)
