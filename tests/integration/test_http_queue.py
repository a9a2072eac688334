"""The queue over HTTP, without workers: what is enqueued stays as it is."""

from collections.abc import Iterator
from typing import Any

import pytest
from support.http_servers import HttpServer, http_server

GRAPH = {"nodes": {"a": {"type": "integer", "value": 1}}}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpServer]:
    with http_server(tmp_path_factory.mktemp("root"), max_queue_size=20) as running:
        yield running


@pytest.fixture
def server(whole: HttpServer) -> Iterator[HttpServer]:
    yield whole
    whole.client.put("/api/v1/queue/default/clear").raise_for_status()


def enqueue(server: HttpServer, *, prepend: bool = False, key: str | None = None, **batch: Any) -> dict[str, Any]:
    answer = server.client.post(
        "/api/v1/queue/default/enqueue_batch",
        json={"prepend": prepend, "batch": {"graph": GRAPH, "runs": 1, **batch}},
        headers={} if key is None else {"Idempotency-Key": key},
    )
    assert answer.status_code == 201, answer.text
    result: dict[str, Any] = answer.json()
    return result


def test_enqueueing_answers_with_what_clients_read(server: HttpServer) -> None:
    result = enqueue(server, batch_id="mine", runs=3, origin="test", data=None)

    assert result.keys() >= {"queue_id", "enqueued", "requested", "batch", "priority", "item_ids"}
    assert (result["queue_id"], result["enqueued"], result["requested"]) == ("default", 3, 3)
    assert len(result["item_ids"]) == 3
    batch = result["batch"]
    assert (batch["batch_id"], batch["origin"], batch["destination"], batch["runs"]) == ("mine", "test", None, 3)
    assert batch["data"] is None
    assert batch["workflow"] is None


def test_a_repeated_key_gives_the_first_answer_and_stores_nothing(server: HttpServer) -> None:
    first = enqueue(server, key="once", batch_id="b1")
    again = enqueue(server, key="once", batch_id="b1")

    assert again["item_ids"] == first["item_ids"]
    assert server.client.get("/api/v1/queue/default/status").json()["queue"]["total"] == 1


def test_an_item_has_every_key_with_its_null(server: HttpServer) -> None:
    [item_id] = enqueue(server)["item_ids"]

    item = server.client.get(f"/api/v1/queue/default/i/{item_id}").json()

    assert item["status"] == "pending"
    for key in ("origin", "destination", "error_type", "error_message", "error_traceback", "started_at", "workflow"):
        assert item[key] is None, key
    for key in ("parent_item_id", "retried_from_item_id", "user_email", "completed_at", "field_values"):
        assert key in item
    assert item["session"]["graph"]["nodes"]["a"]["value"] == 1


def test_the_status_counts_and_tells_of_the_processor(server: HttpServer) -> None:
    enqueue(server, runs=2)

    status = server.client.get("/api/v1/queue/default/status").json()

    assert status["queue"]["pending"] == status["queue"]["total"] == 2
    assert status["queue"]["in_progress"] == status["queue"]["waiting"] == 0
    assert status["queue"].keys() >= {"item_id", "batch_id", "session_id", "user_pending", "user_in_progress"}
    assert status["processor"] == {"is_started": False, "is_processing": False}


def test_items_are_listed_by_number_and_by_id(server: HttpServer) -> None:
    ids = enqueue(server, runs=3)["item_ids"]

    assert [item["item_id"] for item in server.client.get("/api/v1/queue/default/list_all").json()] == ids
    newest = server.client.get("/api/v1/queue/default/item_ids").json()
    assert newest == {"item_ids": ids[::-1], "total_count": 3}
    oldest = server.client.get("/api/v1/queue/default/item_ids", params={"order_dir": "ASC"}).json()
    assert oldest["item_ids"] == ids
    asked = server.client.post("/api/v1/queue/default/items_by_ids", json={"item_ids": [ids[2], 10**9, ids[0]]})
    assert [item["item_id"] for item in asked.json()] == [ids[2], ids[0]]


def test_an_item_that_is_prepended_is_next_and_none_is_current(server: HttpServer) -> None:
    enqueue(server)
    [first] = enqueue(server, prepend=True)["item_ids"]

    assert server.client.get("/api/v1/queue/default/next").json()["item_id"] == first
    current = server.client.get("/api/v1/queue/default/current")
    assert (current.status_code, current.json()) == (200, None)


