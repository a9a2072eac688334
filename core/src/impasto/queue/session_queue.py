"""`SessionQueue`: what can be done with the queue. Sessions wait in it, run, end, are cancelled and looked at.

Policy is here (what is refused, what is told to whom); how rows change is `impasto.storage.queue_items`. Every method
may be called from any thread. Events are published after the commit, in the order of the commits.
"""

import threading
from collections.abc import Callable, Mapping, Sequence

from impasto.errors import BatchError, QueueFullError
from impasto.queue import announcements
from impasto.queue.expansion import check_batch, count_sessions, expand
from impasto.queue.metadata_bindings import check_bindings
from impasto.queue.queue_view import QueueView
from impasto.queue.records import Batch, ClaimedItem, EnqueueBatchResult, QueueItem
from impasto.queue.stored_batches import batch_from, claimed_item, expansion_of, fingerprint, plan_of
from impasto.storage.queue_items import QueueItemStore
from impasto.storage.queue_rows import Cleared, Enqueued, ItemChange, ItemFilter, NewBatch, Sweep
from impasto_sdk.events import Event, QueueClearedEvent
from impasto_sdk.fields import JsonValue
from impasto_sdk.ids import new_id

__all__ = ["SessionQueue"]

#: How long a claim holds unless it is extended, in seconds.
LEASE_S = 60.0
#: Error type of an item that lost its worker once too often.
LOST = "WorkerError"


