"""Changing a graph while it runs: what has begun stays as it is, the rest may change."""

import pytest
from support.random_graphs import sums
from support.runs import advance, drive, finish, results, state_of
from support.toys import chain, fan_out, iterated, streamed

from impasto.errors import GraphValidationError, NodeAlreadyExecutedError, NodeNotFoundError
from impasto.graph import Edge, Graph, GraphNode
from impasto_sdk.draft import GraphDraft


def test_a_node_that_waits_may_be_changed() -> None:
    state = state_of(chain(3))
    advance(state, 1)
    state.edit().update_node("add_2", GraphNode("add_2", "toy_add", inputs={"b": 100}))
    drive(state)
    assert results(state)["add_2"] == {"value": 102}


def test_a_node_may_be_added_behind_what_has_run() -> None:
    state = state_of(chain(2))
    advance(state, 1)
    state.edit().add_node(GraphNode("new", "toy_add", inputs={"b": 10}))
    state.edit().add_edge(Edge.between("add_0", "value", "new", "a"))
    assert set(drive(state)) == {"add_1", "new"}
    assert results(state)["new"] == {"value": 11}


def test_a_node_that_waits_may_be_taken_out() -> None:
    state = state_of(chain(3))
    advance(state, 1)
    state.edit().delete_node("add_2")
    assert drive(state) == ["add_1"]


def test_an_edge_may_lead_elsewhere() -> None:
    state = state_of(fan_out(2))
    state.edit().delete_edge(Edge.between("start", "value", "add_1", "a"))
    state.edit().add_edge(Edge.between("add_0", "value", "add_1", "a"))
    drive(state)
    assert results(state)["add_1"] == {"value": 2}


@pytest.mark.parametrize("node_id", ["add_0", "add_1", "add_2"])
def test_what_has_run_is_out_or_may_start_is_not_changed(node_id: str) -> None:
    state = state_of(fan_out(3))
    advance(state, 2)
    assert state.next() is not None
    with pytest.raises(NodeAlreadyExecutedError, match=f"{node_id} cannot be changed: the run has prepared it"):
        state.edit().update_node(node_id, GraphNode(node_id, "toy_integer"))
    with pytest.raises(NodeAlreadyExecutedError, match=f"{node_id} cannot be changed"):
        state.edit().delete_node(node_id)
    with pytest.raises(NodeAlreadyExecutedError, match=f"{node_id} cannot be changed"):
        state.edit().delete_edge(Edge.between("start", "value", node_id, "a"))


def test_nodes_of_a_loop_may_be_changed_until_it_begins() -> None:
    state = state_of(iterated(3))
    state.edit().update_node("add", GraphNode("add", "toy_add", inputs={"b": 10}))
    advance(state, 2)
    with pytest.raises(NodeAlreadyExecutedError, match="add cannot be changed"):
        state.edit().update_node("add", GraphNode("add", "toy_add", inputs={"b": 20}))
    state.edit().update_node("sum", GraphNode("sum", "toy_sum"))
    drive(state)
    assert results(state)["sum"] == {"value": 33}


def test_nodes_of_a_loop_over_nothing_are_not_changed_once_that_is_known() -> None:
    draft = GraphDraft()
    outside = draft.add("toy_integer", id="outside", value=1).output("value")
    item = draft.add("toy_iterate", id="each", collection=[]).output("item")
    draft.add("toy_add", id="add", a=item, b=outside)
    state = state_of(draft.to_document())
    advance(state, 1)
    with pytest.raises(NodeAlreadyExecutedError, match="add cannot be changed"):
        state.edit().delete_edge(Edge.between("each", "item", "add", "a"))


def test_what_a_loop_gave_cannot_be_read_by_new_nodes() -> None:
    state = state_of(iterated(3))
    advance(state, 3)
    state.edit().add_node(GraphNode("new", "toy_collect"))
    with pytest.raises(NodeAlreadyExecutedError, match="what add gave cannot be read any more"):
        state.edit().add_edge(Edge.between("add", "value", "new", "item"))


def test_an_output_that_was_let_go_cannot_be_read_by_new_nodes() -> None:
    state = state_of(chain(3))
    advance(state, 2)
    state.edit().add_node(GraphNode("new", "toy_add"))
    with pytest.raises(NodeAlreadyExecutedError, match="what add_0 gave cannot be read any more"):
        state.edit().add_edge(Edge.between("add_0", "value", "new", "a"))


