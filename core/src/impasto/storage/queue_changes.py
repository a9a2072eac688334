"""How an item goes from one status to the next, and a batch comes in: steps inside a transaction of `QueueItemStore`.

Each keeps the counts of batch and queue in step with the items, and none of them is policy.
"""

from collections import Counter
from typing import Any

from sqlalchemy import Connection, Row
from sqlalchemy.exc import IntegrityError

from impasto.errors import BatchError, QueueFullError
from impasto.storage import queue_statements as sql
from impasto.storage.documents import storable
from impasto.storage.queue_reading import counts_of, current_item
from impasto.storage.queue_rows import BatchRow, Counts, ItemChange, ItemRow, NewBatch
from impasto.storage.tables import POSITION_STEP
from impasto.storage.timestamps import timestamp

__all__ = ["add_batch", "attempt_of", "changed", "count", "finish", "give_back"]

_NO_ERROR = {"b_error_type": None, "b_error_message": None, "b_error_traceback": None}


def attempt_of(item_id: int, attempt: int | None) -> dict[str, object]:
    """The parameters that name a running item, and the attempt that speaks for it."""
    return {"b_item_id": item_id, "b_from": "in_progress", "b_attempt": attempt}


def add_batch(connection: Connection, new: NewBatch, max_pending: int) -> BatchRow:
    """Store a batch and its items. Raises `QueueFullError`, or `BatchError` when one of its ids is taken."""
    count = len(new.sessions)
    taken = connection.execute(sql.FIND_BATCH, {"queue_id": new.queue_id, "batch_id": new.batch_id}).one_or_none()
    if taken is not None:
        raise BatchError(
            f"queue {new.queue_id!r} has a batch {new.batch_id!r}; leave `batch_id` out, or choose another"
        )
    _make_room(connection, new.queue_id, count, max_pending)
    top = connection.execute(sql.FIND_TOP_PRIORITY, {"queue_id": new.queue_id}).scalar() or 0
    priority = top + 1 if new.prepend else 0
    first = connection.execute(sql.TAKE_ITEM_NUMBERS, {"count": count}).scalar_one() - count + 1
    moment = timestamp()
    row = {
        "id": first,
        "queue_id": new.queue_id,
        "batch_id": new.batch_id,
        "user_id": new.user_id,
        "origin": new.origin,
        "destination": new.destination,
        "expansion": new.expansion,
        "requested": count,
        "priority": priority,
        "idempotency_key": new.idempotency_key,
        "fingerprint": new.fingerprint,
        "created_at": moment,
    }
    plan = {"graph": new.plan.graph, "context": new.plan.context}
    connection.execute(sql.ADD_BATCH, {**row, **plan, "pending": count})
    alike = {
        "queue_id": new.queue_id,
        "batch": first,
        "user_id": new.user_id,
        "status": "pending",
        "priority": priority,
        "created_at": moment,
        "updated_at": moment,
    }
    try:
        connection.execute(
            sql.ADD_ITEMS,
            [
                {
                    **alike,
                    "item_id": number,
                    "position": number * POSITION_STEP,
                    "session_id": session_id,
                    "field_values": field_values,
                }
                for number, (session_id, field_values) in enumerate(new.sessions, start=first)
            ],
        )
    except IntegrityError as error:
        raise BatchError("a session id of the batch is taken; leave `session_ids` out, or choose others") from error
    return BatchRow(**row, plan=new.plan, counts=Counts(pending=count))


def _make_room(connection: Connection, queue_id: str, count: int, max_pending: int) -> None:
    counts = connection.execute(sql.FIND_QUEUE, {"queue_id": queue_id}).one_or_none()
    pending = 0 if counts is None else counts.pending
    if pending + count > max_pending:
        raise QueueFullError(queue_id, pending, max_pending, count)
    if counts is None:
        connection.execute(sql.ADD_QUEUE, {"queue_id": queue_id, "pending": count})
    else:
        connection.execute(sql.ADD_TO_QUEUE_COUNTS, _delta(Counter(pending=count), b_queue_id=queue_id))


def finish(
    connection: Connection, which: dict[str, object], status: str, error: tuple[str, str, str] | None
) -> ItemChange | None:
    """End an item with a status; `error` is type, message, traceback. None: `which` does not hold it any more."""
    values = {**which, **_NO_ERROR, "b_to": status, "b_now": timestamp()}
    if error is not None:
        values |= dict(zip(_NO_ERROR, map(storable, error), strict=True))
    row = connection.execute(sql.FINISH_ITEM, values).one_or_none()
    return None if row is None else changed(connection, row, str(which["b_from"]))


def give_back(
    connection: Connection,
    item_id: int,
    attempt: int | None,
    reason: tuple[str, str, str],
    *,
    max_attempts: int,
    excused: bool,
) -> ItemChange | None:
    """Let a running item wait again, or fail for `reason` if that was its last attempt. None as in `finish`."""
    found = connection.execute(sql.FIND_ITEM, {"item_id": item_id}).one_or_none()
    if found is not None and found.attempts - found.excused - excused >= max_attempts:
        return finish(connection, attempt_of(item_id, attempt), "failed", reason)
    values = {**attempt_of(item_id, attempt), "b_excused": int(excused), "b_now": timestamp()}
    row = connection.execute(sql.RETURN_ITEM, values).one_or_none()
    return None if row is None else changed(connection, row, "in_progress")


def changed(connection: Connection, row: Row[Any], before: str) -> ItemChange:
    """Bring the counts up to date after an item's status changed from `before`."""
    delta = Counter({before: -1})
    delta[row.status] += 1
    batch = connection.execute(sql.ADD_TO_BATCH_COUNTS, _delta(delta, b_id=row.batch)).one()
    queue = connection.execute(sql.ADD_TO_QUEUE_COUNTS, _delta(delta, b_queue_id=row.queue_id)).one()
    item = ItemRow(**row._mapping, batch_id=batch.batch_id, origin=batch.origin, destination=batch.destination)
    return ItemChange(item, counts_of(batch), counts_of(queue), _current(connection, item, queue.in_progress))


def _current(connection: Connection, item: ItemRow, in_progress: int) -> ItemRow | None:
    """The running item of the queue of `item`, looked up only where the count of running ones leaves a question."""
    if not in_progress:
        return None
    if in_progress == 1 and item.status == "in_progress":
        return item
    return current_item(connection, item.queue_id)


def count(connection: Connection, queue_id: str, moved: dict[int, Counter[str]]) -> None:
    """Add what happened to the items of each batch to the counts."""
    total: Counter[str] = Counter()
    for batch, delta in moved.items():
        connection.execute(sql.ADD_TO_BATCH_COUNTS, _delta(delta, b_id=batch))
        total.update(delta)
    if moved:
        connection.execute(sql.ADD_TO_QUEUE_COUNTS, _delta(total, b_queue_id=queue_id))


def _delta(delta: Counter[str], **which: object) -> dict[str, object]:
    return {**which, **{f"d_{name}": delta[name] for name in sql.COUNTERS}}
