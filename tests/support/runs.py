"""Driving a `GraphExecutionState` of toy nodes in tests, without an engine."""

import json
from collections.abc import Generator, Mapping
from typing import Any

from impasto.graph import Graph
from impasto.scheduler import ExecutionNode, GraphExecutionState
from impasto_sdk.fields import BaseInvocationOutput
from support.toys import CATALOGUE

__all__ = ["RecordedRun", "advance", "drive", "drive_written_down", "finish", "results", "state_of"]


class RecordedRun(GraphExecutionState):
    """A run that keeps everything that came out, as whoever drives a run may."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        #: Outputs by execution id, in the order in which they came.
        self.outputs: dict[str, BaseInvocationOutput] = {}
        #: Generators that have begun, by execution id.
        self.generators: dict[str, Generator[Any, None, BaseInvocationOutput]] = {}

    def complete(self, execution_id: str, output: BaseInvocationOutput) -> None:
        super().complete(execution_id, output)
        self.outputs[execution_id] = output


def state_of(document: Mapping[str, Any], **options: Any) -> RecordedRun:
    """A run of a graph of toys that has not begun."""
    return RecordedRun(Graph.from_document(document), CATALOGUE, session_id="session", **options)


def finish(state: RecordedRun, node: ExecutionNode) -> BaseInvocationOutput | None:
    """Run one node that was handed out, and tell the state; of a generator: for one item.

    Gives the output; None for a generator that has given an item, and for a call that has begun.
    """
    if node.is_control:
        output = state.evaluate(node)
    elif node.spec.yields:
        output = _take_item(state, node)
    else:
        output = node.spec.invocation(id=node.id, **state.inputs(node)).invoke(None)  # type: ignore[arg-type,assignment] # toys ask for nothing
    if output is not None:
        state.complete(node.id, output)
    return output


def _take_item(state: RecordedRun, node: ExecutionNode) -> BaseInvocationOutput | None:
    if not node.resumed:
        running: Any = node.spec.invocation(id=node.id, **state.inputs(node)).invoke(None)  # type: ignore[arg-type] # as above
        for _ in range(node.emitted):
            next(running)
        state.generators[node.id] = running
    try:
        item = next(state.generators[node.id])
    except StopIteration as end:
        output: BaseInvocationOutput = end.value
        return output
    state.emit(node.id, item)
    return None


def advance(state: RecordedRun, count: int) -> None:
    """Run so many nodes, one after the other."""
    for _ in range(count):
        node = state.next()
        assert node is not None, "nothing is ready"
        finish(state, node)


def drive_written_down(state: RecordedRun) -> dict[str, dict[str, Any]]:
    """Run to the end, through a round trip as JSON before each step, which changes nothing; gives all that came out."""
    outputs: dict[str, dict[str, Any]] = {}
    for _ in range(1000):
        written = json.loads(json.dumps(state.to_document()))
        state = RecordedRun.from_document(written, CATALOGUE)
        assert json.loads(json.dumps(state.to_document())) == written
        node = state.next()
        if node is None:
            break
        finish(state, node)
        outputs |= results(state)
    assert state.is_complete()
    return outputs


def drive(state: RecordedRun) -> list[str]:
    """Run to the end, one node after the other; gives the execution ids in the order in which they were handed out."""
    handed_out = []
    while (node := state.next()) is not None:
        handed_out.append(node.id)
        finish(state, node)
    assert state.is_complete(), f"nothing is ready, and the run is not over: {state.indegree}"
    return handed_out


def results(state: RecordedRun) -> dict[str, dict[str, Any]]:
    """Everything that came out so far, as plain values by execution id."""
    return {execution_id: output.model_dump() for execution_id, output in state.outputs.items()}
