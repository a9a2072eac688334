"""What clients do to items of the queue over HTTP, without workers: what is claimed, the test claims itself."""

from collections.abc import Iterator
from typing import Any

import httpx
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
    for queue in whole.app.queue.queues():
        whole.app.queue.clear(queue.queue_id)
        whole.app.queue.resume(queue.queue_id)


def enqueue(server: HttpServer, *, queue_id: str = "default", prepend: bool = False, **batch: Any) -> list[int]:
    body = {"prepend": prepend, "batch": {"graph": GRAPH, "runs": 1, **batch}}
    answer = server.client.post(f"/api/v1/queue/{queue_id}/enqueue_batch", json=body)
    assert answer.status_code == 201, answer.text
    ids: list[int] = answer.json()["item_ids"]
    return ids


def put(server: HttpServer, path: str, **request: Any) -> httpx.Response:
    return server.client.put(f"/api/v1/queue/default/{path}", **request)


def get(server: HttpServer, path: str, **parameters: Any) -> Any:
    return server.client.get(f"/api/v1/queue/default/{path}", params=parameters).raise_for_status().json()


def claim(server: HttpServer) -> int:
    claimed = server.app.queue.claim("worker")
    assert claimed is not None
    return claimed.item_id


def waiting(server: HttpServer) -> list[int]:
    """What waits, in the order in which it is started; nothing is left of it."""
    taken = []
    while (claimed := server.app.queue.claim("worker")) is not None:
        taken.append(claimed.item_id)
    return taken


# --- pausing ---


def test_a_paused_queue_says_so_and_starts_nothing_while_another_goes_on(server: HttpServer) -> None:
    enqueue(server)
    [other] = enqueue(server, queue_id="other")

    assert put(server, "processor/pause").json() == {"is_started": False, "is_processing": False}
    assert claim(server) == other
    assert server.app.queue.claim("worker") is None
    assert get(server, "status")["processor"] == {"is_started": False, "is_processing": False}
    queues = {one["queue_id"]: one for one in server.client.get("/api/v1/queue/").json()}
    assert (queues["default"]["is_paused"], queues["default"]["pending"]) == (True, 1)
    assert (queues["other"]["is_paused"], queues["other"]["in_progress"], queues["other"]["total"]) == (False, 1, 1)
    assert put(server, "processor/resume", json={}).status_code == 200
    claim(server)
    assert get(server, "status")["processor"]["is_processing"] is True


def test_queues_are_listed_with_and_without_the_slash(server: HttpServer) -> None:
    enqueue(server)
    assert server.client.get("/api/v1/queue").json() == server.client.get("/api/v1/queue/").json() != []


# --- retrying ---


def test_items_that_did_not_complete_are_done_again(server: HttpServer) -> None:
    ids = enqueue(server, batch_id="b", runs=2)
    put(server, f"i/{ids[0]}/cancel")

    answer = put(server, "retry_items_by_id", json=[ids[0]])

    assert answer.status_code == 200
    result = answer.json()
    assert result.keys() == {"queue_id", "retried_item_ids", "item_ids"}
    assert (result["queue_id"], result["retried_item_ids"]) == ("default", [ids[0]])
    item = get(server, f"i/{result['item_ids'][0]}")
    assert (item["status"], item["retried_from_item_id"], item["batch_id"]) == ("pending", ids[0], "b")
    assert get(server, "b/b/status")["total"] == 3


def test_a_repeated_retry_gives_the_first_answer_and_says_so(server: HttpServer) -> None:
    ids = enqueue(server)
    put(server, "cancel_all")
    first, again = (put(server, "retry_items_by_id", json=ids, headers={"Idempotency-Key": "again"}) for _ in range(2))

    assert again.json() == first.json()
    assert ("idempotency-replayed" in first.headers, again.headers["idempotency-replayed"]) == (False, "true")
    assert get(server, "status")["queue"]["total"] == 2


def test_a_retry_of_what_cannot_be_done_again_is_a_problem(server: HttpServer) -> None:
    [item_id] = enqueue(server)

    document = server.problem(put(server, "retry_items_by_id", json=[item_id]), 409)
    assert document["type"] == "urn:impasto:problem:wrong-item-status"
    assert f"item {item_id}" in document["detail"]
    server.problem(put(server, "retry_items_by_id", json=[999_999]), 404)
    for body in ([], {"item_ids": [item_id]}, ["x"], [0], 7):
        server.problem(put(server, "retry_items_by_id", json=body), 422)


def test_a_retry_that_does_not_fit_says_when_to_come_back(server: HttpServer) -> None:
    ids = enqueue(server, runs=20)
    put(server, "cancel_all")
    enqueue(server)

    answer = put(server, "retry_items_by_id", json=ids)

    server.problem(answer, 429)
    assert 1 <= int(answer.headers["retry-after"]) <= 120
    assert get(server, "status")["queue"]["total"] == 21


# --- order ---


def test_an_item_is_moved_beside_another_or_to_an_end(server: HttpServer) -> None:
    one, two, three, four = enqueue(server, runs=4)

    moved = put(server, f"i/{four}/move", json={"before": two})
    assert (moved.status_code, moved.json()["item_id"]) == (200, four)
    put(server, f"i/{one}/move", json={"after": three}).raise_for_status()
    put(server, f"i/{three}/move", json={"to": "front"}).raise_for_status()
    put(server, f"i/{four}/move", json={"to": "back", "before": None}).raise_for_status()
    assert waiting(server) == [three, two, one, four]