class SessionQueue(QueueView):
    """All queues of the server. `publish` is called on the writer thread, so it must not wait."""

    def __init__(
        self,
        store: QueueItemStore,
        publish: Callable[[Event], object],
        *,
        max_queue_size: int,
        max_attempts: int,
        lease_s: float = LEASE_S,
    ) -> None:
        super().__init__(store)
        self._store = store
        self._publish = publish
        self._max_queue_size = max_queue_size
        self._max_attempts = max_attempts
        self._lease_s = lease_s
        self._work = threading.Event()
        self._cancel_listeners: list[Callable[[int], object]] = []

    # --- enqueueing ---

    def enqueue(
        self,
        queue_id: str,
        batch: Batch,
        *,
        prepend: bool = False,
        user_id: str = "system",
        idempotency_key: str | None = None,
        request: JsonValue = None,
    ) -> EnqueueBatchResult:
        """Store all sessions of a batch; when it returns, they are on disk.

        `prepend`: before everything that waits in this queue. `idempotency_key`: the same key gives the same answer,
        and nothing is stored a second time. `request`: what the client asked for, when the batch was made from it and
        may come out differently the next time (a seed is drawn); the key is for this then. Raises `BatchError` when
        the data does not fit the graph, an id is taken, or the key was used for something else; `QueueFullError` when
        not all of it fits. Nothing is stored then.
        """
        count = count_sessions(batch)
        if count > self._max_queue_size:  # refused before it is expanded, which may be more than memory holds
            pending = self._store.counts(queue_id)[0].pending
            raise QueueFullError(queue_id, pending, self._max_queue_size, count)
        check_batch(batch)
        check_bindings(batch)
        session_ids = batch.session_ids or [new_id() for _ in range(count)]
        new = NewBatch(
            queue_id=queue_id,
            batch_id=batch.batch_id,
            user_id=user_id,
            origin=batch.origin,
            destination=batch.destination,
            expansion=expansion_of(batch),
            plan=plan_of(batch),
            sessions=list(zip(session_ids, expand(batch), strict=True)),
            prepend=prepend,
            idempotency_key=idempotency_key,
            fingerprint=None if idempotency_key is None else fingerprint(batch, request, prepend=prepend),
        )
        stored = self._store.enqueue(new, max_pending=self._max_queue_size, then=self._announce_enqueued)
        if stored.repeated and stored.batch.fingerprint != new.fingerprint:
            raise BatchError(f"idempotency key {idempotency_key!r} was used for another batch; use a fresh one")
        first = stored.batch.id
        return EnqueueBatchResult(
            queue_id=queue_id,
            enqueued=stored.batch.requested,
            requested=stored.batch.requested,
            batch=batch_from(stored.batch) if stored.repeated else batch,
            priority=stored.batch.priority,
            item_ids=list(range(first, first + stored.batch.requested)),
        )

    # --- the engine's side ---

    def claim(self, worker_id: str) -> ClaimedItem | None:
        """Take the next item of all queues that are not paused: highest priority first, then the oldest.

        None when nothing waits. The item is the worker's until it ends, is given back, or its lease runs out.
        """
        # cleared first: what comes in from here on is either seen by the claim or wakes whoever waits
        self._work.clear()
        claimed = self._store.claim(worker_id, lease_s=self._lease_s, then=self._announce)
        if claimed is None:
            return None
        self._work.set()
        return claimed_item(claimed)

    def wait_for_work(self, timeout_s: float) -> bool:
        """Wait until there may be something to claim; False when nothing came within `timeout_s` seconds."""
        return self._work.wait(timeout_s)

    def wake(self) -> None:
        """End the `wait_for_work` of every worker, as if there were work: it has something else to look after."""
        self._work.set()

    def journal(self, item_id: int, outputs: Mapping[str, JsonValue], *, attempt: int | None = None) -> bool:
        """Write what finished executions gave (output documents by execution id), and extend the item's lease.

        When it returns, they are on disk. False: the item is no longer this attempt's (it was cancelled, cleared,
        or given to another worker), and nothing is written. The same execution written twice counts once.
        """
        return self._store.journal(item_id, outputs, attempt=attempt, lease_s=self._lease_s)

    def extend_lease(self, item_id: int, *, attempt: int | None = None) -> bool:
        """Say that an attempt is under way: the item stays its own for another lease. False as in `complete`."""
        return self._store.journal(item_id, {}, attempt=attempt, lease_s=self._lease_s)

    def complete(
        self,
        item_id: int,
        *,
        attempt: int | None = None,
        outputs: Mapping[str, JsonValue] | None = None,
        events: Sequence[Event] = (),
    ) -> bool:
        """The session ended well; `outputs` go into the journal with that, and `events` leave before the item's own.

        False: the item is no longer this attempt's; it stays as it is, and nothing is written or published.
        """

        def announce(change: ItemChange | None) -> None:
            if change is not None:
                for event in events:
                    self._publish(event)
            self._announce(change)

        change = self._store.finish(item_id, "completed", attempt=attempt, outputs=outputs or {}, then=announce)
        return change is not None

    def fail(
        self, item_id: int, error_type: str, message: str, traceback: str = "", *, attempt: int | None = None
    ) -> bool:
        """The session ended with an error. False as in `complete`."""
        error = (error_type, message, traceback)
        return self._store.finish(item_id, "failed", attempt=attempt, error=error, then=self._announce) is not None

    def give_back(self, item_id: int, reason: str, *, attempt: int | None = None, excused: bool = False) -> bool:
        """The worker was lost: the item waits again, in its old place, and goes on from its journal.

        With its attempts used up it fails with `reason` instead. `excused`: the attempt does not count, as when the
        server itself is stopping. False as in `complete`.
        """
        change = self._store.give_back(
            item_id,
            (LOST, reason, ""),
            max_attempts=self._max_attempts,
            attempt=attempt,
            excused=excused,
            then=self._announce,
        )
        return change is not None

    def recover(self) -> int:
        """At start: give back all that was running when the server ended. How many items that is."""
        reason = (LOST, "the server ended while the session ran, and its attempts are used up", "")
        return len(self._store.recover(reason, max_attempts=self._max_attempts, then=self._announce_all))

    def expire_leases(self) -> list[int]:
        """Give back the items whose workers have gone silent: their numbers."""
        reason = (LOST, f"the worker was silent for {self._lease_s:g} s, and the item's attempts are used up", "")
        changes = self._store.recover(
            reason, max_attempts=self._max_attempts, expired_only=True, then=self._announce_all
        )
        return [change.item.item_id for change in changes]

    def add_cancel_listener(self, listener: Callable[[int], object]) -> None:
        """Have `listener(item_id)` called for every running item that is cancelled or cleared, once that is on disk."""
        self._cancel_listeners.append(listener)

    # --- cancelling and removing ---

    def cancel(self, queue_id: str, item_id: int, *, attempt: int | None = None) -> QueueItem:
        """Cancel an item; one that has ended, or is no longer at that attempt, stays as it is.

        Raises `QueueItemNotFoundError`.
        """
        change = self._store.cancel(queue_id, item_id, attempt=attempt, then=self._announce)
        if change is not None and change.item.started_at is not None:
            self._tell_canceled([item_id])
        return self.get(queue_id, item_id)

    def cancel_by_batch_ids(self, queue_id: str, batch_ids: Sequence[str]) -> int:
        """Cancel what waits and what runs of these batches; how many items that is."""
        return self._cancel_many(queue_id, ItemFilter(batch_ids=batch_ids))

    def cancel_by_destination(self, queue_id: str, destination: str) -> int:
        """Cancel what waits and what runs for a destination; how many items that is."""
        return self._cancel_many(queue_id, ItemFilter(destination=destination))

    def cancel_all_except_current(self, queue_id: str) -> int:
        """Cancel all that waits; how many items that is."""
        return self._cancel_many(queue_id, ItemFilter(), running_too=False)

    def clear(self, queue_id: str) -> int:
        """Remove all items, cancelling those that run; how many items that is."""

        def announce(cleared: Cleared) -> None:
            self._publish(QueueClearedEvent(queue_id=queue_id))

        cleared = self._store.clear(queue_id, then=announce)
        self._tell_canceled(cleared.running)
        return cleared.deleted

    def prune(self, queue_id: str) -> int:
        """Remove all items that have ended; how many items that is."""
        return self._store.prune(queue_id)

    def pause(self, queue_id: str) -> None:
        """Let no more items of this queue be claimed; what runs goes on."""
        self._store.pause(queue_id, paused=True)

    def resume(self, queue_id: str) -> None:
        """Undo `pause`."""
        self._store.pause(queue_id, paused=False)
        self._work.set()

    def _cancel_many(self, queue_id: str, which: ItemFilter, *, running_too: bool = True) -> int:
        def announce(sweep: Sweep) -> None:
            self._announce_all(sweep.running)
            if sweep.pending:
                self._publish(announcements.items_canceled(queue_id, sweep))

        sweep = self._store.cancel_many(queue_id, which, running_too=running_too, then=announce)
        self._tell_canceled([change.item.item_id for change in sweep.running])
        return len(sweep.running) + sum(len(ids) for ids in sweep.pending.values())

    def _tell_canceled(self, item_ids: Sequence[int]) -> None:
        for item_id in item_ids:
            for listener in self._cancel_listeners:
                listener(item_id)

    # --- after the commit ---

    def _announce_enqueued(self, stored: Enqueued) -> None:
        if not stored.repeated:
            self._publish(announcements.batch_enqueued(stored.batch))
            self._work.set()

    def _announce(self, change: ItemChange | None) -> None:
        if change is not None:
            self._publish(announcements.status_changed(change))
            if change.item.status == "pending":
                self._work.set()

    def _announce_all(self, changes: Sequence[ItemChange]) -> None:
        for change in changes:
            self._announce(change)
