"""`CalledGraph`: the graph that a call runs, and which of its inputs the call may set.

A snapshot of a saved workflow, taken when the run was submitted, so that a later edit of the workflow changes nothing
for a run that waits. It travels in the call's own document, under ``called``. Read by the check of a graph and by the
scheduler; made by `impasto.graph.document` and by whoever resolves calls.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from impasto.errors import Problem
from impasto.graph.edge import EdgeConnection
from impasto_sdk.fields import JsonValue

if TYPE_CHECKING:  # a graph is made of nodes, and a node may carry one of these
    from impasto.graph.graph import Graph

__all__ = ["MAX_CALL_DEPTH", "CalledGraph", "inside_call", "too_deep"]

#: So many graphs may call one another, each inside the one before. InvokeAI's bound.
MAX_CALL_DEPTH = 4


@dataclass(frozen=True, slots=True, eq=False)
class CalledGraph:
    """The graph that a node of kind `NodeKind.CALL` runs. Two of them are equal when they are the same one."""

    #: The saved workflow that it was taken from.
    workflow_id: str
    #: The workflow's name, for messages.
    name: str
    graph: "Graph"
    #: Inputs inside the graph that the call may set, as `call_input_name` calls them, or have connected.
    inputs: tuple[EdgeConnection, ...] = ()

    def to_document(self) -> dict[str, JsonValue]:
        """The called graph as the document of its call holds it."""
        return {
            "workflow_id": self.workflow_id,
            "name": self.name,
            "graph": self.graph.to_document(),
            "inputs": [input._asdict() for input in self.inputs],
        }


def inside_call(call_id: str, problem: Problem) -> Problem:
    """A problem of a called graph, as a problem of the graph that calls it: ids have the call's id in front."""
    return replace(
        problem,
        message=f"in the graph that {call_id!r} calls: {problem.message}",
        node_id=call_id if problem.node_id is None else f"{call_id}/{problem.node_id}",
        nodes=tuple(f"{call_id}/{node_id}" for node_id in problem.nodes),
    )


def too_deep(call_id: str) -> Problem:
    """The problem of a call whose graph would stand inside too many others."""
    suggestion = "call fewer workflows inside one another"
    return Problem(
        "calls_too_deep",
        f"{call_id}: what it calls would stand inside {MAX_CALL_DEPTH + 1} calls, and at most {MAX_CALL_DEPTH} may "
        f"stand inside one another; {suggestion}",
        node_id=call_id,
        field="called",
        found=MAX_CALL_DEPTH + 1,
        expected=f"at most {MAX_CALL_DEPTH}",
        suggestion=suggestion,
    )
