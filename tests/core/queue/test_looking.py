"""What clients see of the queue, and what they remove from it."""

from typing import Any

import pytest
from support.batches import a_batch, a_graph, values

from impasto.engine.protocol import item_key
from impasto.errors import BatchNotFoundError, QueueItemNotFoundError
from impasto.queue import SessionQueue
from impasto.queue.session_view import session_view
from impasto_sdk.events import Event, QueueClearedEvent, QueueItemsCanceledEvent, QueueItemStatusChangedEvent


def canceled(events: list[Event]) -> list[QueueItemsCanceledEvent]:
    return [event for event in events if isinstance(event, QueueItemsCanceledEvent)]


def test_an_item_has_every_field_with_nulls(queue: SessionQueue) -> None:
    queue.enqueue("default", a_batch([values("first", "a", 5)], batch_id="b", session_ids=["s"]))
    document = queue.get("default", 1).model_dump(mode="json")
    session = document.pop("session")
    assert document.pop("created_at") == document.pop("updated_at")
    assert document == {
        "item_id": 1, "status": "pending", "status_sequence": 0, "priority": 0, "batch_id": "b", "origin": None,
        "destination": None, "session_id": "s", "error_type": None, "error_message": None, "error_traceback": None,
        "started_at": None, "completed_at": None, "queue_id": "default", "user_id": "system",
        "user_display_name": None, "user_email": None,
        "field_values": [{"node_path": "first", "field_name": "a", "value": 5}], "retried_from_item_id": None,
        "workflow_call_id": None, "parent_item_id": None, "parent_session_id": None, "root_item_id": None,
        "workflow_call_depth": None, "attempts": 0, "worker_id": None, "workflow": None,
    }  # fmt: skip
    assert session["graph"]["nodes"]["first"]["a"] == 5
    assert set(session) == {
        "id", "graph", "execution_graph", "executed", "executed_history", "results", "errors",
        "prepared_source_mapping", "source_prepared_mapping",
    }  # fmt: skip


def test_a_session_shows_what_its_journal_holds(queue: SessionQueue) -> None:
    queue.enqueue("default", a_batch())
    item = queue.claim("worker")
    assert item is not None
    queue.journal(1, {"first": {"value": 3}, "second[1,0]": {"value": 13}, "second[0,0]": {"value": 12}})
    running = queue.get("default", 1).session
    assert running["results"] == {"first": {"value": 3}, "second[1,0]": {"value": 13}, "second[0,0]": {"value": 12}}
    assert running["prepared_source_mapping"] == {"first": "first", "second[1,0]": "second", "second[0,0]": "second"}
    assert running["source_prepared_mapping"] == {"first": ["first"], "second": ["second[1,0]", "second[0,0]"]}
    assert running["executed"] == ["first", "second[1,0]", "second[0,0]"]
    assert running["executed_history"] == ["first", "second"]
    assert running["execution_graph"]["nodes"]["second[1,0]"] == {**a_graph()["nodes"]["second"], "id": "second[1,0]"}
    queue.complete(1)
    assert "second" in queue.get("default", 1).session["executed"]


def test_a_failed_session_shows_its_error(queue: SessionQueue) -> None:
    queue.enqueue("default", a_batch(session_ids=["s"]))
    queue.claim("worker")
    queue.fail(1, "ValueError", "no good")
    assert queue.get("default", 1).session["errors"] == {"s": "no good"}


def test_a_node_whose_id_looks_like_an_execution_is_taken_for_itself() -> None:
    graph: dict[str, Any] = {"nodes": {"odd[0]": {"type": "add"}, "odd": {"type": "add"}}}
    view = session_view("s", graph, {"odd[0]": 1, "odd[0][2]": 2, "odd[1]": 3}, error=None, completed=False)
    assert view["prepared_source_mapping"] == {"odd[0]": "odd[0]", "odd[0][2]": "odd[0]", "odd[1]": "odd"}


def test_executions_of_a_called_graph_are_those_of_its_nodes() -> None:
    inner: dict[str, Any] = {
        "nodes": {"a/b": {"type": "add", "b": 7}, "deep": {"type": "call", "called": {"graph": {"nodes": {}}}}}
    }
    inner["nodes"]["deep"]["called"]["graph"]["nodes"]["leaf[0]"] = {"type": "leaf"}
    graph: dict[str, Any] = {
        "nodes": {
            "my/call": {"type": "call", "called": {"graph": inner}},
            "my": {"type": "add"},
            "x/y": {"type": "add"},
        }
    }
    journal = {"my/call[3]/a/b[0]": 1, "my/call/deep[1]/leaf[0][2]": 2, "x/y[4]": 3, "my/call[3]": 4, "my/unheard": 5}
    view = session_view("s", graph, journal, error=None, completed=False)
    assert view["prepared_source_mapping"] == {
        "my/call[3]/a/b[0]": "my/call/a/b",
        "my/call/deep[1]/leaf[0][2]": "my/call/deep/leaf[0]",
        "x/y[4]": "x/y",
        "my/call[3]": "my/call",
        "my/unheard": "my/unheard",
    }
    assert view["execution_graph"]["nodes"]["my/call[3]/a/b[0]"] == {"type": "add", "b": 7, "id": "my/call[3]/a/b[0]"}


