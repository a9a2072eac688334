"""Saved workflows that are called from graphs, in a worker: once, in an iteration, and inside one another."""

from collections.abc import Iterator
from typing import Any

import pytest
from support.http_servers import HttpServer, http_server
from support.servers import wait_for_item
from support.workflows import call, edge, expose, invocation, workflow

CALL = "call_saved_workflow"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpServer]:
    root = tmp_path_factory.mktemp("root")
    with http_server(root, work=True, disabled_plugins=["impasto-sd", "impasto-starter"]) as running:
        yield running


def save(server: HttpServer, document: dict[str, Any]) -> str:
    answer = server.client.post("/api/v1/workflows/", json={"workflow": document})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["workflow_id"])


def adder(name: str = "Adder") -> dict[str, Any]:
    """A workflow that returns the sum of two numbers, both exposed."""
    nodes = [
        invocation("sum", "add", {"a": 1, "b": 2}),
        invocation("give", "workflow_return_value", {"key": "sum"}),
        invocation("return", "workflow_return"),
    ]
    edges = [edge("sum.value", "give.value"), edge("give.value", "return.values")]
    return workflow(nodes, edges, name=name, exposedFields=expose("sum.a", "sum.b"))


def join(source: str, output: str, destination: str, input: str) -> dict[str, Any]:
    return {"source": {"node_id": source, "field": output}, "destination": {"node_id": destination, "field": input}}


def enqueue(server: HttpServer, nodes: dict[str, Any], edges: list[dict[str, Any]], **batch: Any) -> list[int]:
    body = {"batch": {"graph": {"nodes": nodes, "edges": edges}, "runs": 1, **batch}}
    answer = server.client.post("/api/v1/queue/default/enqueue_batch", json=body)
    assert answer.status_code == 201, answer.text
    return list(answer.json()["item_ids"])


def results(server: HttpServer, item_id: int) -> dict[str, Any]:
    """The outputs of an item's executions, once it has completed."""
    item: dict[str, Any] = wait_for_item(server.client, item_id)
    assert item["status"] == "completed", item["error_message"]
    found: dict[str, Any] = item["session"]["results"]
    return found


def test_a_workflow_is_called_twice_with_different_values(server: HttpServer) -> None:
    workflow_id = save(server, adder())
    nodes = {
        "first": {"type": CALL, "workflow_id": workflow_id, "saved_workflow_input::sum::a": 10},
        "second": {
            "type": CALL,
            "workflow_id": workflow_id,
            "workflow_inputs": {"saved_workflow_input::sum::a": 100},
        },
        "both": {"type": "add"},
        "got": {"type": "workflow_return_get", "key": "sum"},
    }
    edges = [
        join("first", "saved_workflow_output::sum", "second", "saved_workflow_input::sum::b"),
        join("first", "saved_workflow_output::sum", "both", "a"),
        join("second", "saved_workflow_output::sum", "both", "b"),
        join("second", "values", "got", "values"),
    ]
    (item_id,) = enqueue(server, nodes, edges)
    found = results(server, item_id)

    assert (found["both"]["value"], found["got"]["value"]) == (12 + 112, 112)


def test_a_workflow_is_called_once_for_each_item_of_an_iteration(server: HttpServer) -> None:
    nodes = {
        "range": {"type": "range_of_size", "start": 1, "size": 5},
        "each": {"type": "iterate"},
        "call": {"type": CALL, "workflow_id": save(server, adder()), "saved_workflow_input::sum::b": 10},
        "all": {"type": "collect"},
    }
    edges = [
        join("range", "collection", "each", "collection"),
        join("each", "item", "call", "saved_workflow_input::sum::a"),
        join("call", "saved_workflow_output::sum", "all", "item"),
    ]
    (item_id,) = enqueue(server, nodes, edges)

    assert results(server, item_id)["all"]["collection"] == [11, 12, 13, 14, 15]


def test_a_workflow_with_an_iteration_that_calls_another_is_called_in_an_iteration(server: HttpServer) -> None:
    inner = save(server, adder())
    nodes = [
        invocation("count", "range_of_size", {"start": 0, "size": 3}),
        invocation("each", "iterate"),
        call("call", inner, type=CALL),
        invocation("all", "collect"),
        invocation("give", "workflow_return_value", {"key": "sums"}),
        invocation("return", "workflow_return"),
    ]
    into_call = {**edge("each.item", "call.x"), "targetHandle": "saved_workflow_input::sum::a"}
    out_of_call = {**edge("call.x", "all.item"), "sourceHandle": "saved_workflow_output::sum"}
    edges = [
        edge("count.collection", "each.collection"),
        into_call,
        out_of_call,
        edge("all.collection", "give.value"),
        edge("give.value", "return.values"),
    ]
    outer = save(server, workflow(nodes, edges, name="Row", exposedFields=expose("count.start")))
    graph_nodes = {
        "range": {"type": "range_of_size", "start": 10, "size": 2},
        "each": {"type": "iterate"},
        "row": {"type": CALL, "workflow_id": outer},
        "all": {"type": "collect"},
    }
    graph_edges = [
        join("range", "collection", "each", "collection"),
        join("each", "item", "row", "saved_workflow_input::count::start"),
        join("row", "saved_workflow_output::sums", "all", "item"),
    ]
    (item_id,) = enqueue(server, graph_nodes, graph_edges)

    assert results(server, item_id)["all"]["collection"] == [[12, 13, 14], [13, 14, 15]]


def test_a_batch_of_values_for_a_call_runs_it_once_for_each(server: HttpServer) -> None:
    name = "saved_workflow_input::sum::a"
    nodes = {"call": {"type": CALL, "workflow_id": save(server, adder())}, "sum": {"type": "add"}}
    edges = [join("call", "saved_workflow_output::sum", "sum", "a")]
    data = [[{"node_path": "call", "field_name": name, "items": [1, 20]}]]
    item_ids = enqueue(server, nodes, edges, data=data)

    assert [results(server, item_id)["sum"]["value"] for item_id in item_ids] == [3, 22]


def test_what_is_queued_runs_the_workflow_as_it_was(server: HttpServer) -> None:
    workflow_id = save(server, adder())
    first = enqueue(server, {"call": {"type": CALL, "workflow_id": workflow_id}}, [])
    server.client.delete(f"/api/v1/workflows/i/{workflow_id}").raise_for_status()

    assert results(server, first[0])["call"]["values"] == {"sum": 3}


def test_a_failure_inside_a_called_workflow_names_the_way_there(server: HttpServer) -> None:
    document = workflow(
        [
            invocation("half", "div", {"a": 1, "b": 0}),
            invocation("give", "workflow_return_value", {"key": "half"}),
            invocation("return", "workflow_return"),
        ],
        [edge("half.value", "give.value"), edge("give.value", "return.values")],
        name="Broken",
    )
    nodes = {"call": {"type": CALL, "workflow_id": save(server, document)}}
    (item_id,) = enqueue(server, nodes, [])
    item = wait_for_item(server.client, item_id)

    assert item["status"] == "failed"
    assert "call/half" in str(item["error_message"])
