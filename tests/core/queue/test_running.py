"""The engine's side: claims, journals, endings, and workers that are lost."""

import re
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import ClauseElement
from sqlalchemy.dialects import postgresql, sqlite
from support.batches import a_batch, a_graph, values
from support.queues import open_queue, open_store

from impasto.queue import SessionQueue
from impasto.queue.records import ClaimedItem, MetadataBinding
from impasto.storage.database import Database
from impasto.storage.event_log import EventLog, LoggedEvent
from impasto.storage.queue import claim as queue_claim
from impasto.storage.queue import queries as queue_queries
from impasto.storage.queue import statements as queue_statements
from impasto.storage.queue.items import QueueItemStore
from impasto.storage.queue.reading import narrowed
from impasto.storage.queue.rows import ItemFilter
from impasto_sdk.events import Event, QueueClearedEvent, QueueItemStatusChangedEvent


def claim(queue: SessionQueue, worker: str = "worker") -> ClaimedItem:
    claimed = queue.claim(worker)
    assert claimed is not None
    return claimed


def journal_of(queue: SessionQueue, item_id: int) -> dict[str, object]:
    return {key: output for lines in queue.journal_lines(item_id) for key, output in lines.items()}


def statuses(events: list[Event]) -> list[tuple[int, str, int]]:
    return [
        (event.item_id, event.status, event.status_sequence)
        for event in events
        if isinstance(event, QueueItemStatusChangedEvent)
    ]


def test_a_claimed_item_has_all_that_its_session_needs(queue: SessionQueue) -> None:
    queue.enqueue(
        "default",
        a_batch(
            [values("first", "a", 2**64 - 1)],
            batch_id="b", session_ids=["s"], origin="o", destination="d", workflow={"name": "w"},
            metadata={"values": {"seed": 0}},
            metadata_bindings=[MetadataBinding(pointer="/values/seed", node_path="first", field_name="a")],
        ),
        user_id="somebody",
    )  # fmt: skip
    graph = a_graph()
    graph["nodes"]["first"]["a"] = 2**64 - 1
    assert claim(queue) == ClaimedItem(
        item_id=1, queue_id="default", batch_id="b", session_id="s", user_id="somebody", origin="o", destination="d",
        graph=graph, workflow={"name": "w"}, metadata={"values": {"seed": 2**64 - 1}}, attempt=1,
    )  # fmt: skip


def test_an_empty_queue_gives_nothing(queue: SessionQueue) -> None:
    assert queue.claim("worker") is None


def test_items_come_in_the_order_of_priority_and_age_over_all_queues(queue: SessionQueue) -> None:
    queue.enqueue("one", a_batch())
    queue.enqueue("two", a_batch())
    queue.enqueue("one", a_batch(), prepend=True)
    queue.enqueue("three", a_batch())
    assert [(claim(queue).item_id) for _ in range(4)] == [3, 1, 2, 4]


def test_a_paused_queue_keeps_its_items_and_others_go_on(queue: SessionQueue) -> None:
    queue.enqueue("held", a_batch(runs=3))
    queue.enqueue("free", a_batch())
    queue.pause("held")
    queue.pause("never used")
    assert claim(queue).queue_id == "free"
    assert queue.claim("worker") is None
    queue.resume("held")
    assert claim(queue).queue_id == "held"


def test_a_queue_stays_paused_over_a_restart(tmp_path: Path) -> None:
    with Database(tmp_path / "impasto.db") as database:
        queue = open_queue(database)
        queue.enqueue("held", a_batch())
        queue.pause("held")
    with Database(tmp_path / "impasto.db") as database:
        queue = open_queue(database)
        assert queue.is_paused("held")
        assert queue.claim("worker") is None
        assert [(one.queue_id, one.is_paused, one.pending) for one in queue.queues()] == [("held", True, 1)]
        queue.resume("held")
        assert not queue.is_paused("held")
        assert claim(queue).item_id == 1