def test_items_of_a_generator_are_no_executions() -> None:
    graph: dict[str, Any] = {"nodes": {"g": {"type": "stream"}, "a": {"type": "add"}}}
    journal = {item_key("g", 0): {"item": 5}, "a[0]": {"value": 1}, item_key("g", 1): {"item": 6}}
    view = session_view("s", graph, journal, error=None, completed=False)
    assert view["results"] == {"a[0]": {"value": 1}}
    assert (view["executed"], view["executed_history"]) == (["a[0]"], ["a"])
    assert list(view["prepared_source_mapping"]) == list(view["execution_graph"]["nodes"]) == ["a[0]"]


def test_a_summary_is_the_item_without_its_session(queue: SessionQueue) -> None:
    queue.enqueue("default", a_batch([values("first", "a", 1, 2)], workflow={"name": "w"}))
    whole = [item.model_dump(exclude={"session", "workflow"}) for item in queue.get_many("default", [2, 1])]
    assert [item.model_dump() for item in queue.summaries("default", [2, 99, 1])] == whole
    assert queue.summaries("other", [1]) == []


def test_counts_by_destination_are_those_of_all_its_batches(queue: SessionQueue) -> None:
    queue.enqueue("default", a_batch(runs=2, destination="canvas"))
    queue.enqueue("default", a_batch(runs=3, destination="canvas"))
    queue.enqueue("default", a_batch(destination="gallery"))
    queue.claim("worker")
    queue.cancel("default", 2)
    counts = queue.counts_by_destination("default", "canvas")
    assert (counts.queue_id, counts.destination) == ("default", "canvas")
    assert (counts.pending, counts.in_progress, counts.canceled, counts.completed, counts.total) == (3, 1, 1, 0, 5)
    assert queue.counts_by_destination("default", "nowhere").total == 0


def test_what_is_not_there_is_named(queue: SessionQueue) -> None:
    queue.enqueue("default", a_batch())
    with pytest.raises(QueueItemNotFoundError, match="queue 'default' has no item 7"):
        queue.get("default", 7)
    with pytest.raises(QueueItemNotFoundError, match="queue 'another' has no item 1"):
        queue.get("another", 1)
    with pytest.raises(QueueItemNotFoundError):
        queue.cancel("another", 1)
    with pytest.raises(BatchNotFoundError, match="queue 'default' has no batch 'b'"):
        queue.batch_status("default", "b")


def test_a_queue_that_was_never_used_is_empty(queue: SessionQueue) -> None:
    assert queue.status("new").model_dump() == {
        "queue_id": "new", "item_id": None, "batch_id": None, "session_id": None, "pending": 0, "in_progress": 0,
        "waiting": 0, "completed": 0, "failed": 0, "canceled": 0, "total": 0, "user_pending": None,
        "user_in_progress": None,
    }  # fmt: skip
    assert (queue.list("new"), queue.current("new"), queue.next("new"), queue.clear("new")) == ([], None, None, 0)


def test_the_status_names_the_running_item(queue: SessionQueue) -> None:
    queue.enqueue("default", a_batch(runs=2, batch_id="b"))
    item = queue.claim("worker")
    assert item is not None
    status = queue.status("default")
    assert (status.item_id, status.batch_id, status.session_id) == (1, "b", item.session_id)
    current, following = queue.current("default"), queue.next("default")
    assert current is not None
    assert following is not None
    assert (current.item_id, current.worker_id, following.item_id) == (1, "worker", 2)


def test_lists_are_narrowed_and_paged(queue: SessionQueue) -> None:
    queue.enqueue("default", a_batch(runs=3, batch_id="b1", destination="gallery"))
    queue.enqueue("default", a_batch(runs=2, batch_id="b2"))
    queue.enqueue("another", a_batch())
    queue.claim("worker")

    def ids(**which: Any) -> list[int]:
        return [item.item_id for item in queue.list("default", **which)]

    assert ids() == [1, 2, 3, 4, 5]
    assert ids(newest_first=True, limit=2) == [5, 4]
    assert ids(newest_first=True, limit=2, after=4) == [3, 2]
    assert ids(after=3) == [4, 5]
    assert ids(destination="gallery", status="pending") == [2, 3]
    assert ids(batch_id="b2") == [4, 5]
    assert [item.item_id for item in queue.get_many("default", [4, 6, 1, 99])] == [4, 1]
    assert queue.item_ids("default", newest_first=True) == [5, 4, 3, 2, 1]


