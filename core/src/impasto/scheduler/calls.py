"""What goes into a graph that a call runs, and what comes out of it."""

from collections.abc import Mapping
from typing import Any

from impasto.errors import NodeInputError
from impasto.graph import CalledGraph
from impasto.graph.control_flow import VALUES, WORKFLOW_INPUTS, call_input_name
from impasto.scheduler.frame import Frame
from impasto.scheduler.plan import Plan
from impasto_sdk.node import NodeKind

__all__ = ["given_to", "returned_by"]


def given_to(called: CalledGraph, call_id: str, inputs: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Values by node and input of the called graph, from a call's `inputs` by the names that they have there.

    Raises `NodeInputError` for a value that the graph does not take. What is written was checked with the graph that
    calls; such a value came over an edge.
    """
    offered = {call_input_name(each): each for each in called.inputs}
    given: dict[str, dict[str, Any]] = {}
    for name, value in inputs.items():
        target = offered.get(name)
        if target is None:
            raise NodeInputError(
                f"{call_id}.{WORKFLOW_INPUTS} has a value for {name!r}, which its graph does not take",
                node_id=call_id,
                field=WORKFLOW_INPUTS,
                value=name,
                suggestion=f"it takes {', '.join(offered) or 'no inputs'}",
            )
        given.setdefault(target.node_id, {})[target.field] = value
    return given


def returned_by(plan: Plan, root: Frame) -> Any:
    """The values that a called graph returned, by key; its check has seen to it that one node returns them."""
    returned = next(each for each in plan.nodes.values() if each.spec.kind is NodeKind.RETURN)
    return getattr(root.outputs[returned.slot], VALUES)
