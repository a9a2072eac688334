"""The scheduler against the naive evaluation of random graphs."""

import json
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.naive_run import NaiveRun
from support.random_graphs import graphs
from support.runs import RecordedRun, drive, finish, results, state_of
from support.toys import CATALOGUE

from impasto.graph import GraphNode
from impasto.scheduler import ExecutionNode

#: The machine may be busy, and graphs are big: no limit on the time of one.
unhurried = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])


@unhurried
@given(graphs())
def test_a_graph_gives_what_its_definition_says_and_runs_nothing_else(document: dict[str, Any]) -> None:
    state = state_of(document)
    drive(state)
    assert results(state) == NaiveRun(document).outputs


@unhurried
@given(graphs(), st.data())
def test_the_order_in_which_nodes_come_back_changes_no_result(document: dict[str, Any], data: st.DataObject) -> None:
    in_order, state = state_of(document), state_of(document)
    drive(in_order)
    out = []
    while not state.is_complete():
        node = state.next() if not out or data.draw(st.booleans()) else None
        if node is not None:
            out.append(node)
        else:
            finish(state, out.pop(data.draw(st.integers(0, len(out) - 1))))
    assert results(state) == results(in_order)
    assert state.skipped_counts == in_order.skipped_counts


@unhurried
@given(graphs(), st.integers(1, 3))
def test_narrow_windows_change_no_result(document: dict[str, Any], window: int) -> None:
    state = state_of(document, window=window)
    drive(state)
    assert results(state) == NaiveRun(document).outputs


@unhurried
@given(graphs(most_nodes=8), st.sampled_from([1, 2, 16]))
def test_a_round_trip_through_json_at_any_step_changes_nothing(document: dict[str, Any], window: int) -> None:
    in_one_go, state = state_of(document, window=window), state_of(document, window=window)
    handed_out = drive(in_one_go)
    outputs: dict[str, Any] = {}
    for execution_id in handed_out:
        written = json.loads(json.dumps(state.to_document()))
        state = RecordedRun.from_document(written, CATALOGUE)
        assert json.loads(json.dumps(state.to_document())) == written
        node = state.next()
        assert node is not None
        assert node.id == execution_id
        finish(state, node)
        outputs |= results(state)
    assert state.is_complete()
    assert outputs == results(in_one_go)


@unhurried
@given(graphs(), st.sampled_from([1, 2, 16]), st.integers(0, 9999))
def test_a_run_may_be_written_down_or_edited_while_nodes_are_out(
    document: dict[str, Any], window: int, seed: int
) -> None:
    chance = Random(seed)
    state = state_of(document, window=window)
    out: list[ExecutionNode] = []
    outputs: dict[str, Any] = {}
    while not state.is_complete():
        match chance.choice(["begin", "begin", "begin", "end", "end", "end", "write", "edit"]):
            case "begin":
                node = state.next()
                assert node or out or state.is_complete(), (
                    f"nothing is ready, and the run is not over: {state.indegree}"
                )
                out += [node] if node else []
            case "end" if out:
                node = out.pop(chance.randrange(len(out)))
                output = finish(state, node)
                if output is not None:
                    assert node.id not in outputs
                    outputs[node.id] = output.model_dump()
            case "write":
                state, out = RecordedRun.from_document(json.loads(json.dumps(state.to_document())), CATALOGUE), []
            case "edit":
                state.edit().add_node(GraphNode(f"aside_{len(state.graph.nodes)}", "toy_integer"))
    assert {key: output for key, output in outputs.items() if not key.startswith("aside")} == NaiveRun(document).outputs
