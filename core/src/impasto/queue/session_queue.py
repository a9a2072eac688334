"""`SessionQueue`: what can be done with the queue. Sessions wait in it, run, end, are cancelled and looked at.

Policy is here (what is refused, what is told to whom); how rows change is `impasto.storage.queue.items`. Every method
may be called from any thread. Events are written with the change that they tell of, and leave after the commit.
"""

from collections.abc import Sequence
from functools import partial

from impasto.errors import IdempotencyKeyError, QueueFullError, QueueItemNotFoundError
from impasto.queue import announcements
from impasto.queue.expansion import check_batch, count_sessions, expand
from impasto.queue.metadata_bindings import check_bindings
from impasto.queue.records import Batch, EnqueueBatchResult, QueueItem, RetryItemsResult
from impasto.queue.session_models import SessionModels, models_of_sessions
from impasto.queue.session_runs import LEASE_S, SessionRuns
from impasto.queue.stored_batches import asked_for, batch_from, expansion_of, fingerprint, plan_of
from impasto.storage.creations import CreationKey, fingerprint_of
from impasto.storage.queue.items import QueueItemStore
from impasto.storage.queue.rows import BatchRow, Enqueued, ItemChange, ItemFilter, NewBatch, NewSession, Place, Sweep
from impasto_sdk.events import Event, QueueClearedEvent
from impasto_sdk.fields import JsonValue
from impasto_sdk.ids import new_id

__all__ = ["SessionQueue"]

#: What a session names of which nobody says what it names.
NO_MODELS = SessionModels()
#: How many ended items are removed in one transaction, so that nobody waits long for it.
PRUNED_AT_ONCE = 500
#: What is said of a batch that will never fit, in seconds: as much as of one that will not for long.
NEVER_S = 120


