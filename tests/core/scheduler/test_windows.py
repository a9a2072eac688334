"""Iterations are opened a window at a time and let go when they are done."""

import gc
import weakref
from typing import Any

import pytest
from support.runs import RecordedRun, advance, drive, finish, results, state_of
from support.toys import chain, iterated, nested, streamed

from impasto.scheduler.frame import Frame
from impasto_sdk.draft import GraphDraft


def most_there(state: RecordedRun) -> tuple[int, int]:
    """Run to the end; gives how many executions, and how many outputs, were there at once at most."""
    executions = outputs = 0
    while (node := state.next()) is not None:
        executions = max(executions, len(state.prepared_source_mapping))
        outputs = max(outputs, len(state.results))
        finish(state, node)
    assert state.is_complete()
    return executions, outputs


def test_a_long_loop_never_stands_whole() -> None:
    executions, outputs = most_there(state_of(streamed(300, 4), window=8))
    assert executions <= 3 + 8 * 5
    assert outputs <= 3 + 8 * 5


def test_what_is_there_at_once_does_not_grow_with_the_items() -> None:
    assert most_there(state_of(streamed(50, 3))) == most_there(state_of(streamed(400, 3)))


def test_loops_inside_loops_are_bounded_each() -> None:
    executions, _ = most_there(state_of(nested(40, 40), window=2))
    assert executions <= 2 + 2 * 4 + 2 * 2


def test_the_first_results_come_before_the_last_items_begin() -> None:
    order = drive(state_of(streamed(100, 2), window=4))
    assert order.index("add_1[0]") < order.index("iterate[50]")


def test_within_a_window_nodes_of_one_class_still_run_together() -> None:
    order = [name for name in drive(state_of(streamed(8, 1), window=4)) if "[" in name]
    assert order[:8] == [f"iterate[{place}]" for place in range(4)] + [f"add_0[{place}]" for place in range(4)]


def test_a_window_opens_wider_when_nothing_else_can_go_on() -> None:
    draft = GraphDraft()
    item = draft.add("toy_iterate", id="each", collection=list(range(50))).output("item")
    collected = draft.add("toy_collect", id="all", item=item).output("collection")
    total = draft.add("toy_sum", id="sum", collection=collected).output("value")
    draft.add("toy_add", id="add", a=item, b=total)
    state = state_of(draft.to_document(), window=3)
    drive(state)
    assert results(state)["add[49]"] == {"value": 49 + sum(range(50))}


def test_an_output_is_let_go_when_the_last_that_reads_it_has_run() -> None:
    state = state_of(chain(3))
    node = state.next()
    assert node is not None
    output = node.spec.output(value=1)
    kept = weakref.ref(output)
    state.complete(node.id, output)
    state.outputs.clear()
    del output
    assert kept() is not None
    advance(state, 1)
    state.outputs.clear()
    gc.collect()
    assert kept() is None


@pytest.mark.parametrize("inner", [False, True])
def test_an_iteration_is_let_go_though_the_side_that_it_did_not_choose_never_ran(inner: bool) -> None:
    draft = GraphDraft()
    outside = draft.add("toy_integer", id="outside").output("value")
    item = draft.add("toy_iterate", id="each", collection=[1] * 100).output("item")
    even = draft.add("toy_even", id="even", value=item).output("value")
    side = draft.add("toy_add", id="side", a=outside, b=item).output("value") if inner else outside
    draft.add("toy_if", id="if", condition=even, true_input=side, false_input=0)
    state = state_of(draft.to_document(), window=2)
    gc.collect()
    gc.freeze()  # what is there already is not looked through at every step
    frames = 0
    try:
        while (node := state.next()) is not None:
            finish(state, node)
            frames = max(frames, sum(isinstance(each, Frame) for each in gc.get_referrers(Frame)))
    finally:
        gc.unfreeze()
    assert state.skipped_counts["outside"] == 1
    assert frames <= 1 + 2


def test_what_nothing_reads_is_kept_outside_iterations_only() -> None:
    draft = GraphDraft()
    item = draft.add("toy_iterate", id="each", collection=[1, 2]).output("item")
    draft.add("toy_add", id="inside", a=item)
    draft.add("toy_integer", id="outside", value=3)
    state = state_of(draft.to_document())
    drive(state)
    assert list(state.results) == ["outside"]
    assert len(state.outputs) == 5


def test_how_much_has_run_is_counted() -> None:
    state = state_of(iterated(5))
    drive(state)
    assert state.executed_counts == {"range": 1, "iterate": 5, "add": 5, "collect": 1, "sum": 1}


@pytest.mark.parametrize("window", [1, 2, 100])
def test_the_window_changes_no_result(window: int) -> None:
    def run(document: dict[str, Any], **options: Any) -> dict[str, Any]:
        state = state_of(document, **options)
        drive(state)
        return results(state)

    assert run(nested(5, 4), window=window) == run(nested(5, 4))


@pytest.mark.parametrize("window", [0, -1])
def test_a_window_that_opens_nothing_is_refused(window: int) -> None:
    with pytest.raises(ValueError, match=f"a window of {window} opens nothing: give 1 or more"):
        state_of(iterated(1), window=window)
