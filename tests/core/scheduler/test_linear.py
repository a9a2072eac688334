"""A long run costs as much for each execution as a short one. Counted, not timed: steps of the scheduler's own code."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from support.random_graphs import sums
from support.runs import RecordedRun, advance, drive, state_of
from support.toys import CATALOGUE, chain, fan_out, iterated, nested, streamed

from impasto_sdk.draft import GraphDraft


def steps(act: Callable[[], object]) -> int:
    """How many instructions of the scheduler's modules are carried out."""
    count = 0

    def counting(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal count
        if "scheduler" not in frame.f_code.co_filename:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return counting

    before = sys.gettrace()
    sys.settrace(counting)
    try:
        act()
    finally:
        sys.settrace(before)
    return count


def built(build: Callable[[GraphDraft, int], None]) -> Callable[[int], dict[str, Any]]:
    """A builder of documents of a size."""

    def document(size: int) -> dict[str, Any]:
        draft = GraphDraft()
        build(draft, size)
        return draft.to_document()

    document.__name__ = build.__name__
    return document


@built
def branches(draft: GraphDraft, size: int) -> None:
    for number in range(size):
        sides = [draft.add("toy_integer", value=side).output("value") for side in (1, 2)]
        condition = draft.add("toy_even", value=number).output("value")
        draft.add("toy_if", condition=condition, true_input=sides[0], false_input=sides[1])


@built
def loops_beside_one_another(draft: GraphDraft, size: int) -> None:
    """All of them read one value from outside."""
    shared = draft.add("toy_integer", value=1).output("value")
    for _ in range(size):
        item = draft.add("toy_iterate", collection=[1]).output("item")
        draft.add("toy_collect", item=draft.add("toy_add", a=item, b=shared).output("value"))


@built
def choices_in_iterations(draft: GraphDraft, size: int) -> None:
    outside = draft.add("toy_integer", value=1).output("value")
    item = draft.add("toy_iterate", collection=list(range(size))).output("item")
    even = draft.add("toy_even", value=item).output("value")
    chosen = draft.add("toy_if", condition=even, true_input=outside, false_input=item).output("value")
    draft.add("toy_sum", collection=draft.add("toy_collect", item=chosen).output("collection"))


@built
def iterations_that_read_a_sum_of_all(draft: GraphDraft, size: int) -> None:
    item = draft.add("toy_iterate", collection=list(range(size))).output("item")
    collected = draft.add("toy_collect", item=item).output("collection")
    draft.add("toy_add", a=item, b=draft.add("toy_sum", collection=collected).output("value"))


@built
def products(draft: GraphDraft, size: int) -> None:
    left = draft.add("toy_iterate", collection=list(range(size // 4))).output("item")
    right = draft.add("toy_iterate", collection=[1, 2, 3, 4]).output("item")
    draft.add("toy_collect", item=draft.add("toy_add", a=left, b=right).output("value"))


@built
def calls_in_iterations(draft: GraphDraft, size: int) -> None:
    item = draft.add("toy_iterate", collection=list(range(size // 4))).output("item")
    call = draft.add("toy_call", workflow_id="sums", called=sums())
    draft.connect(item, call.input("saved_workflow_input::numbers::start"))


@built
def lists_read_while_they_are_given(draft: GraphDraft, size: int) -> None:
    """All items are needed at once by some, while one goes through them as they come."""
    numbers = draft.add("toy_stream", size=size).output("collection")
    draft.add("toy_iterate", collection=numbers)
    for _ in range(size):
        draft.add("toy_sum", collection=numbers)


def square(size: int) -> dict[str, Any]:
    side = round(size**0.5)
    return nested(side, side)


def given_item_by_item(size: int) -> dict[str, Any]:
    return streamed(size, 2, source="toy_stream")


SHAPES = [
    chain,
    fan_out,
    iterated,
    square,
    branches,
    loops_beside_one_another,
    choices_in_iterations,
    iterations_that_read_a_sum_of_all,
    products,
    calls_in_iterations,
    given_item_by_item,
    lists_read_while_they_are_given,
]


def steps_of_an_execution(document: dict[str, Any]) -> float:
    """On average, from making the state to the end of the run."""
    state: list[RecordedRun] = []

    def run() -> None:
        state.append(state_of(document))
        drive(state[0])

    return steps(run) / sum(state[0].executed_counts.values())


def steps_of_a_round_trip(document: dict[str, Any], executed: int) -> int:
    """For writing down a run that has come so far, and reading it."""
    state = state_of(document)
    advance(state, executed)
    written = state.to_document()
    return steps(state.to_document) + steps(lambda: RecordedRun.from_document(written, CATALOGUE))


@pytest.mark.parametrize("shape", SHAPES)
def test_a_long_run_takes_no_more_steps_for_an_execution_than_a_short_one(
    shape: Callable[[int], dict[str, Any]],
) -> None:
    assert steps_of_an_execution(shape(324)) <= 1.05 * steps_of_an_execution(shape(36))


@pytest.mark.parametrize("shape", SHAPES)
def test_writing_a_run_down_and_reading_it_is_linear_too(shape: Callable[[int], dict[str, Any]]) -> None:
    assert steps_of_a_round_trip(shape(324), 324) <= 9.2 * steps_of_a_round_trip(shape(36), 36)
