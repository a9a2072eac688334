"""Saved workflows that really run, in a worker: by one request."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from support.http_servers import HttpServer, http_server
from support.servers import wait_for_item
from support.workflows import connector, edge, expose, invocation, notes, workflow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpServer]:
    root = tmp_path_factory.mktemp("root")
    with http_server(root, work=True, disabled_plugins=["impasto-sd", "impasto-starter"]) as running:
        yield running


def save(server: HttpServer, document: dict[str, Any]) -> str:
    answer = server.client.post("/api/v1/workflows/", json={"workflow": document})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["workflow_id"])


def run(server: HttpServer, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """The one item that a request makes, once it has completed."""
    answer = server.client.post(f"/api/v1/queue/default/{path}", json=body)
    assert answer.status_code == 201, answer.text
    (item_id,) = answer.json()["item_ids"]
    item = wait_for_item(server.client, item_id)
    assert item["status"] == "completed", item
    return item


def outputs(item: dict[str, Any], source_id: str) -> list[Any]:
    """What the executions of a node gave, in order of their iterations."""
    session = item["session"]
    return [session["results"][each] for each in session["source_prepared_mapping"][source_id]]


def test_a_saved_workflow_runs_with_values_for_its_inputs(server: HttpServer) -> None:
    nodes = [
        notes("why"),
        invocation("count", "range_of_size", {"start": 5, "size": 3}),
        invocation("each", "iterate"),
        connector("bend"),
        invocation("more", "add", {"b": 10}),
        invocation("all", "collect"),
    ]
    edges = [
        edge("count.collection", "each.collection"),
        edge("each.item", "bend.in"),
        edge("bend.out", "more.a"),
        edge("more.value", "all.item"),
    ]
    saved = save(server, workflow(nodes, edges, exposedFields=expose("count.start", "more.b")))
    body = {"workflow_id": saved, "inputs": {"count::start": 1}}
    item = run(server, "enqueue_workflow", body)

    assert [output["collection"] for output in outputs(item, "all")] == [[11, 12, 13]]


def test_a_picture_carries_the_workflow_that_made_it(server: HttpServer) -> None:
    blank = invocation("blank", "blank_image", {"width": 8, "height": 16, "board": "auto"})
    saved = save(server, workflow([blank], name="Blank", exposedFields=expose("blank.width")))
    item = run(server, "enqueue_workflow", {"workflow_id": saved, "inputs": {"blank::width": 24}})
    (output,) = outputs(item, "blank")
    name = output["image"]["image_name"]

    assert (output["width"], output["height"]) == (24, 16)
    carried = server.client.get(f"/api/v1/images/i/{name}/workflow").json()["workflow"]
    again = save(server, json.loads(carried))
    inputs = server.client.get(f"/api/v1/workflows/i/{again}").json()["workflow"]["nodes"][0]["data"]["inputs"]
    assert inputs["width"]["value"] == 24
