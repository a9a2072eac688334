"""The workflow library over HTTP, and workflows that are run and called through the queue; without workers."""

from collections.abc import Iterator
from typing import Any

import pytest
from support.http_servers import HttpServer, http_server
from support.workflows import call, edge, expose, invocation, workflow

CALL = "call_saved_workflow"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpServer]:
    with http_server(tmp_path_factory.mktemp("root")) as running:
        yield running


@pytest.fixture
def server(whole: HttpServer) -> Iterator[HttpServer]:
    yield whole
    whole.client.put("/api/v1/queue/default/clear").raise_for_status()
    for item in whole.client.get("/api/v1/workflows/").json()["items"]:
        whole.client.delete(f"/api/v1/workflows/i/{item['workflow_id']}").raise_for_status()


def save(server: HttpServer, document: dict[str, Any]) -> dict[str, Any]:
    answer = server.client.post("/api/v1/workflows/", json={"workflow": document})
    assert answer.status_code == 201, answer.text
    record: dict[str, Any] = answer.json()
    return record


def adder(name: str = "Adder", **more: Any) -> dict[str, Any]:
    """A workflow that returns the sum of two numbers, both exposed."""
    nodes = [
        invocation("sum", "add", {"a": 1, "b": 2}),
        invocation("give", "workflow_return_value", {"key": "sum"}),
        invocation("return", "workflow_return"),
    ]
    edges = [edge("sum.value", "give.value"), edge("give.value", "return.values")]
    return workflow(nodes, edges, name=name, exposedFields=expose("sum.a", "sum.b"), **more)


def caller(name: str, *workflow_ids: str) -> dict[str, Any]:
    calls = [call(f"to_{place}", workflow_id, type=CALL) for place, workflow_id in enumerate(workflow_ids)]
    return workflow([*calls, invocation("return", "workflow_return")], name=name)


def enqueue(server: HttpServer, workflow_id: str, **more: Any) -> Any:
    return server.client.post("/api/v1/queue/default/enqueue_workflow", json={"workflow_id": workflow_id, **more})


def claimed_graph(server: HttpServer, item_id: int) -> dict[str, Any]:
    item = server.client.get(f"/api/v1/queue/default/i/{item_id}").raise_for_status().json()
    graph: dict[str, Any] = item["session"]["graph"]
    return graph


def test_a_workflow_is_saved_found_changed_opened_and_deleted(server: HttpServer) -> None:
    saved = save(server, adder(description="adds", tags="maths, small"))
    path = f"/api/v1/workflows/i/{saved['workflow_id']}"

    nulls = {key: saved[key] for key in ("opened_at", "thumbnail_url")}
    assert nulls == {"opened_at": None, "thumbnail_url": None}
    assert server.client.get(path).json() == saved
    changed = server.client.patch(path, json={"workflow": {**saved["workflow"], "name": "Better"}}).json()
    assert (changed["name"], changed["workflow"]["name"]) == ("Better", "Better")
    opened = server.client.put(f"{path}/opened_at").json()
    assert opened["opened_at"]
    deleted = server.client.delete(path)
    assert (deleted.status_code, deleted.content) == (204, b"")
    for method, where in (("GET", path), ("PATCH", path), ("DELETE", path), ("PUT", f"{path}/opened_at")):
        body = {"workflow": adder()} if method == "PATCH" else None
        server.problem(server.client.request(method, where, json=body), 404)


def test_the_library_is_listed_narrowed_and_counted(server: HttpServer) -> None:
    save(server, adder("Beta", tags="maths"))
    save(server, workflow([], name="alpha", tags="maths, other"))
    path = "/api/v1/workflows"

    page = server.client.get(path, params={"per_page": 1}).json()
    assert {key: page[key] for key in ("page", "pages", "per_page", "total")} == {
        "page": 0,
        "pages": 2,
        "per_page": 1,
        "total": 2,
    }
    assert [item["name"] for item in page["items"]] == ["alpha"]
    assert "workflow" not in page["items"][0]
    for parameters, names in (
        ({}, ["alpha", "Beta"]),
        ({"direction": "DESC"}, ["Beta", "alpha"]),
        ({"order_by": "created_at"}, ["Beta", "alpha"]),
        ({"tags": ["other", "none"]}, ["alpha"]),
        ({"query": "BET"}, ["Beta"]),
        ({"callable": True}, ["Beta"]),
        ({"categories": ["default"]}, []),
        ({"has_been_opened": True}, []),
    ):
        for form in (path, path + "/"):
            found = server.client.get(form, params=parameters).json()["items"]
            assert [item["name"] for item in found] == names, parameters
    assert server.client.get(f"{path}/tags").json() == ["maths", "other"]
    counts = server.client.get(f"{path}/counts_by_tag", params={"tags": ["maths", "other", "x"]}).json()
    assert counts == {"maths": 2, "other": 1, "x": 0}
    by_category = server.client.get(f"{path}/counts_by_category", params={"categories": ["user", "default"]}).json()
    assert by_category == {"user": 2, "default": 0}


