"""Whatever is done to the queue, in whatever order: it does, counts and tells what a naive queue would."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from support.batches import a_batch
from support.naive_queue import ENDED, OPEN, NaiveQueue, Told
from support.queues import open_queue

from impasto.queue.session_models import SessionModels
from impasto.storage.database import Database
from impasto.storage.event_log import EventLog, LoggedEvent
from impasto.storage.queue.queries import COUNTERS
from impasto.storage.queue.rows import Place
from impasto_sdk.events import Event

QUEUES = st.sampled_from(["one", "two"])
BATCHES = st.sampled_from(["a", "b", "c"])
RUNNING = frozenset({"in_progress"})
#: Items that workers may speak of which do not run, or are not there.
STRAY = (1, 2, 99)
MODELS = st.sets(st.sampled_from(["vae", "unet", "lora"]))
#: Who claims: a worker that takes items which need a device, one that takes those which do not, one that takes any.
KINDS = st.sampled_from([True, False, None])
MOST = 12
WINDOW = 3


def told(event: Event) -> Told:
    """An event as `NaiveQueue` says it."""
    document: Any = event
    match event.name:
        case "batch_enqueued":
            return event.name, document.queue_id, document.batch_id, document.enqueued
        case "queue_items_retried":
            return event.name, document.retried_item_ids, document.item_ids
        case "queue_item_status_changed":
            return event.name, document.item_id, document.status, document.status_sequence
        case "queue_items_canceled":
            return event.name, document.canceled_item_ids
        case "queue_items_deleted":
            return event.name, document.deleted_item_ids
        case "queue_item_moved":
            return event.name, document.item_id, document.priority
    return event.name, document.queue_id


class QueueMachine(RuleBasedStateMachine):
    """Does the same to both queues, and compares."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.database = Database(Path(self.folder.name) / "impasto.db")
        self.database.open()
        self.logged: list[LoggedEvent] = []
        self.log = EventLog(self.database)
        self.log.open()
        self.log.listen(self.logged.extend)
        self.queue = open_queue(self.database, log=self.log, max_queue_size=MOST, affinity_window=WINDOW)
        self.naive = NaiveQueue(max_attempts=2, window=WINDOW)
        self.stopped: list[int] = []
        self.queue.add_cancel_listener(self.stopped.append)
        self.read = 0

    def teardown(self) -> None:
        self.database.close()
        self.folder.cleanup()

    def expect(self, wanted: Sequence[Told]) -> None:
        """What was told since the last time, and which running items' workers were told to stop."""
        new, self.read = self.logged[self.read :], len(self.logged)
        assert [told(one.event) for one in new] == list(wanted)

    def in_status(self, statuses: frozenset[str], queue_id: str | None = None) -> list[int]:
        """Items in a status, of one queue or of all."""
        items = self.naive.items.values()
        return [item.id for item in items if item.status in statuses and queue_id in (None, item.queue)]

    @rule(
        queue_id=QUEUES,
        batch_id=BATCHES,
        runs=st.integers(1, 4),
        models=MODELS,
        prepend=st.booleans(),
        needs_device=st.booleans(),
    )
    def enqueue(
        self, queue_id: str, batch_id: str, runs: int, models: set[str], prepend: bool, needs_device: bool
    ) -> None:
        taken = self.naive.counts(queue_id, batch_id).total()
        if taken or self.naive.counts(queue_id)["pending"] + runs > MOST:
            return
        batch = a_batch(batch_id=batch_id, runs=runs, destination=f"to {batch_id}", origin=f"from {batch_id}")
        named = SessionModels(written={("first", "model"): models})
        self.queue.enqueue(queue_id, batch, prepend=prepend, models=named, needs_device=needs_device)
        told = self.naive.enqueue(queue_id, batch_id, runs, models, prepend=prepend, needs_device=needs_device)
        self.expect(told)

    @rule(data=st.data(), queue_id=QUEUES)
    def retry(self, data: st.DataObject, queue_id: str) -> None:
        fruitless = self.in_status(frozenset({"failed", "canceled"}), queue_id)
        room = MOST - self.naive.counts(queue_id)["pending"]
        if fruitless and room:
            some = st.lists(st.sampled_from(fruitless), min_size=1, max_size=room, unique=True)
            ids = data.draw(some)
            self.queue.retry(queue_id, ids)
            self.expect(self.naive.retry(ids))

    @rule(warm=MODELS, needs_device=KINDS)
    def claim(self, warm: set[str], needs_device: bool | None) -> None:
        claimed = self.queue.claim("worker", warm=sorted(warm), needs_device=needs_device)
        item_id, events = self.naive.claim(warm, needs_device)
        assert (claimed and claimed.item_id) == item_id
        self.expect(events)

    @rule(data=st.data(), status=st.sampled_from(["completed", "failed"]))
    def end(self, data: st.DataObject, status: str) -> None:
        item_id = data.draw(st.sampled_from([*self.in_status(RUNNING), *STRAY]))
        if status == "completed":
            self.queue.complete(item_id)
        else:
            self.queue.fail(item_id, "Error", "no good")
        self.expect(self.naive.end(item_id, status))

    @rule(data=st.data(), excused=st.booleans())
    def give_back(self, data: st.DataObject, excused: bool) -> None:
        item_id = data.draw(st.sampled_from([*self.in_status(RUNNING), *STRAY]))
        self.queue.give_back(item_id, "lost", excused=excused)
        self.expect(self.naive.give_back(item_id, excused=excused))

    @rule()
    def recover(self) -> None:
        self.queue.recover()
        self.expect(self.naive.recover())

    @precondition(lambda self: self.naive.items)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        item = self.naive.items[data.draw(st.sampled_from(sorted(self.naive.items)))]
        self.queue.cancel(item.queue, item.id)
        self.expect(self.naive.cancel(item.id))

    @rule(queue_id=QUEUES, batch_id=BATCHES, by=st.sampled_from(["batch", "origin", "destination"]))
    def cancel_some(self, queue_id: str, batch_id: str, by: str) -> None:
        if by == "batch":
            self.queue.cancel_by_batch_ids(queue_id, [batch_id])
        elif by == "origin":
            self.queue.cancel_by_origin(queue_id, f"from {batch_id}")
        else:
            self.queue.cancel_by_destination(queue_id, f"to {batch_id}")
        self.expect(self.naive.cancel_many(lambda item: (item.queue, item.batch) == (queue_id, batch_id)))

    @rule(queue_id=QUEUES, running_too=st.booleans())
    def cancel_all(self, queue_id: str, running_too: bool) -> None:
        (self.queue.cancel_all if running_too else self.queue.cancel_all_except_current)(queue_id)
        self.expect(self.naive.cancel_many(lambda item: item.queue == queue_id, running_too=running_too))

    @precondition(lambda self: self.naive.items)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        item = self.naive.items[data.draw(st.sampled_from(sorted(self.naive.items)))]
        self.queue.delete(item.queue, item.id)
        # told of as one that was cancelled alone
        self.expect(self.naive.delete_many(lambda other: other is item))

    @rule(queue_id=QUEUES, batch_id=BATCHES)
    def delete_by_destination(self, queue_id: str, batch_id: str) -> None:
        self.queue.delete_by_destination(queue_id, f"to {batch_id}")
        self.expect(self.naive.delete_many(lambda item: (item.queue, item.batch) == (queue_id, batch_id)))

    @rule(queue_id=QUEUES)
    def delete_all_except_current(self, queue_id: str) -> None:
        self.queue.delete_all_except_current(queue_id)
        self.expect(self.naive.delete_many(lambda item: item.queue == queue_id, running_too=False))

    @rule(queue_id=QUEUES)
    def prune(self, queue_id: str) -> None:
        self.queue.prune(queue_id)
        self.expect(self.naive.forget(lambda item: item.queue == queue_id and item.status in ENDED))

    @rule(keep=st.integers(0, 3))
    def prune_history(self, keep: int) -> None:
        self.queue.prune_history(keep)
        old = [self.naive.old(queue_id, keep) for queue_id in ("one", "two")]
        self.expect([told for ids in old for told in self.naive.forget(lambda item, ids=ids: item.id in ids)])

    @rule(queue_id=QUEUES)
    def clear(self, queue_id: str) -> None:
        self.queue.clear(queue_id)
        self.naive.forget(lambda item: item.queue == queue_id)
        self.expect([("queue_cleared", queue_id)])

    @rule(data=st.data(), queue_id=QUEUES, priority=st.integers(-1, 2))
    def prioritise(self, data: st.DataObject, queue_id: str, priority: int) -> None:
        if waiting := self.in_status(frozenset({"pending"}), queue_id):
            item_id = data.draw(st.sampled_from(waiting))
            self.queue.set_priority(queue_id, item_id, priority)
            self.expect(self.naive.prioritise(item_id, priority))

    @rule(data=st.data(), queue_id=QUEUES, where=st.sampled_from(["before", "after", "front", "back"]))
    def move(self, data: st.DataObject, queue_id: str, where: Any) -> None:
        if waiting := self.in_status(frozenset({"pending"}), queue_id):
            item_id = data.draw(st.sampled_from(waiting))
            beside = data.draw(st.sampled_from(waiting)) if where in ("before", "after") else None
            self.queue.move(queue_id, item_id, Place(where=where, item_id=beside))
            self.expect(self.naive.move(item_id, where, beside))

    @rule(queue_id=QUEUES, paused=st.booleans())
    def pause(self, queue_id: str, paused: bool) -> None:
        if paused:
            self.queue.pause(queue_id)
            self.naive.paused.add(queue_id)
        else:
            self.queue.resume(queue_id)
            self.naive.paused.discard(queue_id)
        assert self.queue.is_paused(queue_id) == paused

    @invariant()
    def counts_agree(self) -> None:
        with self.database.read() as connection:
            names = ", ".join(COUNTERS)
            kept = connection.exec_driver_sql(f"SELECT queue_id, batch_id, {names} FROM batches").all()
            found = connection.exec_driver_sql("SELECT item_id, queue_id, status FROM queue_items").all()
        items = self.naive.items.values()
        assert {tuple(row) for row in found} == {(item.id, item.queue, item.status) for item in items}
        assert {(row.queue_id, row.batch_id) for row in kept} == {(item.queue, item.batch) for item in items}
        for row in kept:
            counted = self.naive.counts(row.queue_id, row.batch_id)
            assert {name: getattr(row, name) for name in COUNTERS} == {name: counted[name] for name in COUNTERS}
        for queue_id in ("one", "two"):
            status, counted = self.queue.status(queue_id), self.naive.counts(queue_id)
            assert {name: getattr(status, name) for name in COUNTERS} == {name: counted[name] for name in COUNTERS}
            first, waiting = self.queue.next(queue_id), self.naive.waiting(queue_id)
            assert (first and first.item_id) == (waiting[0].id if waiting else None)
        for needs_device in (True, False):
            waiting = [queue_id for queue_id in ("one", "two") if self.naive.waiting(queue_id, needs_device)]
            assert self.queue.is_any_waiting(needs_device=needs_device) == bool(set(waiting) - self.naive.paused)

    @invariant()
    def ids_of_events_rise(self) -> None:
        ids = [one.id for one in self.logged]
        assert ids == sorted(set(ids))
        assert [one.id for one in self.log.read(0, 10_000).events] == ids

    @invariant()
    def workers_stop_only_for_what_no_longer_runs(self) -> None:
        assert not set(self.stopped) & set(self.in_status(OPEN))


TestAgainstAModel = QueueMachine.TestCase
TestAgainstAModel.settings = settings(max_examples=25, stateful_step_count=40, deadline=None)