def test_what_is_out_stays_out() -> None:
    state = state_of(fan_out(2))
    advance(state, 1)
    out = state.next()
    assert out is not None
    state.edit().add_node(GraphNode("aside", "toy_integer"))
    assert sorted(drive_without_end(state)) == ["add_1", "aside"]
    finish(state, out)
    assert state.is_complete()


def drive_without_end(state) -> list[str]:  # type: ignore[no-untyped-def] # a RecordedRun
    handed_out = []
    while (node := state.next()) is not None:
        handed_out.append(node.id)
        finish(state, node)
    return handed_out


def test_a_generator_that_has_begun_goes_on() -> None:
    state = state_of(streamed(3, 1, source="toy_stream"))
    advance(state, 2)
    state.edit().add_node(GraphNode("aside", "toy_integer"))
    drive(state)
    assert results(state)["sum"] == {"value": 6}


def test_a_branch_that_has_chosen_its_side_is_not_changed() -> None:
    draft = GraphDraft()
    condition = draft.add("toy_boolean", id="condition", value=True).output("value")
    side = draft.add("toy_integer", id="side", value=1).output("value")
    draft.add("toy_if", id="if", condition=condition, true_input=side)
    state = state_of(draft.to_document())
    state.edit().update_node("if", GraphNode("if", "toy_if", inputs={"false_input": 2}))
    advance(state, 1)
    with pytest.raises(NodeAlreadyExecutedError, match="if cannot be changed"):
        state.edit().delete_edge(Edge.between("condition", "value", "if", "condition"))
    drive(state)
    assert results(state)["if"] == {"value": 1}


def test_what_an_edit_reads_is_not_let_go_before_it_is_taken_up() -> None:
    state = state_of(chain(2))
    advance(state, 1)
    last = state.next()
    assert last is not None
    state.edit().add_node(GraphNode("new", "toy_add", inputs={"b": 10}))
    state.edit().add_edge(Edge.between("add_0", "value", "new", "a"))
    finish(state, last)
    drive(state)
    assert results(state)["new"] == {"value": 11}


def test_an_edit_is_taken_up_before_a_node_that_was_out_comes_back() -> None:
    draft = GraphDraft()
    condition = draft.add("toy_boolean", id="condition", value=True).output("value")
    draft.add("toy_if", id="if", condition=condition, true_input=1, false_input=2)
    state = state_of(draft.to_document())
    out = state.next()
    assert out is not None
    state.edit().delete_edge(Edge.between("condition", "value", "if", "condition"))
    finish(state, out)
    drive(state)
    assert results(state)["if"] == {"value": 2}


@pytest.mark.parametrize("steps", [1, 5, 10])
def test_a_call_whose_graph_has_begun_goes_on(steps: int) -> None:
    state = state_of({"nodes": {"call": {"type": "toy_call", "workflow_id": "sums", "called": sums()}}})
    advance(state, steps)
    state.edit().add_node(GraphNode("aside", "toy_integer"))
    drive(state)
    assert results(state)["call"] == {"values": {"total": 3}}


def test_an_edited_graph_that_cannot_run_is_refused_until_it_is_mended() -> None:
    state = state_of(chain(1))
    state.edit().add_node(GraphNode("new", "toy_required"))
    with pytest.raises(GraphValidationError, match="must be set or connected"):
        state.next()
    state.edit().add_edge(Edge.between("add_0", "value", "new", "value"))
    drive(state)
    assert results(state)["new"] == {"value": 2}


def test_the_graph_that_was_given_stays_as_it_was() -> None:
    state = state_of(chain(2))
    given = state.graph
    before = given.to_document()
    state.edit().delete_node("add_1")
    drive(state)
    assert given.to_document() == before
    assert isinstance(state.graph, Graph)
    assert list(state.graph.nodes) == ["add_0"]


def test_what_is_not_there_cannot_be_changed() -> None:
    with pytest.raises(NodeNotFoundError, match="the graph has no node 'add_7'"):
        state_of(chain(1)).edit().delete_node("add_7")