@pytest.mark.parametrize(
    "parameters",
    [
        {"page": -1},
        {"per_page": 0},
        {"per_page": 10**9},
        {"order_by": "size"},
        {"direction": "UP"},
        {"categories": "mine"},
        {"tags": ["x"] * 101},
    ],
)
def test_a_list_that_cannot_be_asked_for_is_refused(server: HttpServer, parameters: dict[str, Any]) -> None:
    server.problem(server.client.get("/api/v1/workflows/", params=parameters), 422)


def test_a_malformed_workflow_is_refused_with_every_place(server: HttpServer) -> None:
    document = workflow([{"id": "a", "type": "invocation", "data": 3}], [edge("a.x", "b.y")], name="")
    answer = server.client.post("/api/v1/workflows", json={"workflow": document})

    problem = server.problem(answer, 422)
    assert problem["type"] == "urn:impasto:problem:malformed-workflow"
    said = " ".join(item["message"] for item in problem["errors"])
    for place in ("name", "nodes[0].data", "edges[0].target"):
        assert place in said
    for body in ({}, {"workflow": 5}, {"workflow": None}, []):
        server.problem(server.client.post("/api/v1/workflows/", json=body), 422)


def test_changes_of_the_library_are_told(server: HttpServer) -> None:
    before = server.app.bus.last_id
    saved = save(server, adder())
    server.client.patch(f"/api/v1/workflows/i/{saved['workflow_id']}", json={"workflow": adder()}).raise_for_status()
    server.client.delete(f"/api/v1/workflows/i/{saved['workflow_id']}").raise_for_status()
    with server.app.bus.subscribe(since=before) as subscription:
        told = [subscription.get(10) for _ in range(3)]

    events = [envelope.event for envelope in told if envelope is not None]
    assert [event.name for event in events] == ["workflow_created", "workflow_updated", "workflow_deleted"]
    assert all(event.to_document()["workflow_id"] == saved["workflow_id"] for event in events)


def test_a_saved_workflow_is_enqueued_with_values_for_its_inputs(server: HttpServer) -> None:
    saved = save(server, adder())
    answer = enqueue(server, saved["workflow_id"], inputs={"sum::a": 40}, runs=2, origin="test", destination="there")

    assert answer.status_code == 201, answer.text
    result = answer.json()
    assert (result["enqueued"], result["batch"]["origin"], result["batch"]["destination"]) == (2, "test", "there")
    item = server.client.get(f"/api/v1/queue/default/i/{result['item_ids'][1]}").json()
    added = item["session"]["graph"]["nodes"]["sum"]
    assert (added["a"], added["b"]) == (40, 2)
    kept = {node["id"]: node for node in item["workflow"]["nodes"]}
    assert kept["sum"]["data"]["inputs"]["a"]["value"] == 40
    assert (item["workflow"]["id"], item["workflow"]["name"]) == (saved["workflow_id"], "Adder")
    assert server.client.get(f"/api/v1/workflows/i/{saved['workflow_id']}").json() == saved


def test_a_repeated_key_gives_the_first_answer_though_the_workflow_has_changed(server: HttpServer) -> None:
    saved = save(server, adder())
    path, body = "/api/v1/queue/default/enqueue_workflow", {"workflow_id": saved["workflow_id"]}
    first = server.client.post(path, json=body, headers={"Idempotency-Key": "w"}).json()
    changed = {**adder(), "name": "Changed"}
    server.client.patch(f"/api/v1/workflows/i/{saved['workflow_id']}", json={"workflow": changed}).raise_for_status()
    again = server.client.post(path, json=body, headers={"Idempotency-Key": "w"}).json()
    other = server.client.post(path, json={**body, "runs": 2}, headers={"Idempotency-Key": "w"})

    assert again["item_ids"] == first["item_ids"]
    server.problem(other, 422)


