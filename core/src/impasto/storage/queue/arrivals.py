"""How items come into the queue, as a batch or as another try of what has ended: steps inside a transaction.

All that is asked for comes in, or nothing: a queue that is full refuses, and says when it may be worth asking again.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from impasto.errors import BatchError, QueueFullError, QueueItemNotFoundError, QueueItemStatusError
from impasto.storage.portions import portions
from impasto.storage.queue import queries
from impasto.storage.queue import statements as sql
from impasto.storage.queue.changes import delta_of
from impasto.storage.queue.reading import item_of, narrowed
from impasto.storage.queue.rows import BatchRow, Counts, ItemFilter, ItemRow, NewBatch, Retried
from impasto.storage.tables import POSITION_STEP
from impasto.storage.timestamps import timestamp

__all__ = ["add_batch", "retry", "seconds_until"]

#: How many runs the time of the next ones is guessed from.
SAMPLE = 20
#: The shortest and the longest that anybody is told to wait, in seconds; and what is said when nothing has run yet.
SHORTEST_S, LONGEST_S, UNKNOWN_S = 1, 120, 30
#: What can be done again.
FRUITLESS = frozenset({"failed", "canceled"})


def add_batch(connection: Connection, new: NewBatch, max_pending: int) -> BatchRow:
    """Store a batch and its items. Raises `QueueFullError`, or `BatchError` when one of its ids is taken."""
    count = len(new.sessions)
    taken = connection.execute(queries.FIND_BATCH, {"queue_id": new.queue_id, "batch_id": new.batch_id}).one_or_none()
    if taken is not None:
        raise BatchError(
            f"queue {new.queue_id!r} has a batch {new.batch_id!r}; leave `batch_id` out, or choose another"
        )
    make_room(connection, new.queue_id, count, max_pending)
    top = connection.execute(queries.FIND_TOP_PRIORITY, {"queue_id": new.queue_id}).scalar() or 0
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
        "needs_device": new.needs_device,
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
                    "session_id": session.session_id,
                    "field_values": session.field_values,
                    "models": session.models,
                }
                for number, session in enumerate(new.sessions, start=first)
            ],
        )
    except IntegrityError as error:
        raise BatchError("a session id of the batch is taken; leave `session_ids` out, or choose others") from error
    return BatchRow(**row, plan=new.plan, counts=Counts(pending=count))


def make_room(connection: Connection, queue_id: str, count: int, max_pending: int) -> None:
    """Count `count` more waiting items in. Raises `QueueFullError` when that are more than may wait."""
    counts = connection.execute(queries.FIND_QUEUE, {"queue_id": queue_id}).one_or_none()
    pending = 0 if counts is None else counts.pending
    if pending + count > max_pending:
        wait_s = seconds_until(connection, queue_id, pending + count - max_pending)
        raise QueueFullError(queue_id, pending, max_pending, count, wait_s)
    if counts is None:
        connection.execute(sql.ADD_QUEUE, {"queue_id": queue_id, "pending": count})
    else:
        connection.execute(sql.ADD_TO_QUEUE_COUNTS, delta_of(Counter(pending=count), b_queue_id=queue_id))


def retry(
    connection: Connection, queue_id: str, item_ids: Sequence[int], session_ids: Sequence[str], max_pending: int
) -> Retried:
    """Do items again that failed or were cancelled, each as a new item of its batch, with a session id of these.

    A new item comes after all that wait in the priority of the one it does again. Raises `QueueItemNotFoundError`,
    `QueueItemStatusError` and `QueueFullError`; nothing is stored then.
    """
    items = _fruitless(connection, queue_id, item_ids)
    make_room(connection, queue_id, len(items), max_pending)
    first = connection.execute(sql.TAKE_ITEM_NUMBERS, {"count": len(items)}).scalar_one() - len(items) + 1
    moment = timestamp()
    rows = [
        {
            "item_id": number,
            "queue_id": queue_id,
            "batch": item.batch,
            "session_id": session_id,
            "user_id": item.user_id,
            "status": "pending",
            "priority": item.priority,
            "position": number * POSITION_STEP,
            "field_values": item.field_values,
            "models": item.models,
            "needs_device": item.needs_device,
            "retried_from_item_id": item.item_id,
            "created_at": moment,
            "updated_at": moment,
        }
        for number, (item, session_id) in enumerate(zip(items, session_ids, strict=True), start=first)
    ]
    connection.execute(sql.ADD_ITEMS, rows)
    for batch, added in Counter(item.batch for item in items).items():
        connection.execute(sql.ADD_TO_BATCH_COUNTS, delta_of(Counter(pending=added), b_id=batch))
    by_user: dict[str, list[int]] = defaultdict(list)
    for item in items:
        by_user[item.user_id].append(item.item_id)
    return Retried({item.item_id: first + index for index, item in enumerate(items)}, by_user, repeated=False)


def seconds_until(connection: Connection, queue_id: str, places: int) -> int:
    """A guess at when so many of the waiting items will have begun: as long as the last ones ran, as many at once."""
    queue = connection.execute(queries.FIND_QUEUE, {"queue_id": queue_id}).one_or_none()
    if queue is None or queue.paused or places > queue.pending:
        return LONGEST_S
    runs = connection.execute(queries.FIND_LATE_RUNS, {"queue_id": queue_id, "limit": SAMPLE}).all()
    if not runs:
        return UNKNOWN_S
    taken = [_seconds(run.started_at, run.completed_at) for run in runs]
    wait_s: float = places * sum(taken) / len(taken) / max(1, queue.in_progress)
    return min(max(math.ceil(wait_s), SHORTEST_S), LONGEST_S)


def _fruitless(connection: Connection, queue_id: str, item_ids: Sequence[int]) -> list[ItemRow]:
    found: dict[int, ItemRow] = {}
    for portion in portions(item_ids):
        rows = connection.execute(narrowed(queries.FIND_ITEMS, queue_id, ItemFilter(item_ids=portion)))
        found.update((row.item_id, item_of(row)) for row in rows)
    for item_id in item_ids:
        if item_id not in found:
            raise QueueItemNotFoundError(queue_id, item_id)
        if found[item_id].status not in FRUITLESS:
            wanted = "only items that failed or were cancelled are done again"
            raise QueueItemStatusError(queue_id, item_id, found[item_id].status, wanted)
    return [found[item_id] for item_id in item_ids]


def _seconds(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
