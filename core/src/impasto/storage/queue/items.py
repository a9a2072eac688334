"""`QueueItemStore`: the queue in the database. Each method is one transaction, and decides nothing that is policy.

Called by `impasto.queue` only, which turns its rows into records and says, through `tell`, which events an outcome
amounts to. They are written in the transaction of the change, and delivered after the commit.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from impasto.storage.creations import CreationKey, remember, remembered
from impasto.storage.queue import queries
from impasto.storage.queue import statements as sql
from impasto.storage.queue.arrivals import add_batch, retry
from impasto.storage.queue.changes import attempt_of, cancel_many, finish, forget_idle_batches, remove
from impasto.storage.queue.places import move, prioritise
from impasto.storage.queue.reading import batch_of, queue_counts
from impasto.storage.queue.rows import (
    Cleared,
    Enqueued,
    ItemChange,
    ItemFilter,
    ItemRow,
    NewBatch,
    Place,
    Removed,
    Retried,
    Sweep,
)
from impasto.storage.queue.running import RunningItems, Tell

__all__ = ["QueueItemStore"]


class QueueItemStore(RunningItems):
    """Queues, batches, items and their journal."""

    # --- enqueueing ---

    def enqueue(self, new: NewBatch, *, max_pending: int, tell: Tell[Enqueued]) -> Enqueued:
        """Store a batch with all its items, or nothing of it.

        Raises `QueueFullError` when more than `max_pending` items would wait, and `BatchError` when the batch id
        or a session id is taken. A batch stored before under the same idempotency key is given instead.
        """

        def work(connection: Connection) -> Enqueued:
            if new.idempotency_key is not None:
                earlier = connection.execute(
                    queries.FIND_BATCH_BY_KEY,
                    {"queue_id": new.queue_id, "user_id": new.user_id, "idempotency_key": new.idempotency_key},
                ).one_or_none()
                if earlier is not None:
                    return Enqueued(batch_of(earlier), repeated=True)
            return Enqueued(add_batch(connection, new, max_pending), repeated=False)

        return self._log.write(work, tell)

    def retry(
        self,
        queue_id: str,
        item_ids: Sequence[int],
        session_ids: Sequence[str],
        *,
        max_pending: int,
        key: CreationKey | None,
        tell: Tell[Retried],
    ) -> Retried:
        """Do items again that failed or were cancelled, each with a session id of these; all of them, or none.

        Raises `QueueItemNotFoundError`, `QueueItemStatusError`, `QueueFullError`, and `IdempotencyKeyError` when the
        key was used for something else. What was retried before under the same key is given instead.
        """

        def work(connection: Connection) -> Retried:
            earlier = remembered(connection, key)
            if earlier is not None:
                return Retried(dict(earlier), {}, repeated=True)
            retried = retry(connection, queue_id, item_ids, session_ids, max_pending)
            remember(connection, key, list(retried.items.items()))
            return retried

        return self._log.write(work, tell)

    # --- places ---

    def move(self, queue_id: str, item_id: int, place: Place, *, tell: Tell[ItemRow | None]) -> ItemRow | None:
        """Put an item that waits somewhere else; None: it is there already.

        Raises `QueueItemNotFoundError` and `QueueItemStatusError`, for the item and for the one that `place` names.
        """
        return self._log.write(lambda connection: move(connection, queue_id, item_id, place), tell)

    def prioritise(self, queue_id: str, item_id: int, priority: int, *, tell: Tell[ItemRow | None]) -> ItemRow | None:
        """Give an item that waits another priority; None: it has that one. Raises as `move`."""
        return self._log.write(lambda connection: prioritise(connection, queue_id, item_id, priority), tell)

    # --- cancelling and removing ---

    def cancel(
        self, queue_id: str, item_id: int, *, attempt: int | None = None, tell: Tell[ItemChange | None]
    ) -> ItemChange | None:
        """Cancel an item that waits or runs. None: it has ended, is at another attempt, or there is no such item."""

        def work(connection: Connection) -> ItemChange | None:
            row = connection.execute(queries.FIND_ITEM, {"item_id": item_id}).one_or_none()
            if row is None or row.queue_id != queue_id or row.status not in {"pending", "in_progress"}:
                return None
            return finish(connection, {**attempt_of(item_id, attempt), "b_from": row.status}, "canceled", None)

        return self._log.write(work, tell)

    def cancel_many(self, queue_id: str, which: ItemFilter, *, running_too: bool, tell: Tell[Sweep]) -> Sweep:
        """Cancel the items of a queue that `which` names and that wait, or also those that run."""
        return self._log.write(
            lambda connection: cancel_many(connection, queue_id, which, running_too=running_too), tell
        )

    def delete_many(self, queue_id: str, which: ItemFilter, *, running_too: bool, tell: Tell[Removed]) -> Removed:
        """Remove the items of a queue that `which` names, but for running ones unless those are meant too.

        What has not ended is cancelled first, so that whoever follows an item hears of its end.
        """

        def work(connection: Connection) -> Removed:
            sweep = cancel_many(connection, queue_id, which, running_too=running_too)
            return Removed(remove(connection, queue_id, which), sweep)

        return self._log.write(work, tell)

    def clear(self, queue_id: str, *, tell: Tell[Cleared]) -> Cleared:
        """Remove all items of a queue, whatever they do, and its batches."""

        def work(connection: Connection) -> Cleared:
            which = {"queue_id": queue_id}
            running = connection.execute(queries.FIND_RUNNING_OF_QUEUE, which).all()
            counts = queue_counts(connection, queue_id)
            connection.execute(sql.DELETE_ITEMS, which)
            connection.execute(sql.RESET_BATCH_COUNTS, {"b_queue_id": queue_id})
            connection.execute(sql.RESET_QUEUE_COUNTS, {"b_queue_id": queue_id})
            forget_idle_batches(connection, queue_id)
            return Cleared(counts.total, tuple(row.item_id for row in running))

        return self._log.write(work, tell)

    def prune(self, queue_id: str, *, tell: Tell[Sequence[int]]) -> Sequence[int]:
        """Remove the items of a queue that have ended, and batches that are left without items; their numbers."""
        return self._log.write(lambda connection: remove(connection, queue_id, ItemFilter()), tell)

    def remove_ended(self, queue_id: str, item_ids: Sequence[int], *, tell: Tell[Sequence[int]]) -> Sequence[int]:
        """Remove those of these items of a queue that have ended; their numbers."""
        return self._log.write(lambda connection: remove(connection, queue_id, ItemFilter(item_ids=item_ids)), tell)

    def pause(self, queue_id: str, *, paused: bool) -> None:
        """Keep the items of a queue from being claimed, or let them."""

        def work(connection: Connection) -> None:
            if connection.execute(queries.FIND_QUEUE, {"queue_id": queue_id}).one_or_none() is None:
                connection.execute(sql.ADD_QUEUE, {"queue_id": queue_id, "paused": paused})
            else:
                connection.execute(sql.PAUSE_QUEUE, {"b_queue_id": queue_id, "b_paused": paused})

        self._database.write(work)