def test_inputs_that_a_workflow_does_not_expose_are_refused_with_what_was_meant(server: HttpServer) -> None:
    saved = save(server, adder())
    problem = server.problem(enqueue(server, saved["workflow_id"], inputs={"sum::aa": 1, "give::key": "x"}), 422)

    assert [(each["node_id"], each["field"]) for each in problem["errors"]] == [("sum", "aa"), ("give", "key")]
    assert "did you mean 'sum::a'?" in problem["errors"][0]["suggestion"]
    assert "it exposes sum::a, sum::b" in problem["errors"][1]["message"]
    assert server.client.get("/api/v1/queue/default/status").json()["queue"]["total"] == 0


def test_a_value_that_an_input_does_not_take_is_refused_with_its_place(server: HttpServer) -> None:
    saved = save(server, adder())
    problem = server.problem(enqueue(server, saved["workflow_id"], inputs={"sum::a": "many"}), 422)

    assert [(each["node_id"], each["field"]) for each in problem["errors"]] == [("sum", "a")]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"workflow_id": "nope"}, 404),
        ({}, 422),
        ({"workflow_id": ""}, 422),
        ({"workflow_id": "x", "runs": 0}, 422),
        ({"workflow_id": "x", "inputs": [1]}, 422),
    ],
)
def test_a_run_that_cannot_be_is_refused(server: HttpServer, body: dict[str, Any], status: int) -> None:
    server.problem(server.client.post("/api/v1/queue/default/enqueue_workflow", json=body), status)


def test_a_graph_that_calls_a_workflow_is_queued_with_what_it_calls(server: HttpServer) -> None:
    saved = save(server, adder())
    nodes = {
        "call": {"type": CALL, "workflow_id": saved["workflow_id"], "saved_workflow_input::sum::a": 5},
        "twice": {"type": "add"},
    }
    edges = [
        {
            "source": {"node_id": "call", "field": "saved_workflow_output::sum"},
            "destination": {"node_id": "twice", "field": field},
        }
        for field in "ab"
    ]
    body = {"batch": {"graph": {"nodes": nodes, "edges": edges}, "runs": 1}}
    answer = server.client.post("/api/v1/queue/default/enqueue_batch", json=body)

    assert answer.status_code == 201, answer.text
    called = claimed_graph(server, answer.json()["item_ids"][0])["nodes"]["call"]["called"]
    assert (called["name"], called["workflow_id"]) == ("Adder", saved["workflow_id"])
    assert called["graph"]["nodes"]["sum"]["b"] == 2


def test_workflows_that_call_one_another_in_a_circle_are_refused_by_name(server: HttpServer) -> None:
    first = save(server, caller("A"))
    second = save(server, caller("B", first["workflow_id"]))
    circle = caller("A", second["workflow_id"])
    server.client.patch(f"/api/v1/workflows/i/{first['workflow_id']}", json={"workflow": circle}).raise_for_status()

    graph = {"nodes": {"call": {"type": CALL, "workflow_id": first["workflow_id"]}}}
    body = {"batch": {"graph": graph, "runs": 1}}
    problem = server.problem(server.client.post("/api/v1/queue/default/enqueue_batch", json=body), 422)

    assert problem["type"] == "urn:impasto:problem:graph-cannot-run"
    (error,) = problem["errors"]
    assert "'A' calls 'B' calls 'A'" in error["message"]
    assert (error["node_id"], error["field"], error["code"]) == ("call/to_0/to_0", "workflow_id", "recursive_call")
    problem = server.problem(enqueue(server, first["workflow_id"]), 422)
    assert "'B' calls 'A' calls 'B'" in problem["detail"]


def test_a_call_of_a_workflow_that_returns_nothing_is_refused(server: HttpServer) -> None:
    saved = save(server, workflow([invocation("sum", "add")], name="Silent"))
    graph = {"nodes": {"call": {"type": CALL, "workflow_id": saved["workflow_id"]}}}
    answer = server.client.post("/api/v1/queue/default/enqueue_batch", json={"batch": {"graph": graph, "runs": 1}})

    problem = server.problem(answer, 422)
    assert problem["errors"][0]["node_id"] == "call"
    assert "return" in problem["detail"]
