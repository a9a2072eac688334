"""`QueueItemStore`: the queue in the database. Each method is one transaction, and decides nothing that is policy.

Called by `impasto.queue` only, which turns its rows into records and says, through `tell`, which events an outcome
amounts to. They are written in the transaction of the change, and delivered after the commit.
"""

from collections import Counter, defaultdict

from sqlalchemy import Connection

from impasto.storage import queue_statements as sql
from impasto.storage.queue_changes import add_batch, attempt_of, count, finish
from impasto.storage.queue_reading import batch_of, narrowed, queue_counts
from impasto.storage.queue_rows import Cleared, Enqueued, ItemChange, ItemFilter, NewBatch, Sweep
from impasto.storage.queue_running import RunningItems, Tell
from impasto.storage.tables import queue_items
from impasto.storage.timestamps import timestamp

__all__ = ["QueueItemStore"]

#: How long an idempotency key is remembered after its items are gone, in seconds.
KEY_LIFETIME_S = 24 * 3600.0


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
                    sql.FIND_BATCH_BY_KEY,
                    {"queue_id": new.queue_id, "user_id": new.user_id, "idempotency_key": new.idempotency_key},
                ).one_or_none()
                if earlier is not None:
                    return Enqueued(batch_of(earlier), repeated=True)
            return Enqueued(add_batch(connection, new, max_pending), repeated=False)

        return self._write(work, tell)

    # --- cancelling and removing ---

    def cancel(
        self,
        queue_id: str,
        item_id: int,
        *,
        attempt: int | None = None,
        tell: Tell[ItemChange | None],
    ) -> ItemChange | None:
        """Cancel an item that waits or runs. None: it has ended, is at another attempt, or there is no such item."""

        def work(connection: Connection) -> ItemChange | None:
            row = connection.execute(sql.FIND_ITEM, {"item_id": item_id}).one_or_none()
            if row is None or row.queue_id != queue_id or row.status not in {"pending", "in_progress"}:
                return None
            return finish(connection, {**attempt_of(item_id, attempt), "b_from": row.status}, "canceled", None)

        return self._write(work, tell)

    def cancel_many(self, queue_id: str, which: ItemFilter, *, running_too: bool = True, tell: Tell[Sweep]) -> Sweep:
        """Cancel all items of a queue that `which` names by batch or destination."""

        def work(connection: Connection) -> Sweep:
            moment = timestamp()
            statement = narrowed(sql.CANCEL_PENDING, queue_id, which)
            waited = connection.execute(statement, {"b_queue_id": queue_id, "b_now": moment}).all()
            by_user: dict[str, list[int]] = defaultdict(list)
            moved: dict[int, Counter[str]] = defaultdict(Counter)
            for row in waited:
                by_user[row.user_id].append(row.item_id)
                moved[row.batch].update({"pending": -1, "canceled": 1})
            count(connection, queue_id, moved)
            running: list[ItemChange] = []
            if running_too:
                statement_running = narrowed(sql.FIND_ITEMS, queue_id, which).where(
                    queue_items.c.status == "in_progress"
                )
                for row in connection.execute(statement_running, {"queue_id": queue_id}).all():
                    change = finish(connection, attempt_of(row.item_id, None), "canceled", None)
                    running.extend([change] if change else [])
            return Sweep({user: sorted(ids) for user, ids in by_user.items()}, tuple(running))

        return self._write(work, tell)

    def clear(self, queue_id: str, *, tell: Tell[Cleared]) -> Cleared:
        """Remove all items of a queue, whatever they do, and its batches."""

        def work(connection: Connection) -> Cleared:
            which = {"queue_id": queue_id}
            running = connection.execute(sql.FIND_ITEMS.where(queue_items.c.status == "in_progress"), which).all()
            counts = queue_counts(connection, queue_id)
            connection.execute(sql.DELETE_ITEMS, which)
            connection.execute(sql.RESET_BATCH_COUNTS, {"b_queue_id": queue_id})
            connection.execute(sql.RESET_QUEUE_COUNTS, {"b_queue_id": queue_id})
            connection.execute(sql.DELETE_IDLE_BATCHES, {**which, "keys_before": timestamp(plus_s=-KEY_LIFETIME_S)})
            return Cleared(counts.total, tuple(row.item_id for row in running))

        return self._write(work, tell)

    def prune(self, queue_id: str) -> int:
        """Remove the items of a queue that have ended, and batches that are left without items; how many items."""

        def work(connection: Connection) -> int:
            deleted = connection.execute(sql.DELETE_ENDED, {"queue_id": queue_id}).all()
            moved: dict[int, Counter[str]] = defaultdict(Counter)
            for row in deleted:
                moved[row.batch][row.status] -= 1
            count(connection, queue_id, moved)
            before = timestamp(plus_s=-KEY_LIFETIME_S)
            connection.execute(sql.DELETE_IDLE_BATCHES, {"queue_id": queue_id, "keys_before": before})
            return len(deleted)

        return self._database.write(work)

    def pause(self, queue_id: str, *, paused: bool) -> None:
        """Keep the items of a queue from being claimed, or let them."""

        def work(connection: Connection) -> None:
            if connection.execute(sql.FIND_QUEUE, {"queue_id": queue_id}).one_or_none() is None:
                connection.execute(sql.ADD_QUEUE, {"queue_id": queue_id, "paused": paused})
            else:
                connection.execute(sql.PAUSE_QUEUE, {"b_queue_id": queue_id, "b_paused": paused})

        self._database.write(work)
