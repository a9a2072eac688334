"""`QueueItemStore`: the queue in the database. Each method is one transaction, and decides nothing that is policy.

Called by `impasto.queue` only, which turns its rows into records and publishes events. Those leave through `then`,
which is called on the writer thread right after the commit, so events are in the order of the commits.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from typing import TypeVar

from sqlalchemy import Connection

from impasto.storage import queue_statements as sql
from impasto.storage.documents import dump_document
from impasto.storage.queue_changes import add_batch, attempt_of, changed, count, finish, give_back
from impasto.storage.queue_reading import QueueReader, batch_of, journals_of, narrowed, queue_counts
from impasto.storage.queue_rows import Claimed, Cleared, Enqueued, ItemChange, ItemFilter, NewBatch, Plan, Sweep
from impasto.storage.tables import queue_items
from impasto.storage.timestamps import timestamp
from impasto_sdk.fields import JsonValue

__all__ = ["QueueItemStore"]

T = TypeVar("T")
Then = Callable[[T], object]

#: How long an idempotency key is remembered after its items are gone, in seconds.
KEY_LIFETIME_S = 24 * 3600.0


class QueueItemStore(QueueReader):
    """Queues, batches, items and their journal."""

    # --- enqueueing ---

    def enqueue(self, new: NewBatch, *, max_pending: int, then: Then[Enqueued] | None = None) -> Enqueued:
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

        return self._database.write(work, then=then)

    # --- running ---

    def claim(self, worker_id: str, *, lease_s: float, then: Then[ItemChange] | None = None) -> Claimed | None:
        """Take the next item of all queues that are not paused: its change, its batch, and its journal so far."""

        def work(connection: Connection) -> Claimed | None:
            row = connection.execute(
                sql.CLAIM,
                {"b_worker_id": worker_id, "b_now": timestamp(), "b_lease_expires_at": timestamp(plus_s=lease_s)},
            ).one_or_none()
            if row is None:
                return None
            change = changed(connection, row, "pending")
            plan = connection.execute(sql.FIND_PLAN, {"id": row.batch}).one()
            # a first attempt has no past
            journal = journals_of(connection, [row.item_id]).get(row.item_id, {}) if row.attempts > 1 else {}
            return Claimed(change, Plan(graph=plan.graph, context=plan.context), journal)

        def told(claimed: Claimed | None) -> None:
            if then is not None and claimed is not None:
                then(claimed.change)

        return self._database.write(work, then=told)

    def journal(self, item_id: int, outputs: Mapping[str, JsonValue], *, attempt: int | None, lease_s: float) -> bool:
        """Write outputs of finished executions and extend the lease. False: the item is no longer this attempt's."""
        rows = _journal_rows(item_id, outputs)

        def work(connection: Connection) -> bool:
            held = connection.execute(
                sql.EXTEND_LEASE, {**attempt_of(item_id, attempt), "b_lease_expires_at": timestamp(plus_s=lease_s)}
            ).rowcount
            if held and rows:
                connection.execute(sql.WRITE_JOURNAL, rows)
            return bool(held)

        return self._database.write(work)

    def finish(
        self,
        item_id: int,
        status: str,
        *,
        attempt: int | None = None,
        error: tuple[str, str, str] | None = None,
        outputs: Mapping[str, JsonValue] | None = None,
        then: Then[ItemChange | None] | None = None,
    ) -> ItemChange | None:
        """End a running item; `error` is its type, message and traceback, `outputs` the last lines of its journal.

        None: it is no longer this attempt's, and nothing is written.
        """
        rows = _journal_rows(item_id, outputs or {})

        def work(connection: Connection) -> ItemChange | None:
            change = finish(connection, attempt_of(item_id, attempt), status, error)
            if change is not None and rows:
                connection.execute(sql.WRITE_JOURNAL, rows)
            return change

        return self._database.write(work, then=then)

    def give_back(
        self,
        item_id: int,
        reason: tuple[str, str, str],
        *,
        max_attempts: int,
        attempt: int | None = None,
        excused: bool = False,
        then: Then[ItemChange | None] | None = None,
    ) -> ItemChange | None:
        """Let a running item wait again, or fail with `reason` when its attempts are used up.

        `excused`: the attempt does not count. None: the item is no longer this attempt's.
        """

        def work(connection: Connection) -> ItemChange | None:
            return give_back(connection, item_id, attempt, reason, max_attempts=max_attempts, excused=excused)

        return self._database.write(work, then=then)

    def recover(
        self,
        reason: tuple[str, str, str],
        *,
        max_attempts: int,
        expired_only: bool = False,
        then: Then[list[ItemChange]] | None = None,
    ) -> list[ItemChange]:
        """Give back every running item, or only those whose lease has run out."""

        def work(connection: Connection) -> list[ItemChange]:
            statement = sql.FIND_EXPIRED if expired_only else sql.FIND_RUNNING
            rows = connection.execute(statement, {"now": timestamp()} if expired_only else {}).all()
            changes = (
                give_back(connection, row.item_id, row.attempts, reason, max_attempts=max_attempts, excused=False)
                for row in rows
            )
            return [change for change in changes if change is not None]

        return self._database.write(work, then=then)

    # --- cancelling and removing ---

    def cancel(
        self,
        queue_id: str,
        item_id: int,
        *,
        attempt: int | None = None,
        then: Then[ItemChange | None] | None = None,
    ) -> ItemChange | None:
        """Cancel an item that waits or runs. None: it has ended, is at another attempt, or there is no such item."""

        def work(connection: Connection) -> ItemChange | None:
            row = connection.execute(sql.FIND_ITEM, {"item_id": item_id}).one_or_none()
            if row is None or row.queue_id != queue_id or row.status not in {"pending", "in_progress"}:
                return None
            return finish(connection, {**attempt_of(item_id, attempt), "b_from": row.status}, "canceled", None)

        return self._database.write(work, then=then)

    def cancel_many(
        self, queue_id: str, which: ItemFilter, *, running_too: bool = True, then: Then[Sweep] | None = None
    ) -> Sweep:
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

        return self._database.write(work, then=then)

    def clear(self, queue_id: str, *, then: Then[Cleared] | None = None) -> Cleared:
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

        return self._database.write(work, then=then)

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


def _journal_rows(item_id: int, outputs: Mapping[str, JsonValue]) -> list[dict[str, object]]:
    return [
        {"item_id": item_id, "execution_id": execution_id, "output": dump_document(output)}
        for execution_id, output in outputs.items()
    ]
