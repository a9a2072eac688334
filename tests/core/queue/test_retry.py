"""What failed or was cancelled is done again, as new items of the same batch."""

import threading

import pytest
from support.batches import a_batch, values
from support.queues import open_queue

from impasto.errors import IdempotencyKeyError, QueueFullError, QueueItemNotFoundError, QueueItemStatusError
from impasto.queue import SessionQueue
from impasto.queue.records import RetryItemsResult
from impasto.storage.database import Database
from impasto_sdk.events import Event


def failed(queue: SessionQueue, runs: int = 1) -> list[int]:
    """Items that have failed."""
    batch = a_batch([values("first", "a", *range(runs))], origin="o", destination="d", workflow={"name": "w"})
    ids = queue.enqueue("default", batch).item_ids
    for _ in ids:
        claimed = queue.claim("worker")
        assert claimed is not None
        queue.journal(claimed.item_id, {"first": {"value": 3}})
        queue.fail(claimed.item_id, "ValueError", "no good")
    return ids


def test_a_retry_is_a_fresh_session_of_the_same_graph_and_batch(queue: SessionQueue, events: list[Event]) -> None:
    failed(queue, runs=2)
    old = queue.get("default", 2)
    events.clear()
    result = queue.retry("default", [2])
    assert result == RetryItemsResult(queue_id="default", retried_item_ids=[2], item_ids=[3])
    new = queue.get("default", 3)
    assert (new.status, new.attempts, new.error_type, new.started_at) == ("pending", 0, None, None)
    assert new.retried_from_item_id == 2
    assert (new.batch_id, new.origin, new.destination, new.workflow) == (old.batch_id, "o", "d", {"name": "w"})
    assert new.field_values == old.field_values
    assert new.session["graph"] == old.session["graph"]
    assert new.session["results"] == {}
    assert new.session_id != old.session_id
    assert queue.get("default", 2) == old
    status = queue.batch_status("default", old.batch_id)
    assert (status.failed, status.pending, status.total) == (2, 1, 3)
    (event,) = events
    assert event.to_document() == {
        "timestamp": event.timestamp,
        "queue_id": "default",
        "retried_item_ids": [2],
        "user_ids": ["system"],
        "retried_item_ids_by_user": {"system": [2]},
        "item_ids": [3],
    }
    claimed = queue.claim("worker")
    assert claimed is not None
    assert (claimed.item_id, claimed.graph) == (3, new.session["graph"])
    assert list(queue.journal_lines(3)) == []


def test_the_order_asked_for_is_the_order_of_the_new_items(queue: SessionQueue) -> None:
    failed(queue, runs=3)
    result = queue.retry("default", [3, 1, 3])
    assert (result.retried_item_ids, result.item_ids) == ([3, 1], [4, 5])
    assert [queue.get("default", item_id).retried_from_item_id for item_id in (4, 5)] == [3, 1]


def test_a_retry_keeps_the_priority_and_belongs_to_the_same_person(queue: SessionQueue, events: list[Event]) -> None:
    queue.enqueue("default", a_batch())
    queue.enqueue("default", a_batch(), prepend=True, user_id="somebody")
    queue.cancel("default", 2)
    events.clear()
    queue.retry("default", [2])
    item = queue.get("default", 3)
    assert (item.priority, item.user_id) == (1, "somebody")
    assert events[0].to_document()["retried_item_ids_by_user"] == {"somebody": [2]}
    first = queue.next("default")
    assert first is not None
    assert first.item_id == 3


@pytest.mark.parametrize("status", ["pending", "in_progress", "completed"])
def test_what_waits_runs_or_completed_is_not_done_again_nor_anything_beside_it(
    queue: SessionQueue, status: str, events: list[Event]
) -> None:
    failed(queue)
    queue.enqueue("default", a_batch())
    if status != "pending":
        queue.claim("worker")
    if status == "completed":
        queue.complete(2)
    events.clear()
    with pytest.raises(QueueItemStatusError, match=f"item 2 .* is {status.replace('_', ' ')}; only items that failed"):
        queue.retry("default", [1, 2])
    assert queue.status("default").total == 2
    assert events == []


def test_an_item_of_another_queue_is_not_found(queue: SessionQueue) -> None:
    failed(queue)
    with pytest.raises(QueueItemNotFoundError, match="queue 'other' has no item 1"):
        queue.retry("other", [1])
    with pytest.raises(QueueItemNotFoundError, match="no item 9"):
        queue.retry("default", [1, 9])


def test_a_retry_that_does_not_fit_is_refused_whole(database: Database) -> None:
    queue = open_queue(database, max_queue_size=3)
    ids = failed(queue, runs=3)
    queue.enqueue("default", a_batch(runs=2))
    with pytest.raises(QueueFullError) as caught:
        queue.retry("default", ids)
    assert (caught.value.size, caught.value.limit, caught.value.requested) == (2, 3, 3)
    assert queue.status("default").total == 5
    queue.retry("default", ids[:1])
    assert queue.status("default").pending == 3


def test_whoever_waits_for_work_is_woken_by_a_retry(queue: SessionQueue) -> None:
    ids = failed(queue)
    bell = queue.add_bell()
    retrying = threading.Thread(target=lambda: queue.retry("default", ids))
    retrying.start()
    assert bell.wait(30)
    retrying.join()


def test_the_same_key_does_nothing_a_second_time(queue: SessionQueue, events: list[Event]) -> None:
    ids = failed(queue, runs=2)
    first = queue.retry("default", ids, idempotency_key="k")
    events.clear()
    again = queue.retry("default", ids, idempotency_key="k")
    assert again.repeated
    assert again.model_dump() == first.model_dump()
    assert (queue.status("default").total, events) == (4, [])
    with pytest.raises(IdempotencyKeyError):
        queue.retry("default", ids[:1], idempotency_key="k")
    assert queue.retry("default", ids, idempotency_key="k2").item_ids == [5, 6]


def test_a_key_whose_request_was_refused_can_be_used_again(queue: SessionQueue) -> None:
    queue.enqueue("default", a_batch())
    with pytest.raises(QueueItemStatusError):
        queue.retry("default", [1], idempotency_key="k")
    queue.cancel("default", 1)
    assert not queue.retry("default", [1], idempotency_key="k").repeated


def test_a_retry_of_more_items_than_a_statement_takes_parameters(database: Database) -> None:
    queue = open_queue(database, max_queue_size=100_000)
    ids = queue.enqueue("default", a_batch(runs=10_500)).item_ids
    queue.cancel_all("default")
    assert queue.retry("default", ids).item_ids == [item_id + 10_500 for item_id in ids]
    assert queue.status("default").total == 21_000
