"""What a watch knows of a queue, event by event, and the picture it makes of that."""

import io
from typing import Any

import pytest
from rich.console import Console

from impasto.cli.event_stream import EventMessage
from impasto.cli.queue_watch import view
from impasto.cli.watched_queue import WatchedQueue

COUNTS = {"pending": 2, "in_progress": 0, "completed": 0, "failed": 0, "canceled": 0}


def event(name: str, item_id: int = 7, queue_id: str = "q", **data: Any) -> EventMessage:
    return EventMessage("1", name, {"queue_id": queue_id, "item_id": item_id, "batch_id": "b", **data})


def status(name: str, item_id: int = 7, **data: Any) -> EventMessage:
    return event("queue_item_status_changed", item_id, status=name, queue_status={**COUNTS, "pending": 1}, **data)


def picture(queue: WatchedQueue) -> list[str]:
    printed = io.StringIO()
    Console(width=100, file=printed).print(view(queue))
    return [line.rstrip() for line in printed.getvalue().splitlines()]


@pytest.fixture
def queue() -> WatchedQueue:
    queue = WatchedQueue("q")
    queue.begin(COUNTS, None)
    return queue


def test_an_item_runs_says_how_far_it_is_and_ends(queue: WatchedQueue) -> None:
    assert queue.take(status("in_progress")) == ()
    assert (queue.running[7].what, queue.running[7].part) == ("starting", None)
    queue.take(event("invocation_started", invocation={"type": "denoise_latents"}))
    assert (queue.running[7].what, queue.running[7].part) == ("denoise_latents", None)
    queue.take(event("invocation_progress", invocation={"type": "denoise_latents"}, message="step 5", percentage=0.25))
    assert (queue.running[7].what, queue.running[7].part) == ("step 5", 0.25)
    moments = {"started_at": "2026-01-01T00:00:00.000Z", "completed_at": "2026-01-01T00:01:05.000Z"}
    (ended,) = queue.take(status("completed", **moments))
    assert str(ended) == "item 7 completed after 1 min 5 s"
    assert (queue.running, list(queue.ended), queue.counts["pending"]) == ({}, [ended], 1)


def test_an_item_that_lost_its_worker_neither_runs_nor_has_ended(queue: WatchedQueue) -> None:
    queue.take(status("in_progress"))
    assert queue.take(status("pending")) == ()
    assert (queue.running, list(queue.ended)) == ({}, [])


def test_what_runs_before_anyone_watches_is_known_from_its_next_step(queue: WatchedQueue) -> None:
    queue.take(event("invocation_started", 3, invocation={"type": "add"}))
    assert queue.running[3].what == "add"


def test_events_of_other_queues_change_nothing(queue: WatchedQueue) -> None:
    queue.take(event("invocation_started", 3, "other", invocation={"type": "add"}))
    assert queue.running == {}


def test_nothing_runs_in_a_queue_that_was_cleared(queue: WatchedQueue) -> None:
    queue.take(status("in_progress"))
    queue.take(event("queue_cleared"))
    assert queue.running == {}


def test_items_that_are_cancelled_all_at_once_have_ended_each(queue: WatchedQueue) -> None:
    ended = queue.take(event("queue_items_canceled", canceled_item_ids=[3, 4]))
    assert [str(item) for item in ended] == ["item 3 canceled", "item 4 canceled"]
    assert list(queue.ended) == list(ended)


def test_the_last_few_that_ended_are_remembered(queue: WatchedQueue) -> None:
    for item_id in range(20):
        queue.take(status("failed", item_id, error_message="no"))
    assert [item.item_id for item in queue.ended] == list(range(12, 20))


def test_the_picture_holds_counts_what_runs_and_what_ended(queue: WatchedQueue) -> None:
    assert picture(queue) == [
        "queue 'q': 2 pending, 0 in progress, 0 completed, 0 failed, 0 canceled",
        "nothing runs",
    ]
    queue.take(status("failed", 6, error_message="no [such] thing"))
    queue.take(status("in_progress"))
    queue.take(event("invocation_progress", invocation={"type": "t"}, message="[step] 5", percentage=0.5))
    counts, running, ended = picture(queue)
    assert counts.startswith("queue 'q': 1 pending")
    assert running.split()[:2] == ["item", "7"]
    assert running.endswith("50%  [step] 5")
    assert ended == "item 6 failed: no [such] thing"