def test_many_workers_never_get_the_same_item(queue: SessionQueue) -> None:
    queue.enqueue("default", a_batch(runs=100))
    taken: list[int] = []

    def work(name: str) -> None:
        while (item := queue.claim(name)) is not None:
            taken.append(item.item_id)

    threads = [threading.Thread(target=work, args=(f"worker {n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == list(range(1, 101))


@pytest.mark.parametrize(
    ("statement", "step"),
    [
        (queue_claim.CLAIM, "COVERING INDEX ix_queue_items_next (queue_id=? AND status=?)"),
        (
            queue_claim.CLAIM_OF_KIND,
            "COVERING INDEX ix_queue_items_next_of_kind (queue_id=? AND status=? AND needs_device=?)",
        ),
        (
            queue_claim.FIND_FIRST_OF_KIND,
            "COVERING INDEX ix_queue_items_next_of_kind (queue_id=? AND status=? AND needs_device=?)",
        ),
    ],
)
def test_a_claim_is_one_step_into_an_index(database: Database, statement: Any, step: str) -> None:
    """However many items wait: the next one is found without looking at the others."""
    text = str(statement.compile(dialect=sqlite.dialect()))
    with database.read() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", ("",) * text.count("?")).all()
    plan = [row.detail for row in rows]
    assert f"SEARCH queue_items USING {step}" in plan
    assert not any("SCAN queue_items" in step or "SCAN candidate" in step for step in plan), plan


@pytest.mark.parametrize(
    ("statement", "steps"),
    [
        (
            queue_claim.CLAIM_WARM,
            ["SEARCH near USING INDEX ix_queue_items_next (queue_id=? AND status=? AND priority=?"],
        ),
        (
            queue_claim.CLAIM_WARM_OF_KIND,
            [
                "SEARCH near USING INDEX ix_queue_items_next_of_kind "
                "(queue_id=? AND status=? AND needs_device=? AND priority=?",
                "ix_queue_items_next_of_kind (queue_id=? AND status=? AND needs_device=?)",
            ],
        ),
        (queue_queries.FIND_PREVIOUS, ["ix_queue_items_next (queue_id=? AND status=? AND priority=? AND position<?)"]),
        (queue_queries.FIND_LATER, ["ix_queue_items_next (queue_id=? AND status=? AND priority=? AND position>?)"]),
        (queue_queries.FIND_LAST, ["ix_queue_items_next (queue_id=? AND status=?)"]),
        (queue_queries.FIND_LATE_RUNS, ["ix_queue_items_next (queue_id=? AND status=?)"]),
        (queue_queries.FIND_JOURNAL_LINES, ["ix_journal_order (item_id=? AND id>?)"]),
    ],
)
def test_what_is_asked_often_is_a_step_into_an_index(database: Database, statement: Any, steps: list[str]) -> None:
    """And what comes out of it is in order, so that no more is read than is given."""
    text = str(statement.compile(dialect=sqlite.dialect()))
    with database.read() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", ("",) * text.count("?")).all()
    plan = [row.detail for row in rows]
    assert all(any(step in line for line in plan) for step in steps), plan
    assert not any(line.startswith("SCAN queue_items") or line.startswith("SCAN journal") for line in plan), plan
    if statement not in (queue_claim.CLAIM_WARM, queue_claim.CLAIM_WARM_OF_KIND):  # which put a window's items in order
        assert not any("TEMP B-TREE" in line for line in plan), plan


@pytest.mark.parametrize(
    ("statement", "step"),
    [
        (queue_queries.FIND_EXPIRED, "SEARCH queue_items USING INDEX ix_queue_items_next"),
        (narrowed(queue_queries.FIND_ITEMS, "q", ItemFilter(destination="d")), "ix_queue_items_batch (batch=?)"),
        (
            narrowed(queue_statements.CANCEL_PENDING, "q", ItemFilter(batch_ids=["b"])),
            "ix_queue_items_batch (batch=? AND status=?)",
        ),
        (
            narrowed(queue_statements.DELETE_ENDED, "q", ItemFilter(origin="o")),
            "ix_queue_items_batch (batch=? AND status=?)",
        ),
    ],
)
def test_what_is_asked_of_some_batches_looks_at_their_items_only(
    database: Database, statement: ClauseElement, step: str
) -> None:
    text = re.sub(r"__\[POSTCOMPILE_\w+\]", "?", str(statement.compile(dialect=sqlite.dialect())))
    with database.read() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", ("",) * text.count("?")).all()
    plan = [row.detail for row in rows]
    assert any(step in line for line in plan), plan


def test_every_statement_is_understood_by_postgresql_too() -> None:
    for module in (queue_claim, queue_queries, queue_statements):
        statements = {name: getattr(module, name) for name in module.__all__}
        for name, statement in statements.items():
            if isinstance(statement, ClauseElement):
                assert str(statement.compile(dialect=postgresql.dialect())), name


def test_who_waits_for_work_is_woken_by_it(queue: SessionQueue) -> None:
    bell = queue.add_bell()
    enqueuing = threading.Thread(target=lambda: queue.enqueue("default", a_batch()))
    enqueuing.start()
    assert bell.wait(30)
    enqueuing.join()
    bell.clear()
    assert claim(queue).item_id == 1
    assert queue.claim("worker") is None
    assert not bell.is_set()
    queue.give_back(1, "lost")
    assert bell.is_set()


def test_endings_are_kept_and_told(queue: SessionQueue, events: list[Event]) -> None:
    queue.enqueue("default", a_batch(runs=2, batch_id="b"))
    events.clear()
    first, second = claim(queue), claim(queue)
    assert queue.complete(first.item_id)
    assert queue.fail(second.item_id, "ValueError", "no \udcff good", "line 1\nline 2")
    assert statuses(events) == [(1, "in_progress", 1), (2, "in_progress", 1), (1, "completed", 2), (2, "failed", 2)]
    done, failed = queue.list("default")
    assert (done.status, done.error_type, done.completed_at is not None) == ("completed", None, True)
    assert (failed.status, failed.error_type, failed.error_message) == ("failed", "ValueError", "no \\udcff good")
    assert failed.error_traceback == "line 1\nline 2"
    last = events[-1].to_document()
    assert last["batch_status"] == {
        "queue_id": "default", "batch_id": "b", "origin": None, "destination": None, "pending": 0,
        "in_progress": 0, "waiting": 0, "completed": 1, "failed": 1, "canceled": 0, "total": 2,
    }  # fmt: skip
    assert last["queue_status"]["total"] == 2


def test_an_event_leaves_when_what_it_tells_can_be_read(database: Database) -> None:
    seen: list[tuple[str, str]] = []
    log = EventLog(database)
    log.open()

    def deliver(logged: Sequence[LoggedEvent]) -> None:
        for event in (one.event for one in logged):
            if isinstance(event, QueueItemStatusChangedEvent):
                seen.append((event.status, queue.get("default", event.item_id).status))

    log.listen(deliver)
    queue = SessionQueue(QueueItemStore(database, log), max_queue_size=10, max_attempts=2)
    queue.enqueue("default", a_batch(runs=2))
    queue.complete(claim(queue).item_id)
    queue.cancel("default", claim(queue).item_id)
    assert seen == [(status, status) for status in ("in_progress", "completed", "in_progress", "canceled")]


def test_an_item_that_lost_its_worker_goes_on_from_its_journal(queue: SessionQueue) -> None:
    queue.enqueue("default", a_batch())
    first = claim(queue)
    outputs = {f"first[{i}]": {"type": "integer_output", "value": 2**64 - i} for i in range(12)}
    assert queue.journal(1, dict(list(outputs.items())[:5]), attempt=first.attempt)
    assert queue.journal(1, outputs, attempt=first.attempt)  # some of it was told before
    assert queue.give_back(1, "the worker crashed", attempt=first.attempt)
    second = claim(queue)
    assert (second.attempt, second.session_id) == (2, first.session_id)
    assert list(journal_of(queue, 1).items()) == list(outputs.items())
    assert [len(lines) for lines in queue.journal_lines(1, limit=5)] == [5, 5, 2]


def test_an_attempt_that_got_further_is_followed_by_as_many_as_a_first_one(queue: SessionQueue) -> None:
    queue.enqueue("default", a_batch())
    for number in range(1, 5):  # twice as often as it may be tried
        assert queue.journal(1, {f"first[{number}]": {}}, attempt=claim(queue).attempt)
        queue.give_back(1, "the worker is gone")
        assert queue.get("default", 1).status == "pending"
    claim(queue)
    queue.give_back(1, "the worker is gone")
    item = queue.get("default", 1)
    assert (item.status, item.attempts, item.error_message) == ("failed", 5, "the worker is gone")


def test_a_lease_that_is_extended_is_no_step_further(queue: SessionQueue) -> None:
    queue.enqueue("default", a_batch())
    for _ in range(2):
        assert queue.extend_lease(1, attempt=claim(queue).attempt)
        queue.give_back(1, "the worker is gone")
    assert queue.get("default", 1).status == "failed"


def test_attempts_are_bounded_and_the_reason_is_kept(queue: SessionQueue, events: list[Event]) -> None:
    queue.enqueue("default", a_batch(runs=2))
    for _ in range(2):
        assert queue.give_back(claim(queue).item_id, "the worker crashed")
    item = queue.get("default", 1)
    assert (item.status, item.error_type, item.error_message) == ("failed", "WorkerError", "the worker crashed")
    assert item.attempts == 2
    assert statuses(events)[-1] == (1, "failed", 4)
    assert claim(queue).item_id == 2


def test_an_attempt_that_is_excused_does_not_count(queue: SessionQueue) -> None:
    queue.enqueue("default", a_batch())
    for attempt in range(1, 6):
        assert claim(queue).attempt == attempt
        assert queue.give_back(1, "the server stopped", excused=True)
    assert claim(queue).attempt == 6
    queue.give_back(1, "crashed")
    claim(queue)
    queue.give_back(1, "crashed again")
    assert queue.get("default", 1).status == "failed"


def test_an_attempt_that_is_over_cannot_speak_for_the_next(queue: SessionQueue) -> None:
    queue.enqueue("default", a_batch())
    old = claim(queue)
    queue.give_back(1, "silent", attempt=old.attempt)
    assert not queue.journal(1, {"first": {"value": 0}}, attempt=old.attempt)
    new = claim(queue)
    assert not queue.journal(1, {"first": {"value": 0}}, attempt=old.attempt)
    assert not queue.complete(1, attempt=old.attempt)
    assert not queue.fail(1, "Error", "late", attempt=old.attempt)
    assert not queue.give_back(1, "late", attempt=old.attempt)
    assert journal_of(queue, 1) == {}
    assert queue.get("default", 1).session["results"] == {}
    assert queue.complete(1, attempt=new.attempt)
    assert not queue.complete(1, attempt=new.attempt)


@pytest.mark.parametrize("item_id", [1, 99])
def test_what_no_longer_runs_takes_no_journal_and_no_ending(queue: SessionQueue, item_id: int) -> None:
    queue.enqueue("default", a_batch())
    claim(queue)
    queue.cancel("default", 1)
    assert not queue.journal(item_id, {"first": {"value": 0}})
    assert not queue.complete(item_id)
    assert not queue.fail(item_id, "Error", "late")
    assert not queue.give_back(item_id, "late")
    assert queue.get("default", 1).status == "canceled"


def test_at_start_everything_that_was_running_goes_back_or_fails(queue: SessionQueue, events: list[Event]) -> None:
    queue.enqueue("default", a_batch(runs=3))
    claim(queue)
    queue.give_back(1, "crashed")
    claim(queue), claim(queue)
    events.clear()
    assert queue.recover() == 2
    assert statuses(events) == [(1, "failed", 4), (2, "pending", 2)]
    assert "the server ended" in (queue.get("default", 1).error_message or "")
    assert claim(queue).item_id == 2


def test_a_lease_that_runs_out_gives_the_item_back(database: Database, events: list[Event]) -> None:
    store = open_store(database, told=events)
    hasty = SessionQueue(store, max_queue_size=10, max_attempts=2, lease_s=-1)
    queue = SessionQueue(store, max_queue_size=10, max_attempts=2)
    queue.enqueue("default", a_batch(runs=4))
    kept, extended, journaled, lost = claim(queue), claim(hasty, "alive"), claim(hasty), claim(hasty)
    assert queue.extend_lease(extended.item_id, attempt=1)
    assert not queue.extend_lease(extended.item_id, attempt=2)
    assert queue.journal(journaled.item_id, {})
    assert queue.expire_leases() == [lost.item_id]
    assert queue.get("default", lost.item_id).status == "pending"
    assert [queue.get("default", item.item_id).status for item in (kept, extended, journaled)] == ["in_progress"] * 3


def test_the_last_outputs_are_written_with_the_end_and_told_before_it(queue: SessionQueue, events: list[Event]) -> None:
    queue.enqueue("default", a_batch())
    item = claim(queue)
    del events[:]
    told = QueueClearedEvent(queue_id="told by the worker")
    assert not queue.complete(item.item_id, attempt=2, outputs={"a": {"value": 1}}, events=[told])
    assert queue.get("default", item.item_id).session["results"] == {}
    assert not events
    assert queue.complete(item.item_id, attempt=1, outputs={"a": {"value": 1}}, events=[told])
    assert queue.get("default", item.item_id).session["results"] == {"a": {"value": 1}}
    assert [event.name for event in events] == ["queue_cleared", "queue_item_status_changed"]


def test_an_attempt_that_is_over_cannot_cancel_the_next(queue: SessionQueue) -> None:
    queue.enqueue("default", a_batch())
    first = claim(queue)
    queue.give_back(first.item_id, "lost")
    second = claim(queue)
    assert queue.cancel("default", first.item_id, attempt=first.attempt).status == "in_progress"
    assert queue.cancel("default", first.item_id, attempt=second.attempt).status == "canceled"


def test_an_event_names_the_running_item_of_its_queue(queue: SessionQueue, events: list[Event]) -> None:
    queue.enqueue("default", a_batch(runs=3))
    one, two = claim(queue), claim(queue)
    queue.complete(one.item_id)
    queue.complete(two.item_id)
    told = [event for event in events if isinstance(event, QueueItemStatusChangedEvent)]
    assert [event.queue_status["item_id"] for event in told] == [one.item_id, one.item_id, two.item_id, None]


def test_nothing_is_lost_when_the_server_is_killed(tmp_path: Path) -> None:
    import subprocess
    import sys

    program = f"""
import os, signal
from pathlib import Path
from impasto.storage.database import Database
from support.batches import a_batch
from support.queues import open_queue
database = Database(Path({str(tmp_path / "impasto.db")!r}))
database.open()
queue = open_queue(database, max_queue_size=10)
queue.enqueue("default", a_batch(runs=3))
queue.complete(queue.claim("worker").item_id)
item = queue.claim("worker")
queue.journal(item.item_id, {{"first": {{"type": "integer_output", "value": 3}}}}, attempt=item.attempt)
os.kill(os.getpid(), signal.SIGKILL)
"""
    environment = {"PYTHONPATH": str(Path(__file__).parents[2])}
    assert subprocess.run([sys.executable, "-c", program], check=False, env=environment).returncode == -9
    with Database(tmp_path / "impasto.db") as database:
        queue = open_queue(database, max_queue_size=10)
        assert queue.recover() == 1
        status = queue.status("default")
        assert (status.completed, status.pending, status.in_progress) == (1, 2, 0)
        again = claim(queue)
        assert (again.item_id, again.attempt) == (2, 2)
        assert journal_of(queue, 2) == {"first": {"type": "integer_output", "value": 3}}
