"""The kept counts say, after whatever was done to the queue, what counting the items would say."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from support.batches import a_batch
from support.queues import open_queue

from impasto.storage.database import Database
from impasto.storage.queue_queries import COUNTERS
from impasto_sdk.events import Event, QueueItemStatusChangedEvent

QUEUES = st.sampled_from(["one", "two"])
BATCHES = st.sampled_from(["a", "b", "c"])
NUMBERS = st.integers(1, 20)


class QueueMachine(RuleBasedStateMachine):
    """Does anything to a queue, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.database = Database(Path(self.folder.name) / "impasto.db")
        self.database.open()
        self.events: list[Event] = []
        self.queue = open_queue(self.database, told=self.events, max_queue_size=30)
        self.used: set[tuple[str, str]] = set()

    def teardown(self) -> None:
        self.database.close()
        self.folder.cleanup()

    @rule(queue_id=QUEUES, batch_id=BATCHES, runs=st.integers(1, 4), prepend=st.booleans())
    def enqueue(self, queue_id: str, batch_id: str, runs: int, prepend: bool) -> None:
        if (queue_id, batch_id) not in self.used and self.queue.status(queue_id).pending + runs <= 30:
            self.queue.enqueue(queue_id, a_batch(batch_id=batch_id, runs=runs), prepend=prepend)
            self.used.add((queue_id, batch_id))

    @rule()
    def claim(self) -> None:
        self.queue.claim("worker")

    @rule(item_id=NUMBERS)
    def complete(self, item_id: int) -> None:
        self.queue.complete(item_id)

    @rule(item_id=NUMBERS)
    def fail(self, item_id: int) -> None:
        self.queue.fail(item_id, "Error", "no good")

    @rule(item_id=NUMBERS, excused=st.booleans())
    def give_back(self, item_id: int, excused: bool) -> None:
        self.queue.give_back(item_id, "lost", excused=excused)

    @rule()
    def recover(self) -> None:
        self.queue.recover()

    @rule(queue_id=QUEUES, item_id=NUMBERS)
    def cancel(self, queue_id: str, item_id: int) -> None:
        if item_id in self.queue.item_ids(queue_id):
            self.queue.cancel(queue_id, item_id)

    @rule(queue_id=QUEUES, batch_ids=st.lists(BATCHES, max_size=2))
    def cancel_batches(self, queue_id: str, batch_ids: list[str]) -> None:
        self.queue.cancel_by_batch_ids(queue_id, batch_ids)

    @rule(queue_id=QUEUES)
    def cancel_waiting(self, queue_id: str) -> None:
        self.queue.cancel_all_except_current(queue_id)

    @rule(queue_id=QUEUES)
    def clear(self, queue_id: str) -> None:
        self.queue.clear(queue_id)
        self.used = {used for used in self.used if used[0] != queue_id}

    @rule(queue_id=QUEUES)
    def prune(self, queue_id: str) -> None:
        self.queue.prune(queue_id)
        left = {item.batch_id for item in self.queue.list(queue_id)}
        self.used = {used for used in self.used if used[0] != queue_id or used[1] in left}

    @invariant()
    def counts_agree(self) -> None:
        with self.database.read() as connection:
            rows = connection.exec_driver_sql(
                "SELECT i.queue_id, batch_id, status, count(*) FROM queue_items i JOIN batches b ON b.id = i.batch "
                "GROUP BY 1, 2, 3"
            ).all()
            kept_batches = connection.exec_driver_sql(
                f"SELECT queue_id, batch_id, {', '.join(COUNTERS)} FROM batches"
            ).all()
        counted: dict[tuple[Any, ...], int] = {}
        for queue_id, batch_id, status, count in rows:
            counted[queue_id, batch_id, status] = count
            counted[queue_id, status] = counted.get((queue_id, status), 0) + count
        assert {(row.queue_id, row.batch_id) for row in kept_batches} == self.used
        for row in kept_batches:
            for name in COUNTERS:
                assert getattr(row, name) == counted.get((row.queue_id, row.batch_id, name), 0)
        for queue_id in ("one", "two"):
            status = self.queue.status(queue_id)
            assert {name: getattr(status, name) for name in COUNTERS} == {
                name: counted.get((queue_id, name), 0) for name in COUNTERS
            }

    @invariant()
    def sequences_rise(self) -> None:
        seen: dict[int, int] = {}
        for event in self.events:
            if isinstance(event, QueueItemStatusChangedEvent):
                assert event.status_sequence > seen.get(event.item_id, -1)
                seen[event.item_id] = event.status_sequence


TestCounts = QueueMachine.TestCase
TestCounts.settings = settings(max_examples=15, stateful_step_count=30, deadline=None)
