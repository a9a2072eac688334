"""Calling a workflow and returning from one, one node at a time; whole calls are the scheduler's tests."""

import pytest

from impasto_primitives.nodes.workflows import (
    CallSavedWorkflow,
    WorkflowReturn,
    WorkflowReturnGet,
    WorkflowReturnValue,
)
from impasto_sdk.errors import InvalidInputError
from impasto_sdk.fields import ImageField, WorkflowReturnValueField
from impasto_sdk.node import NodeKind
from impasto_sdk.testing import run_node


def returned(key: str, value: object) -> WorkflowReturnValueField:
    return run_node(WorkflowReturnValue(key=key, value=value)).value


def test_the_scheduler_is_told_what_each_is():
    nodes = (CallSavedWorkflow, WorkflowReturn, WorkflowReturnValue, WorkflowReturnGet)
    assert [node.spec.kind for node in nodes] == [NodeKind.CALL, NodeKind.RETURN, NodeKind.PLAIN, NodeKind.PLAIN]


def test_a_client_is_told_that_a_workflow_is_to_be_chosen():
    inputs = CallSavedWorkflow.spec.to_document()["input_schema"]["properties"]
    assert inputs["workflow_id"]["x-ui"]["component"] == "workflow"
    assert inputs["workflow_inputs"]["x-ui"]["hidden"] is True


def test_a_call_outside_a_run_says_what_to_do():
    with pytest.raises(InvalidInputError, match="workflow_id = 'w1': a workflow can only be called in a run"):
        run_node(CallSavedWorkflow(workflow_id="w1"))


@pytest.mark.parametrize("value", [None, 3, "text", [1, 2], ImageField(image_name="a.png")])
def test_a_value_of_any_type_gets_a_key(value):
    assert returned("picture", value) == WorkflowReturnValueField(key="picture", value=value)


def test_a_value_without_a_key_is_refused():
    with pytest.raises(InvalidInputError) as caught:
        run_node(WorkflowReturnValue(value=1))
    assert caught.value.field == "key"


def test_a_workflow_returns_its_values_by_key():
    output = run_node(WorkflowReturn(values=[returned("seed", 3), returned("name", "a")]))
    assert output.values == {"seed": 3, "name": "a"}


def test_one_value_needs_no_list():
    assert run_node(WorkflowReturn(values=returned("seed", 3))).values == {"seed": 3}


def test_a_workflow_may_return_nothing():
    assert run_node(WorkflowReturn()).values == {}


def test_two_values_under_one_key_are_refused_and_the_key_is_named():
    values = [returned("seed", 1), returned("name", "a"), returned("seed", 2)]
    with pytest.raises(InvalidInputError, match="'seed'") as caught:
        run_node(WorkflowReturn(values=values))
    assert (caught.value.field, caught.value.value) == ("values", "seed")


def test_a_returned_value_is_got_by_its_key():
    values = run_node(WorkflowReturn(values=[returned("a", None), returned("b", [1, 2])])).values
    assert run_node(WorkflowReturnGet(values=values, key="b")).value == [1, 2]
    assert run_node(WorkflowReturnGet(values=values, key="a")).value is None


@pytest.mark.parametrize(("values", "there"), [({"a": 1, "b": 2}, "'a', 'b'"), ({}, "none")])
def test_a_key_that_is_not_there_names_the_keys_that_are(values, there):
    with pytest.raises(InvalidInputError, match=f"it has {there}") as caught:
        run_node(WorkflowReturnGet(values=values, key="c"))
    assert (caught.value.field, caught.value.value) == ("key", "c")
