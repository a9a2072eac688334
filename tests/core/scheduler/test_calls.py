"""Nodes that run a graph of their own."""

from typing import Any

import pytest
from support.runs import drive, drive_written_down, finish, results, state_of
from support.toys import CATALOGUE, summing

from impasto.errors import NodeAlreadyExecutedError, NodeInputError
from impasto_sdk.draft import GraphDraft


def called(graph: dict[str, Any], *inputs: tuple[str, str]) -> dict[str, Any]:
    """What a call carries."""
    exposed = [{"node_id": node_id, "field": field} for node_id, field in inputs]
    return {"workflow_id": "sums", "name": "Sums", "graph": graph, "inputs": exposed}


def calling(graph: dict[str, Any], *inputs: tuple[str, str], **written: Any) -> dict[str, Any]:
    """The document of a call."""
    return {"type": "toy_call", "workflow_id": "sums", "called": called(graph, *inputs), **written}


def edge(source: str, output: str, target: str, name: str) -> dict[str, Any]:
    return {"source": {"node_id": source, "field": output}, "destination": {"node_id": target, "field": name}}


START = "saved_workflow_input::numbers::start"


def test_a_call_runs_its_graph_under_its_own_id_and_gives_what_that_returns() -> None:
    state = state_of({"nodes": {"call": calling(summing(0))}})
    handed_out = drive(state)
    assert handed_out[0] == handed_out[-1] == "call"
    assert handed_out[1:-1] == [
        "call/numbers",
        "call/each[0]",
        "call/each[1]",
        "call/add[0]",
        "call/add[1]",
        "call/all",
        "call/sum",
        "call/pair",
        "call/return",
    ]
    assert results(state)["call"] == {"values": {"total": 1}}


def test_nodes_of_a_called_graph_say_where_they_come_from_and_a_call_that_it_goes_on() -> None:
    state = state_of({"nodes": {"call": calling(summing(0))}})
    nodes = []
    while (node := state.next()) is not None:
        nodes.append(node)
        finish(state, node)
    assert [(node.id, node.source_id, node.path) for node in nodes if node.source_id == "call/add"] == [
        ("call/add[0]", "call/add", (0,)),
        ("call/add[1]", "call/add", (1,)),
    ]
    assert [node.resumed for node in nodes if node.id == "call"] == [False, True]


@pytest.mark.parametrize(
    "written", [{START: 10}, {"workflow_inputs": {START: 10}}, {"workflow_inputs": {START: 3}, START: 10}]
)
def test_inputs_of_the_called_graph_may_be_written(written: dict[str, Any]) -> None:
    state = state_of({"nodes": {"call": calling(summing(0), ("numbers", "start"), **written)}})
    drive(state)
    assert results(state)["call"] == {"values": {"total": 21}}


def test_a_value_that_comes_over_an_edge_for_an_input_that_is_not_offered_is_an_error_of_the_call() -> None:
    nodes = {
        "values": {"type": "toy_if", "condition": True, "true_input": {START: 1, "saved_workflow_input::add::b": 2}},
        "call": calling(summing(0), ("numbers", "start")),
    }
    state = state_of({"nodes": nodes, "edges": [edge("values", "value", "call", "workflow_inputs")]})
    with pytest.raises(NodeInputError, match="'saved_workflow_input::add::b', which its graph does not take"):
        drive(state)


def test_a_value_that_the_called_graph_did_not_return_is_an_error_that_names_it() -> None:
    nodes = {"call": calling(summing(0)), "after": {"type": "toy_add"}}
    edges = [edge("call", "saved_workflow_output::total", "after", "a")]
    state = state_of({"nodes": nodes, "edges": edges})
    node = state.next()
    assert node is not None
    state.complete("call", node.spec.output(values={"other": 1}))
    with pytest.raises(NodeInputError, match="the called graph returned no 'total', only other"):
        drive(state)


def test_inputs_of_the_called_graph_may_be_connected_and_its_values_read_by_key() -> None:
    nodes = {
        "start": {"type": "toy_integer", "value": 5},
        "call": calling(summing(0), ("numbers", "start")),
        "after": {"type": "toy_add", "b": 100},
    }
    edges = [edge("start", "value", "call", START), edge("call", "saved_workflow_output::total", "after", "a")]
    state = state_of({"nodes": nodes, "edges": edges})
    drive(state)
    assert results(state)["after"] == {"value": 111}