def test_a_waiting_item_is_cancelled_and_never_runs(queue: SessionQueue, events: list[Event]) -> None:
    stopped: list[int] = []
    queue.add_cancel_listener(stopped.append)
    queue.enqueue("default", a_batch(runs=2))
    events.clear()
    assert queue.cancel("default", 1).status == "canceled"
    (event,) = events
    assert isinstance(event, QueueItemStatusChangedEvent)
    assert (event.item_id, event.status, event.queue_status["pending"]) == (1, "canceled", 1)
    assert stopped == []
    item = queue.claim("worker")
    assert item is not None
    assert item.item_id == 2


def test_a_running_item_is_cancelled_and_its_worker_told(queue: SessionQueue) -> None:
    stopped: list[tuple[int, str]] = []
    queue.add_cancel_listener(lambda item_id: stopped.append((item_id, queue.get("default", item_id).status)))
    queue.enqueue("default", a_batch())
    queue.claim("worker")
    assert queue.cancel("default", 1).status == "canceled"
    assert stopped == [(1, "canceled")]


def test_an_item_that_has_ended_stays_as_it_is(queue: SessionQueue, events: list[Event]) -> None:
    queue.enqueue("default", a_batch())
    queue.claim("worker")
    queue.complete(1)
    events.clear()
    assert queue.cancel("default", 1).status == "completed"
    assert events == []


def test_batches_are_cancelled_with_what_runs_of_them(queue: SessionQueue, events: list[Event]) -> None:
    stopped: list[int] = []
    queue.add_cancel_listener(stopped.append)
    for batch_id in ("b1", "b2", "b3"):
        queue.enqueue("default", a_batch(runs=3, batch_id=batch_id), user_id=f"user of {batch_id}")
    queue.claim("worker")
    events.clear()
    assert queue.cancel_by_batch_ids("default", ["b1", "b3", "unknown"]) == 6
    assert stopped == [1]
    (event,) = canceled(events)
    assert event.canceled_item_ids == [2, 3, 7, 8, 9]
    assert event.canceled_item_ids_by_user == {"user of b1": [2, 3], "user of b3": [7, 8, 9]}
    assert event.user_ids == ["user of b1", "user of b3"]
    assert queue.batch_status("default", "b1").canceled == queue.batch_status("default", "b3").canceled == 3
    assert queue.batch_status("default", "b2").pending == queue.status("default").pending == 3


def test_a_destination_is_cancelled_and_others_stay(queue: SessionQueue) -> None:
    queue.enqueue("default", a_batch(runs=2, destination="canvas"))
    queue.enqueue("default", a_batch(runs=2, destination="gallery"))
    queue.enqueue("another", a_batch(destination="canvas"))
    assert queue.cancel_by_destination("default", "canvas") == 2
    assert (queue.status("default").pending, queue.status("another").pending) == (2, 1)


def test_all_but_the_running_item_are_cancelled(queue: SessionQueue, events: list[Event]) -> None:
    queue.enqueue("default", a_batch(runs=4))
    queue.claim("worker")
    assert queue.cancel_all_except_current("default") == 3
    status = queue.status("default")
    assert (status.in_progress, status.canceled, status.pending) == (1, 3, 0)
    assert queue.cancel_all_except_current("default") == 0
    assert len(canceled(events)) == 1


def test_clearing_removes_everything_and_stops_what_runs(queue: SessionQueue, events: list[Event]) -> None:
    stopped: list[int] = []
    queue.add_cancel_listener(stopped.append)
    queue.enqueue("default", a_batch(runs=3, batch_id="b"))
    queue.enqueue("another", a_batch())
    queue.claim("worker")
    queue.journal(1, {"first": {"value": 3}})
    events.clear()
    assert queue.clear("default") == 3
    assert stopped == [1]
    assert [type(event) for event in events] == [QueueClearedEvent]
    assert queue.status("default").total == 0
    assert queue.status("another").total == 1
    with pytest.raises(BatchNotFoundError):
        queue.batch_status("default", "b")
    assert not queue.complete(1)


def test_pruning_removes_what_has_ended_and_batches_left_empty(queue: SessionQueue) -> None:
    queue.enqueue("default", a_batch(runs=1, batch_id="done"))
    queue.enqueue("default", a_batch(runs=3, batch_id="half"))
    for _ in range(2):
        item = queue.claim("worker")
        assert item is not None
        queue.complete(item.item_id)
    queue.cancel("default", 3)
    assert queue.prune("default") == 3
    assert queue.prune("default") == 0
    assert queue.item_ids("default") == [4]
    assert queue.batch_status("default", "half").total == queue.status("default").total == 1
    with pytest.raises(BatchNotFoundError):
        queue.batch_status("default", "done")
