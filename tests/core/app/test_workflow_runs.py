"""What a saved workflow comes to as a batch, with values for its inputs."""

from typing import Any

import pytest
from support.workflows import edge, expose, invocation, workflow

from impasto.app.workflow_runs import workflow_batch
from impasto.app.workflows import WorkflowLibrary
from impasto.errors import GraphValidationError
from impasto.storage.workflow_dto import WorkflowRecord


@pytest.fixture
def saved(workflows: WorkflowLibrary) -> WorkflowRecord:
    nodes = [invocation("a", "toy_add", {"a": 1, "b": 2}), invocation("b::c", "toy_add", {"a": 3, "b": 4})]
    exposed = expose("a.b", "b::c.a", "b::c.b")
    return workflows.create(workflow(nodes, [edge("a.value", "b::c.a")], exposedFields=exposed))


def nodes_of(batch: Any) -> dict[str, Any]:
    return {node_id: {k: v for k, v in node.items() if k in "ab"} for node_id, node in batch.graph["nodes"].items()}


def test_values_go_into_the_graph_and_into_the_workflow_that_is_kept(saved: WorkflowRecord) -> None:
    batch = workflow_batch(saved, {"a::b": 20, "b::c::b": None}, runs=3, origin="o", destination="d")

    assert nodes_of(batch) == {"a": {"a": 1, "b": 20}, "b::c": {"b": None}}
    assert (batch.runs, batch.origin, batch.destination) == (3, "o", "d")
    kept = {node["id"]: node["data"]["inputs"] for node in batch.workflow["nodes"]}
    assert (kept["a"]["b"]["value"], kept["b::c"]["b"]["value"], kept["a"]["a"]["value"]) == (20, None, 1)
    assert batch.workflow["id"] == saved.workflow_id


def test_without_values_the_workflow_runs_as_it_was_saved(saved: WorkflowRecord) -> None:
    batch = workflow_batch(saved, {})

    assert nodes_of(batch) == {"a": {"a": 1, "b": 2}, "b::c": {"b": 4}}
    assert batch.workflow == saved.workflow


@pytest.mark.parametrize("name", ["a::a", "b::c::a", "gone::b", "a.b", ""])
def test_inputs_that_are_hidden_connected_or_unknown_are_refused(saved: WorkflowRecord, name: str) -> None:
    with pytest.raises(GraphValidationError) as caught:
        workflow_batch(saved, {"a::b": 1, name: 5})
    (problem,) = caught.value.problems
    assert (problem.code, problem.found) == ("unknown_input", name)
    assert problem.expected == "it exposes a::b, b::c::b"


def test_a_workflow_that_exposes_nothing_says_how_it_could(workflows: WorkflowLibrary) -> None:
    saved = workflows.create(workflow([invocation("a", "toy_add")]))
    with pytest.raises(GraphValidationError, match="it exposes none; put its fields into its form"):
        workflow_batch(saved, {"a::b": 1})