def test_each_iteration_calls_for_itself_and_a_collector_inside_gathers_only_its_own() -> None:
    nodes = {
        "each": {"type": "toy_iterate", "collection": [0, 10, 20]},
        "call": calling(summing(0), ("numbers", "start")),
        "all": {"type": "toy_collect"},
    }
    edges = [
        edge("each", "item", "call", START),
        edge("call", "saved_workflow_output::total", "all", "item"),
    ]
    state = state_of({"nodes": nodes, "edges": edges})
    drive(state)
    assert results(state)["all"] == {"collection": [1, 21, 41]}
    assert results(state)["call[1]/sum"] == {"value": 21}


def test_a_called_graph_may_call_another() -> None:
    draft = GraphDraft()
    pair = draft.add("toy_return_value", id="pair", key="seen").output("value")
    draft.add("toy_return", id="return", values=pair)
    middle = draft.to_document()
    middle["nodes"]["inner"] = calling(summing(0), ("numbers", "start"))
    middle["edges"].append(edge("inner", "saved_workflow_output::total", "pair", "value"))
    middle["nodes"]["begin"] = {"type": "toy_integer", "value": 1}
    middle["edges"].append(edge("begin", "value", "inner", START))
    outer = calling(middle, ("begin", "value"), **{"saved_workflow_input::begin::value": 7})
    outer["workflow_id"] = outer["called"]["workflow_id"] = "outermost"
    state = state_of({"nodes": {"outer": outer}})
    handed_out = drive(state)
    assert "outer/inner/add[1]" in handed_out
    assert results(state)["outer"] == {"values": {"seen": 15}}


def test_a_call_behind_a_side_that_is_not_chosen_never_begins() -> None:
    nodes = {
        "condition": {"type": "toy_boolean", "value": False},
        "call": calling(summing(0)),
        "if": {"type": "toy_if", "false_input": 3},
    }
    edges = [
        edge("condition", "value", "if", "condition"),
        edge("call", "saved_workflow_output::total", "if", "true_input"),
    ]
    state = state_of({"nodes": nodes, "edges": edges})
    assert drive(state) == ["condition", "if"]


def test_a_call_that_ran_before_may_be_completed_without_its_graph() -> None:
    state = state_of({"nodes": {"call": calling(summing(0))}})
    node = state.next()
    assert node is not None
    state.complete("call", node.spec.output(values={"total": 9}))
    assert state.is_complete()


def test_no_more_graphs_are_under_way_at_once_than_the_window_is_wide() -> None:
    state = state_of({"nodes": {f"call_{place}": calling(summing(0)) for place in range(7)}}, window=2)
    while (node := state.next([])) is not None:
        finish(state, node)
    begun = {name.partition("/")[0] for name in state.prepared_source_mapping if "/" in name}
    assert begun == {"call_0", "call_1"}
    state.complete("call_2", CATALOGUE["toy_call"].output(values={"total": 1}))
    drive(state)
    assert all(results(state)[f"call_{place}"] == {"values": {"total": 1}} for place in range(7))


def test_an_error_inside_a_called_graph_ends_the_run() -> None:
    state = state_of({"nodes": {"call": calling(summing(0))}})
    for _ in range(2):
        node = state.next()
        assert node is not None
        finish(state, node) if node.id == "call" else state.set_node_error(node.id, "it broke")
    assert state.errors == {"call/numbers": "it broke"}
    assert state.is_complete()
    with pytest.raises(NodeAlreadyExecutedError, match="call/numbers is failed already"):
        state.set_node_error("call/numbers", "again")


def test_a_round_trip_at_any_step_goes_on_inside_the_called_graph() -> None:
    nodes = {
        "each": {"type": "toy_iterate", "collection": [0, 10, 20]},
        "call": calling(summing(0), ("numbers", "start")),
        "all": {"type": "toy_collect"},
    }
    edges = [
        edge("each", "item", "call", START),
        edge("call", "saved_workflow_output::total", "all", "item"),
    ]
    state = state_of({"nodes": nodes, "edges": edges})
    outputs = drive_written_down(state)
    assert outputs["all"] == {"collection": [1, 21, 41]}


def test_typed_values_reach_the_called_graph_as_they_are() -> None:
    draft = GraphDraft()
    denoised = draft.add("toy_denoise", id="denoise").output("latents")
    pair = draft.add("toy_return_value", id="pair", key="latents", value=denoised).output("value")
    draft.add("toy_return", id="return", values=pair)
    nodes = {
        "noise": {"type": "toy_noise", "seed": 3},
        "call": calling(draft.to_document(), ("denoise", "latents")),
        "after": {"type": "toy_denoise"},
    }
    edges = [
        edge("noise", "latents", "call", "saved_workflow_input::denoise::latents"),
        edge("call", "saved_workflow_output::latents", "after", "latents"),
    ]
    state = state_of({"nodes": nodes, "edges": edges})
    drive(state)
    assert results(state)["after"]["latents"]["latents_name"] == "noise-3-10-10"
