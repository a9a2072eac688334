"""What enqueueing stores, and that it is all or nothing."""

import threading

import pytest
from support.batches import a_batch, values
from support.queues import open_queue

from impasto.errors import BatchError, IdempotencyKeyError, QueueFullError
from impasto.queue import SessionQueue
from impasto.queue.records import Batch, EnqueueBatchResult
from impasto.storage.database import Database
from impasto_sdk.events import BatchEnqueuedEvent, Event


def stored(database: Database, table: str) -> int:
    with database.read() as connection:
        return connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()


def repeated(result: EnqueueBatchResult) -> EnqueueBatchResult:
    return result.model_copy(update={"repeated": True})


def test_the_answer_says_what_is_on_disk(queue: SessionQueue) -> None:
    batch = a_batch([values("first", "a", 1, 2, 3)], runs=2, origin="workflows", destination="gallery")
    answer = queue.enqueue("default", batch)
    assert answer == EnqueueBatchResult(
        queue_id="default", enqueued=6, requested=6, batch=batch, priority=0, item_ids=[1, 2, 3, 4, 5, 6]
    )
    assert queue.item_ids("default") == answer.item_ids


def test_a_batch_stores_its_graph_once(queue: SessionQueue, database: Database) -> None:
    queue.enqueue("default", a_batch(runs=50))
    assert (stored(database, "batches"), stored(database, "queue_items")) == (1, 50)


def test_ids_may_be_chosen_by_the_client(queue: SessionQueue) -> None:
    batch = a_batch(runs=2, batch_id="mine", session_ids=["one", "two"])
    answer = queue.enqueue("default", batch)
    assert answer.batch.batch_id == "mine"
    assert [item.session_id for item in queue.list("default")] == ["one", "two"]
    assert queue.batch_status("default", "mine").total == 2


def test_a_batch_id_that_is_taken_is_refused(queue: SessionQueue) -> None:
    queue.enqueue("default", a_batch(batch_id="mine"))
    with pytest.raises(BatchError, match="has a batch 'mine'"):
        queue.enqueue("default", a_batch(batch_id="mine"))
    queue.enqueue("another", a_batch(batch_id="mine"))
    assert queue.status("default").total == 1


def test_a_session_id_that_is_taken_is_refused_and_nothing_is_stored(queue: SessionQueue, database: Database) -> None:
    queue.enqueue("default", a_batch(session_ids=["one"]))
    with pytest.raises(BatchError, match="a session id of the batch is taken"):
        queue.enqueue("default", a_batch(runs=2, session_ids=["two", "one"]))
    assert queue.status("default").total == 1
    assert (stored(database, "batches"), stored(database, "queue_items")) == (1, 1)


def test_a_batch_that_does_not_fit_is_refused_whole(queue: SessionQueue, events: list[Event]) -> None:
    queue.enqueue("default", a_batch(runs=900))
    events.clear()
    with pytest.raises(QueueFullError) as caught:
        queue.enqueue("default", a_batch(runs=101))
    error = caught.value
    assert (error.queue_id, error.size, error.limit, error.requested) == ("default", 900, 1000, 101)
    assert "Wait" in str(error)
    assert queue.status("default").pending == 900
    assert events == []
    queue.enqueue("default", a_batch(runs=100))
    assert queue.status("default").pending == 1000


def test_only_waiting_items_fill_the_queue(queue: SessionQueue) -> None:
    queue.enqueue("default", a_batch(runs=1000))
    assert queue.claim("worker") is not None
    queue.enqueue("default", a_batch())
    with pytest.raises(QueueFullError):
        queue.enqueue("default", a_batch())
    queue.enqueue("another", a_batch())


def test_a_batch_of_more_sessions_than_memory_holds_is_refused_before_it_is_expanded(queue: SessionQueue) -> None:
    groups = [[values("first", f"f{i}", *range(1000))] for i in range(10)]
    with pytest.raises(QueueFullError) as caught:
        queue.enqueue("default", a_batch(*groups, runs=1000))
    assert caught.value.requested == 1000**11


def test_whoever_sends_more_than_ever_fits_is_not_told_to_wait(queue: SessionQueue) -> None:
    with pytest.raises(QueueFullError, match="never will: send them as smaller batches") as caught:
        queue.enqueue("default", a_batch(runs=1001))
    assert "Wait" not in str(caught.value)


def test_bad_data_stores_nothing_and_tells_nobody(queue: SessionQueue, database: Database, events: list[Event]) -> None:
    with pytest.raises(BatchError):
        queue.enqueue("default", a_batch([values("third", "a", 1)]))
    assert (stored(database, "batches"), events) == (0, [])


def test_prepended_items_go_before_all_that_waits(queue: SessionQueue) -> None:
    for prepend in (False, True, True, False):
        queue.enqueue("default", a_batch(runs=2), prepend=prepend)
    order = [item.item_id for item in iter(lambda: queue.claim("worker"), None)]
    assert order == [5, 6, 3, 4, 1, 2, 7, 8]