def test_items_and_batches_are_cancelled(server: HttpServer) -> None:
    [one] = enqueue(server)["item_ids"]
    enqueue(server, batch_id="two", runs=2)

    assert server.client.put(f"/api/v1/queue/default/i/{one}/cancel").json()["status"] == "canceled"
    assert server.client.put(f"/api/v1/queue/default/i/{one}/cancel", json={}).json()["status"] == "canceled"
    cancelled = server.client.put("/api/v1/queue/default/cancel_by_batch_ids", json={"batch_ids": ["two", "none"]})
    assert cancelled.json() == {"canceled": 2}
    batch = server.client.get("/api/v1/queue/default/b/two/status").json()
    assert (batch["canceled"], batch["total"], batch["pending"]) == (2, 2, 0)
    assert server.client.put("/api/v1/queue/default/prune").json() == {"deleted": 3}


def test_clearing_removes_everything(server: HttpServer) -> None:
    enqueue(server, runs=4)

    assert server.client.put("/api/v1/queue/default/clear").json() == {"deleted": 4}
    assert server.client.get("/api/v1/queue/default/list_all").json() == []


def test_a_full_queue_answers_429_with_a_time_to_come_back_and_stores_nothing(server: HttpServer) -> None:
    answer = server.client.post("/api/v1/queue/default/enqueue_batch", json={"batch": {"graph": GRAPH, "runs": 21}})

    server.problem(answer, 429)
    assert int(answer.headers["retry-after"]) > 0
    assert server.client.get("/api/v1/queue/default/status").json()["queue"]["total"] == 0


@pytest.mark.parametrize("item_id", [999_999, 2**53 - 1])
def test_an_unknown_item_is_not_found(server: HttpServer, item_id: int) -> None:
    assert str(item_id) in server.problem(server.client.get(f"/api/v1/queue/default/i/{item_id}"), 404)["detail"]
    server.problem(server.client.put(f"/api/v1/queue/default/i/{item_id}/cancel"), 404)


@pytest.mark.parametrize("item_id", ["0", "-1", "x", str(2**63), "9" * 5000])
def test_an_impossible_item_is_the_client_s_mistake(server: HttpServer, item_id: str) -> None:
    server.problem(server.client.get(f"/api/v1/queue/default/i/{item_id}"), 422)


def test_an_unknown_batch_is_not_found(server: HttpServer) -> None:
    server.problem(server.client.get("/api/v1/queue/default/b/nope/status"), 404)


def test_an_item_of_another_queue_is_not_found(server: HttpServer) -> None:
    [item_id] = enqueue(server)["item_ids"]

    server.problem(server.client.get(f"/api/v1/queue/other/i/{item_id}"), 404)


@pytest.mark.parametrize(
    "batch",
    [
        {"runs": 0},
        {"runs": 2**80},
        {"runs": "many"},
        {"batch_id": ""},
        {"graph": {"nodes": {"a": {"type": "integer", "value": 2**70}}}, "data": 3},
        {"data": [[{"node_path": "a", "field_name": "value", "items": [1]}, {"node_path": "a"}]]},
        {
            "data": [
                [{"node_path": "a", "field_name": "value", "items": ["\udc80".encode("utf-8", "replace").decode()]}]
            ]
        },
        {"graph": {"nodes": {"a": {"type": "integer"}, "b": {"type": 7}}}},
        {"graph": {"nodes": ["a"]}},
        {"graph": {"nodes": {"a": {"type": "integer"}}, "edges": [1]}},
        {"graph": {"nodes": {"a": {"type": "integer"}}, "edges": {"a": 1}}},
        {"graph": {"nodes": {"a": None}}},
        {"graph": {"nodes": 7}},
        {"graph": {}, "data": [[{"node_path": "a", "field_name": "value", "items": [1]}]]},
        {
            "data": [
                [
                    {"node_path": "a", "field_name": "value", "items": [1]},
                    {"node_path": "b", "field_name": "x", "items": [1]},
                ]
            ]
        },
        {"data": [[{"node_path": "a", "field_name": "valu", "items": []}]]},
        {"data": [[{"node_path": "a", "field_name": "type", "items": ["add"]}]]},
        {"data": [[{"node_path": "a", "field_name": "id", "items": ["b"]}]]},
        {"metadata": [1]},
        {"session_ids": ["a", "b"]},
    ],
)
def test_a_bad_batch_is_never_our_mistake(server: HttpServer, batch: dict[str, Any]) -> None:
    answer = server.client.post(
        "/api/v1/queue/default/enqueue_batch", json={"batch": {"graph": GRAPH, "runs": 1, **batch}}
    )

    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]
    assert server.client.get("/api/v1/queue/default/status").json()["queue"]["total"] == 0


def test_a_queue_with_a_strange_name_is_a_queue(server: HttpServer) -> None:
    answer = server.client.get("/api/v1/queue/%F0%9F%8E%A8%00'%22;--/status")

    assert answer.status_code == 200
    assert answer.json()["queue"]["total"] == 0