@pytest.mark.parametrize(
    "body", [{}, {"before": 1, "after": 2}, {"to": "the moon"}, {"before": 0}, {"to": "front", "after": 1}, [], None]
)
def test_a_place_is_exactly_one(server: HttpServer, body: object) -> None:
    [item_id] = enqueue(server)

    server.problem(put(server, f"i/{item_id}/move", json=body), 422)


def test_what_does_not_wait_is_not_moved(server: HttpServer) -> None:
    one, two = enqueue(server, runs=2)
    claim(server)

    for path, body in ((f"i/{one}/move", {"to": "back"}), (f"i/{two}/move", {"after": one})):
        assert f"item {one}" in server.problem(put(server, path, json=body), 409)["detail"]
    server.problem(put(server, f"i/{one}/priority", json={"priority": 1}), 409)
    server.problem(put(server, f"i/{two}/move", json={"before": 999_999}), 404)
    server.problem(put(server, "i/999999/move", json={"to": "front"}), 404)


def test_an_item_is_given_another_priority(server: HttpServer) -> None:
    one, two, three = enqueue(server, runs=3)

    assert put(server, f"i/{three}/priority", json={"priority": 5}).json()["priority"] == 5
    put(server, f"i/{one}/priority", json={"priority": -5}).raise_for_status()
    assert waiting(server) == [three, two, one]


@pytest.mark.parametrize("body", [{}, {"priority": "high"}, {"priority": 2**40}, {"priority": 1.5}, 3])
def test_a_priority_is_a_number_within_bounds(server: HttpServer, body: object) -> None:
    [item_id] = enqueue(server)

    server.problem(put(server, f"i/{item_id}/priority", json=body), 422)


# --- cancelling and deleting ---


def test_items_are_cancelled_by_destination_by_origin_and_all(server: HttpServer) -> None:
    enqueue(server, runs=2, destination="canvas", origin="one")
    enqueue(server, runs=3, destination="gallery", origin="two")
    enqueue(server, runs=4, origin="three")
    claim(server)

    assert put(server, "cancel_by_destination", params={"destination": "gallery"}).json() == {"canceled": 3}
    assert put(server, "cancel_by_origin", params={"origin": "nobody"}).json() == {"canceled": 0}
    assert put(server, "cancel_by_origin", params={"origin": "three"}).json() == {"canceled": 4}
    assert put(server, "cancel_all_except_current", json={}).json() == {"canceled": 1}
    assert put(server, "cancel_all").json() == {"canceled": 1}
    for path in ("cancel_by_destination", "cancel_by_origin"):
        server.problem(put(server, path), 422)


def test_counts_by_destination_have_every_key(server: HttpServer) -> None:
    enqueue(server, runs=2, destination="canvas")
    claim(server)

    assert get(server, "counts_by_destination", destination="canvas") == {
        "queue_id": "default",
        "destination": "canvas",
        "pending": 1,
        "in_progress": 1,
        "waiting": 0,
        "completed": 0,
        "failed": 0,
        "canceled": 0,
        "total": 2,
    }
    server.problem(server.client.get("/api/v1/queue/default/counts_by_destination"), 422)


def test_an_item_is_deleted(server: HttpServer) -> None:
    one, two = enqueue(server, runs=2)

    answer = server.client.delete(f"/api/v1/queue/default/i/{one}")
    assert (answer.status_code, answer.json()) == (200, None)
    server.problem(server.client.delete(f"/api/v1/queue/default/i/{one}"), 404)
    server.problem(server.client.delete(f"/api/v1/queue/other/i/{two}"), 404)
    assert get(server, "item_ids")["item_ids"] == [two]


def test_a_destination_is_deleted_and_so_is_all_that_does_not_run(server: HttpServer) -> None:
    enqueue(server, runs=2, destination="a session/of the canvas?")
    [running] = enqueue(server, prepend=True)
    assert claim(server) == running
    enqueue(server, runs=3)

    deleted = server.client.delete("/api/v1/queue/default/d/a%20session%2Fof%20the%20canvas%3F")
    assert (deleted.status_code, deleted.json()) == (200, {"deleted": 2})
    assert put(server, "delete_all_except_current").json() == {"deleted": 3}
    assert get(server, "item_ids")["item_ids"] == [running]


# --- looking ---


def test_summaries_come_in_the_order_asked_for_without_sessions(server: HttpServer) -> None:
    ids = enqueue(server, runs=3)

    asked = {"item_ids": [ids[2], 999_999, ids[0]]}
    found = server.client.post("/api/v1/queue/default/item_summaries_by_ids", json=asked).json()
    assert [item["item_id"] for item in found] == [ids[2], ids[0]]
    whole = get(server, f"i/{ids[2]}")
    assert found[0] == {key: value for key, value in whole.items() if key not in ("session", "workflow")}


def test_the_list_is_narrowed_and_paged(server: HttpServer) -> None:
    a = enqueue(server, batch_id="a", runs=3, origin="one", destination="canvas")
    b = enqueue(server, batch_id="b", runs=2, origin="two")
    put(server, f"i/{a[1]}/cancel")

    def ids(**parameters: Any) -> list[int]:
        return [item["item_id"] for item in get(server, "list_all", **parameters)]

    assert ids(status="canceled") == [a[1]]
    assert ids(batch_id="b") == ids(origin="two") == b
    assert ids(destination="canvas", status="pending") == [a[0], a[2]]
    assert [ids(limit=2), ids(limit=2, after=a[1]), ids(limit=2, after=b[0])] == [a[:2], [a[2], b[0]], b[1:]]
    assert ids(order_dir="DESC", limit=2, after=b[0]) == [a[2], a[1]]
    server.problem(server.client.get("/api/v1/queue/default/list_all", params={"status": "lost"}), 422)
