"""Driving a `GraphExecutionState` of toy nodes in tests, without an engine."""

from collections.abc import Mapping, Sequence
from typing import Any

from impasto.graph import Graph
from impasto.scheduler import ExecutionNode, GraphExecutionState
from impasto_sdk.fields import BaseInvocationOutput
from support.toys import CATALOGUE

__all__ = ["drive", "finish", "results", "state_of"]


def state_of(document: Mapping[str, Any], *, ready_order: Sequence[str] = ()) -> GraphExecutionState:
    """A run of a graph of toys that has not begun."""
    return GraphExecutionState(Graph.from_document(document), CATALOGUE, session_id="session", ready_order=ready_order)


def finish(state: GraphExecutionState, node: ExecutionNode) -> BaseInvocationOutput:
    """Run one node that was handed out, and tell the state."""
    if node.is_control:
        output = state.evaluate(node)
    else:
        output = node.spec.invocation(id=node.id, **state.inputs(node)).invoke(None)  # type: ignore[arg-type] # toys ask for nothing
    state.complete(node.id, output)
    return output


def drive(state: GraphExecutionState) -> list[str]:
    """Run to the end, one node after the other; gives the execution ids in the order in which they were handed out."""
    handed_out = []
    while (node := state.next()) is not None:
        handed_out.append(node.id)
        finish(state, node)
    assert state.is_complete(), f"nothing is ready, and the run is not over: {state.indegree}"
    return handed_out


def results(state: GraphExecutionState) -> dict[str, dict[str, Any]]:
    """Everything that came out so far, as plain values by execution id."""
    return {execution_id: output.model_dump() for execution_id, output in state.results.items()}