def test_an_event_tells_of_the_batch_once_it_is_on_disk(queue: SessionQueue, events: list[Event]) -> None:
    queue.enqueue("default", a_batch(runs=3, batch_id="b", origin="workflows"), prepend=True, user_id="somebody")
    (event,) = events
    assert isinstance(event, BatchEnqueuedEvent)
    document = event.to_document()
    assert document.pop("timestamp") > 0
    assert document == {
        "queue_id": "default", "batch_id": "b", "enqueued": 3, "requested": 3, "priority": 1,
        "origin": "workflows", "user_id": "somebody",
    }  # fmt: skip


def test_the_same_key_gives_the_same_answer_and_stores_nothing_more(queue: SessionQueue, events: list[Event]) -> None:
    def batch() -> Batch:  # its id is another each time, as a client that tries again sends none
        return a_batch([values("first", "a", 1, 2)], metadata={"seed": 2**64 - 1}, workflow={"name": "w"})

    first = queue.enqueue("default", batch(), idempotency_key="k")
    assert queue.enqueue("default", batch(), idempotency_key="k") == repeated(first)
    assert queue.status("default").total == 2
    assert len(events) == 1
    other = queue.enqueue("default", batch(), idempotency_key="k", user_id="another")
    assert other.item_ids == [3, 4]


def test_a_key_is_remembered_after_its_items_are_gone(queue: SessionQueue) -> None:
    first = queue.enqueue("default", a_batch(), idempotency_key="k")
    claimed = queue.claim("worker")
    assert claimed is not None
    queue.complete(claimed.item_id)
    queue.prune("default")
    assert queue.enqueue("default", first.batch, idempotency_key="k") == repeated(first)
    queue.clear("default")
    assert queue.enqueue("default", first.batch, idempotency_key="k") == repeated(first)
    assert queue.status("default").total == 0


def test_a_key_that_was_used_for_something_else_is_refused(queue: SessionQueue) -> None:
    queue.enqueue("default", a_batch(), idempotency_key="k")
    with pytest.raises(IdempotencyKeyError, match="'k' was used for another batch"):
        queue.enqueue("default", a_batch(runs=2), idempotency_key="k")
    with pytest.raises(IdempotencyKeyError, match="'k' was used for another batch"):
        queue.enqueue("default", a_batch(), prepend=True, idempotency_key="k")


def test_a_key_sent_by_many_at_once_stores_one_batch(queue: SessionQueue) -> None:
    answers: list[EnqueueBatchResult] = []
    batch = a_batch(runs=3)
    threads = [
        threading.Thread(target=lambda: answers.append(queue.enqueue("default", batch, idempotency_key="k")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.repeated for answer in answers) == [False] + [True] * 7
    assert len({repeated(answer).model_dump_json() for answer in answers}) == 1
    assert queue.status("default").total == 3


def test_item_numbers_are_never_used_twice(queue: SessionQueue) -> None:
    queue.enqueue("default", a_batch(runs=3))
    queue.clear("default")
    assert queue.enqueue("default", a_batch()).item_ids == [4]


def refused(queue: SessionQueue, runs: int, queue_id: str = "default") -> int:
    with pytest.raises(QueueFullError) as caught:
        queue.enqueue(queue_id, a_batch(runs=runs))
    return caught.value.retry_after_s


def test_a_full_queue_says_when_there_may_be_room(database: Database) -> None:
    """As long as the last items ran, for as many as have to begin before, and as many at once as run now."""
    queue = open_queue(database, max_queue_size=10)
    queue.enqueue("default", a_batch(runs=10))
    assert refused(queue, 1) == 30  # nothing has run that would tell
    for _ in range(4):
        claimed = queue.claim("worker")
        assert claimed is not None
        queue.complete(claimed.item_id)
    ten_seconds = "UPDATE queue_items SET started_at = '2026-01-01T00:00:00.000000Z', completed_at = "
    ten_seconds += "'2026-01-01T00:00:10.000000Z' WHERE status = 'completed'"
    database.write(lambda connection: connection.exec_driver_sql(ten_seconds))
    assert [refused(queue, runs) for runs in (5, 7, 10)] == [10, 30, 60]
    queue.claim("one"), queue.claim("another")
    assert refused(queue, 8) == 10
    queue.pause("default")
    assert refused(queue, 8) == 120
    queue.resume("default")
    assert refused(queue, 11) == 120  # it never fits


def test_a_full_queue_is_told_to_wait_no_longer_and_no_shorter_than_makes_sense(database: Database) -> None:
    queue = open_queue(database, max_queue_size=10)
    queue.enqueue("default", a_batch(runs=10))
    claimed = queue.claim("worker")
    assert claimed is not None
    queue.complete(claimed.item_id)
    queue.enqueue("default", a_batch())
    assert refused(queue, 1) == 1
    an_hour = "UPDATE queue_items SET started_at = '2026-01-01T00:00:00.000000Z', completed_at = "
    an_hour += "'2026-01-01T01:00:00.000000Z' WHERE status = 'completed'"
    database.write(lambda connection: connection.exec_driver_sql(an_hour))
    assert refused(queue, 1) == 120


def test_a_full_queue_does_not_fill_another(database: Database) -> None:
    queue = open_queue(database, max_queue_size=2)
    queue.enqueue("one", a_batch(runs=2))
    refused(queue, 1, "one")
    assert queue.enqueue("two", a_batch(runs=2)).enqueued == 2
