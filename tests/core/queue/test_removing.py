"""What is deleted is gone with all that belongs to it, and whoever followed it hears of its end."""

import pytest
from support.batches import a_batch
from support.queues import open_queue

from impasto.errors import QueueItemNotFoundError
from impasto.queue import SessionQueue
from impasto.storage.database import Database
from impasto_sdk.events import Event


def rows(database: Database, table: str) -> int:
    with database.read() as connection:
        count: int = connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()
    return count


def told(events: list[Event]) -> list[tuple[str, object]]:
    keys = ("status", "canceled_item_ids", "deleted_item_ids")
    documents = ((event.name, event.to_document()) for event in events)
    return [(name, next(document[key] for key in keys if key in document)) for name, document in documents]


def test_a_waiting_item_is_cancelled_and_gone(queue: SessionQueue, events: list[Event]) -> None:
    queue.enqueue("default", a_batch(runs=2))
    events.clear()
    queue.delete("default", 1)
    assert told(events) == [("queue_items_canceled", [1]), ("queue_items_deleted", [1])]
    assert queue.item_ids("default") == [2]
    assert (queue.status("default").total, queue.status("default").canceled) == (1, 0)


def test_a_running_item_is_ended_in_its_worker_and_no_other(
    queue: SessionQueue, events: list[Event], database: Database
) -> None:
    stopped: list[int] = []
    queue.add_cancel_listener(stopped.append)
    queue.enqueue("default", a_batch(runs=2))
    queue.enqueue("other", a_batch())
    for _ in range(3):
        queue.claim("worker")
    queue.journal(1, {"first": {"value": 3}})
    events.clear()
    queue.delete("default", 1)
    assert stopped == [1]
    assert told(events) == [("queue_item_status_changed", "canceled"), ("queue_items_deleted", [1])]
    assert rows(database, "journal") == 0
    assert not queue.complete(1)
    assert queue.complete(2)


def test_an_ended_item_is_gone_and_its_batch_with_the_last(
    queue: SessionQueue, events: list[Event], database: Database
) -> None:
    queue.enqueue("default", a_batch(batch_id="b", runs=2))
    queue.cancel("default", 1)
    events.clear()
    queue.delete("default", 1)
    assert told(events) == [("queue_items_deleted", [1])]
    assert queue.batch_status("default", "b").total == 1
    queue.delete("default", 2)
    assert rows(database, "batches") == 0


@pytest.mark.parametrize("queue_id", ["default", "other"])
def test_what_is_not_there_cannot_be_deleted(queue: SessionQueue, queue_id: str) -> None:
    item_id = queue.enqueue("another", a_batch()).item_ids[0]
    with pytest.raises(QueueItemNotFoundError, match=f"queue '{queue_id}' has no item {item_id}"):
        queue.delete(queue_id, item_id)
    assert queue.get("another", item_id).status == "pending"


def test_a_destination_goes_with_all_its_items_and_no_others(queue: SessionQueue) -> None:
    queue.enqueue("default", a_batch(runs=3, destination="canvas"))
    queue.enqueue("default", a_batch(destination="gallery"))
    queue.enqueue("other", a_batch(destination="canvas"))
    claimed = queue.claim("worker")
    assert claimed is not None
    queue.complete(claimed.item_id)
    queue.claim("worker")
    assert queue.delete_by_destination("default", "canvas") == 3
    assert queue.delete_by_destination("default", "canvas") == 0
    assert queue.item_ids("default") == [4]
    assert queue.counts_by_destination("default", "canvas").total == 0
    assert queue.counts_by_destination("other", "canvas").pending == 1


def test_all_but_the_running_items_go(queue: SessionQueue) -> None:
    stopped: list[int] = []
    queue.add_cancel_listener(stopped.append)
    queue.enqueue("default", a_batch(runs=4))
    queue.claim("worker")
    queue.complete(1)
    queue.claim("worker")
    assert queue.delete_all_except_current("default") == 3
    assert queue.item_ids("default") == [2]
    assert stopped == []


def test_all_or_an_origin_are_cancelled_and_stay_in_the_list(queue: SessionQueue) -> None:
    queue.enqueue("default", a_batch(runs=2, origin="canvas"))
    queue.enqueue("default", a_batch(runs=2, origin="workflows"))
    queue.enqueue("other", a_batch(origin="canvas"))
    queue.claim("worker")
    assert queue.cancel_by_origin("default", "canvas") == 2
    assert queue.cancel_by_origin("default", "nowhere") == 0
    assert queue.cancel_all("default") == 2
    assert queue.status("default").canceled == 4
    assert queue.status("other").pending == 1


def test_pruning_tells_what_is_gone(queue: SessionQueue, events: list[Event]) -> None:
    queue.enqueue("default", a_batch(runs=3))
    queue.cancel("default", 2)
    events.clear()
    assert queue.prune("default") == 1
    assert queue.prune("default") == 0
    assert told(events) == [("queue_items_deleted", [2])]


def test_the_history_of_each_queue_keeps_the_items_that_ended_last(database: Database) -> None:
    queue = open_queue(database)
    queue.enqueue("one", a_batch(runs=5))
    queue.enqueue("two", a_batch(runs=2))
    for item_id in (5, 1, 3):
        queue.cancel("one", item_id)
    queue.cancel_all("two")
    assert queue.prune_history(2) == 1
    assert queue.item_ids("one") == [1, 2, 3, 4]
    assert queue.prune_history(1) == 2
    assert queue.item_ids("one") == [2, 3, 4]
    assert queue.prune_history(0) == 2
    assert queue.item_ids("one") == [2, 4]
    assert queue.item_ids("two") == []
    assert [queue.status("one").total, queue.status("two").total] == [2, 0]


def test_a_history_that_is_short_enough_holds_up_no_write(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = open_queue(database)
    queue.enqueue("default", a_batch(runs=3))
    queue.cancel_all("default")
    with monkeypatch.context() as patch:
        patch.setattr(database, "submit", None)
        assert queue.prune_history(3) == 0
    assert queue.prune_history(2) == 1


def test_a_long_history_goes_in_portions(database: Database, events: list[Event]) -> None:
    queue = open_queue(database, told=events, max_queue_size=5000)
    queue.enqueue("default", a_batch(runs=1200))
    queue.cancel_all("default")
    events.clear()
    assert queue.prune_history(100) == 1100
    gone = [event.to_document()["deleted_item_ids"] for event in events]
    assert [len(ids) for ids in gone] == [500, 500, 100]
    assert queue.item_ids("default") == list(range(1101, 1201))