class SessionQueue(SessionRuns):
    """All queues of the server."""

    def __init__(
        self,
        store: QueueItemStore,
        *,
        max_queue_size: int,
        max_attempts: int,
        affinity_window: int = 1,
        lease_s: float = LEASE_S,
    ) -> None:
        super().__init__(store, max_attempts=max_attempts, affinity_window=affinity_window, lease_s=lease_s)
        self._max_queue_size = max_queue_size

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
        models: SessionModels = NO_MODELS,
        needs_device: bool = True,
    ) -> EnqueueBatchResult:
        """Store all sessions of a batch; when it returns, they are on disk.

        `prepend`: before everything that waits in this queue. `models`: those that its sessions name, so that a worker
        that holds them may take a session first. `needs_device`: whether they are for a worker with a device, or only
        wait for something outside. `idempotency_key`: the same key gives the same answer, and nothing is stored a
        second time. `request`: what the client asked for, when the batch was made from it and
        may come out differently the next time (a seed is drawn); the key is for this then. Raises `BatchError` when
        the data does not fit the graph or an id is taken, `IdempotencyKeyError` when the key was used for something
        else, and `QueueFullError` when not all of it fits. Nothing is stored then.
        """
        count = count_sessions(batch)
        if count > self._max_queue_size:  # refused before it is expanded, which may be more than memory holds
            pending = self._store.counts(queue_id)[0].pending
            raise QueueFullError(queue_id, pending, self._max_queue_size, count, NEVER_S)
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
            sessions=list(map(NewSession, session_ids, expand(batch), models_of_sessions(batch, models))),
            needs_device=needs_device,
            prepend=prepend,
            idempotency_key=idempotency_key,
            fingerprint=None
            if idempotency_key is None
            else fingerprint(asked_for(batch) if request is None else request, prepend=prepend),
        )
        stored = self._store.enqueue(new, max_pending=self._max_queue_size, tell=_tell_enqueued)
        if stored.repeated:
            return _again(stored.batch, new.fingerprint)
        self._ring(needs_device)
        return _result(stored.batch, batch, repeated=False)

    def enqueued_before(
        self, queue_id: str, idempotency_key: str, request: JsonValue, *, prepend: bool, user_id: str
    ) -> EnqueueBatchResult | None:
        """What an earlier `enqueue` of this request answered; None when none came with this key.

        For whoever checks a request before it is a batch: what was enqueued stays so, whatever has become of the
        models or the workflow that it was made of. Raises `IdempotencyKeyError` as `enqueue` does.
        """
        earlier = self._store.batch_by_key(queue_id, user_id, idempotency_key)
        return None if earlier is None else _again(earlier, fingerprint(request, prepend=prepend))

    def retry(
        self, queue_id: str, item_ids: Sequence[int], *, user_id: str = "system", idempotency_key: str | None = None
    ) -> RetryItemsResult:
        """Do items again that failed or were cancelled, each as a new session of its batch; all of them, or none.

        When it returns, they are on disk. `idempotency_key`: the same key gives the same answer, and nothing is done a
        second time. Raises `QueueItemNotFoundError`; `QueueItemStatusError` for an item that waits, runs or completed;
        `QueueFullError` when not all fit; `IdempotencyKeyError` when the key was used for something else.
        """
        wanted = list(dict.fromkeys(item_ids))
        key = None
        if idempotency_key is not None:
            asked = fingerprint_of([queue_id, *wanted])
            key = CreationKey(kind="retry", idempotency_key=idempotency_key, fingerprint=asked, user_id=user_id)
        retried = self._store.retry(
            queue_id,
            wanted,
            [new_id() for _ in wanted],
            max_pending=self._max_queue_size,
            key=key,
            tell=partial(announcements.retried, queue_id),
        )
        self._ring()
        return RetryItemsResult(
            queue_id=queue_id,
            retried_item_ids=list(retried.items),
            item_ids=list(retried.items.values()),
            repeated=retried.repeated,
        )

    # --- cancelling and removing ---

    def cancel(self, queue_id: str, item_id: int, *, attempt: int | None = None) -> QueueItem:
        """Cancel an item; one that has ended, or is no longer at that attempt, stays as it is.

        Raises `QueueItemNotFoundError`.
        """
        change = self._store.cancel(queue_id, item_id, attempt=attempt, tell=_tell_canceled)
        if change is not None and change.item.started_at is not None:
            self._end_running([item_id])
        return self.get(queue_id, item_id)

    def cancel_by_batch_ids(self, queue_id: str, batch_ids: Sequence[str]) -> int:
        """Cancel what waits and what runs of these batches; how many items that is."""
        return self._cancel_many(queue_id, ItemFilter(batch_ids=batch_ids))

    def cancel_by_origin(self, queue_id: str, origin: str) -> int:
        """Cancel what waits and what runs and came from an origin; how many items that is."""
        return self._cancel_many(queue_id, ItemFilter(origin=origin))

    def cancel_by_destination(self, queue_id: str, destination: str) -> int:
        """Cancel what waits and what runs for a destination; how many items that is."""
        return self._cancel_many(queue_id, ItemFilter(destination=destination))

    def cancel_all(self, queue_id: str) -> int:
        """Cancel all that waits or runs; how many items that is."""
        return self._cancel_many(queue_id, ItemFilter())

    def cancel_all_except_current(self, queue_id: str) -> int:
        """Cancel all that waits; how many items that is."""
        return self._cancel_many(queue_id, ItemFilter(), running_too=False)

    def delete(self, queue_id: str, item_id: int) -> None:
        """Remove an item, cancelling it first if it has not ended. Raises `QueueItemNotFoundError`."""
        if not self._delete_many(queue_id, ItemFilter(item_ids=[item_id])):
            raise QueueItemNotFoundError(queue_id, item_id)

    def delete_by_destination(self, queue_id: str, destination: str) -> int:
        """Remove all items for a destination, cancelling those that have not ended; how many items that is."""
        return self._delete_many(queue_id, ItemFilter(destination=destination))

    def delete_all_except_current(self, queue_id: str) -> int:
        """Remove all items but those that run; how many items that is."""
        return self._delete_many(queue_id, ItemFilter(), running_too=False)

    def clear(self, queue_id: str) -> int:
        """Remove all items, cancelling those that run; how many items that is."""
        cleared = self._store.clear(queue_id, tell=lambda cleared: [QueueClearedEvent(queue_id=queue_id)])
        self._end_running(cleared.running)
        return cleared.deleted

    def prune(self, queue_id: str) -> int:
        """Remove all items that have ended; how many items that is."""
        return len(self._store.prune(queue_id, tell=partial(announcements.deleted, queue_id)))

    def prune_history(self, keep: int) -> int:
        """Remove the items that have ended, but for the `keep` of each queue that ended last; how many items that is.

        A little at a time.
        """
        pruned = 0
        for queue in self._store.queues():
            tell = partial(announcements.deleted, queue.queue_id)
            old = self._store.old_history(queue.queue_id, keep)
            for start in range(0, len(old), PRUNED_AT_ONCE):
                portion = old[start : start + PRUNED_AT_ONCE]
                pruned += len(self._store.remove_ended(queue.queue_id, portion, tell=tell))
        return pruned

    # --- order ---

    def move(self, queue_id: str, item_id: int, place: Place) -> QueueItem:
        """Put an item that waits somewhere else in its queue; beside another one, it takes that one's priority.

        Raises `QueueItemNotFoundError` for an item that the queue does not have, and `QueueItemStatusError` for one
        that does not wait: the one that is moved, or the one beside which it is to go.
        """
        self._store.move(queue_id, item_id, place, tell=announcements.moved)
        return self.get(queue_id, item_id)

    def set_priority(self, queue_id: str, item_id: int, priority: int) -> QueueItem:
        """Give an item that waits another priority; 0 is usual, and the higher go first. Raises as `move`."""
        self._store.prioritise(queue_id, item_id, priority, tell=announcements.moved)
        return self.get(queue_id, item_id)

    def pause(self, queue_id: str) -> None:
        """Let no more items of this queue be claimed, not even after a restart; what runs goes on."""
        self._store.pause(queue_id, paused=True)

    def resume(self, queue_id: str) -> None:
        """Undo `pause`."""
        self._store.pause(queue_id, paused=False)
        self._ring()

    def _cancel_many(self, queue_id: str, which: ItemFilter, *, running_too: bool = True) -> int:
        tell = partial(announcements.canceled, queue_id)
        sweep = self._store.cancel_many(queue_id, which, running_too=running_too, tell=tell)
        self._end_swept(sweep)
        return len(sweep.running) + sum(len(ids) for ids in sweep.pending.values())

    def _delete_many(self, queue_id: str, which: ItemFilter, *, running_too: bool = True) -> int:
        tell = partial(announcements.removed, queue_id)
        removed = self._store.delete_many(queue_id, which, running_too=running_too, tell=tell)
        self._end_swept(removed.sweep)
        return len(removed.item_ids)

    def _end_swept(self, sweep: Sweep) -> None:
        self._end_running([change.item.item_id for change in sweep.running])


def _again(earlier: BatchRow, wanted: str | None) -> EnqueueBatchResult:
    """The answer to a repeated request, whose fingerprint is `wanted`."""
    if earlier.fingerprint != wanted:
        raise IdempotencyKeyError(str(earlier.idempotency_key), "batch")
    return _result(earlier, batch_from(earlier), repeated=True)


def _result(row: BatchRow, batch: Batch, *, repeated: bool) -> EnqueueBatchResult:
    return EnqueueBatchResult(
        queue_id=row.queue_id,
        enqueued=row.requested,
        requested=row.requested,
        batch=batch,
        priority=row.priority,
        item_ids=list(range(row.id, row.id + row.requested)),
        repeated=repeated,
    )


def _tell_enqueued(stored: Enqueued) -> Sequence[Event]:
    return () if stored.repeated else (announcements.batch_enqueued(stored.batch),)


def _tell_canceled(change: ItemChange | None) -> Sequence[Event]:
    return () if change is None else (announcements.status_changed(change),)
