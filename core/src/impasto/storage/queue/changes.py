"""How an item goes from one status to the next, or out of the queue: steps inside a transaction of `QueueItemStore`.

Each keeps the counts of batch and queue in step with the items, and none of them is policy.
"""

from collections import Counter, defaultdict
from typing import Any

from sqlalchemy import Connection, Row

from impasto.storage.creations import KEY_LIFETIME_S
from impasto.storage.documents import storable
from impasto.storage.queue import queries
from impasto.storage.queue import statements as sql
from impasto.storage.queue.reading import counts_of, current_item, narrowed
from impasto.storage.queue.rows import ItemChange, ItemFilter, ItemRow, Sweep
from impasto.storage.tables import batches, queue_items
from impasto.storage.timestamps import timestamp

__all__ = [
    "attempt_of",
    "cancel_many",
    "changed",
    "delta_of",
    "finish",
    "forget_idle_batches",
    "give_back",
    "remove",
]

_NO_ERROR = {"b_error_type": None, "b_error_message": None, "b_error_traceback": None}


def attempt_of(item_id: int, attempt: int | None) -> dict[str, object]:
    """The parameters that name a running item, and the attempt that speaks for it."""
    return {"b_item_id": item_id, "b_from": "in_progress", "b_attempt": attempt}


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
    found = connection.execute(queries.FIND_ITEM, {"item_id": item_id}).one_or_none()
    if found is not None and found.attempts - found.excused - excused >= max_attempts:
        return finish(connection, attempt_of(item_id, attempt), "failed", reason)
    values = {**attempt_of(item_id, attempt), "b_excused": int(excused), "b_now": timestamp()}
    row = connection.execute(sql.RETURN_ITEM, values).one_or_none()
    return None if row is None else changed(connection, row, "in_progress")


def changed(connection: Connection, row: Row[Any], before: str) -> ItemChange:
    """Bring the counts up to date after an item's status changed from `before`."""
    delta = Counter({before: -1})
    delta[row.status] += 1
    batch = connection.execute(sql.ADD_TO_BATCH_COUNTS, delta_of(delta, b_id=row.batch)).one()
    queue = connection.execute(sql.ADD_TO_QUEUE_COUNTS, delta_of(delta, b_queue_id=row.queue_id)).one()
    item = ItemRow(**row._mapping, batch_id=batch.batch_id, origin=batch.origin, destination=batch.destination)
    return ItemChange(item, counts_of(batch), counts_of(queue), _current(connection, item, queue.in_progress))


def _current(connection: Connection, item: ItemRow, in_progress: int) -> ItemRow | None:
    """The running item of the queue of `item`, looked up only where the count of running ones leaves a question."""
    if not in_progress:
        return None
    if in_progress == 1 and item.status == "in_progress":
        return item
    return current_item(connection, item.queue_id)


def cancel_many(connection: Connection, queue_id: str, which: ItemFilter, *, running_too: bool) -> Sweep:
    """Cancel the items of a queue that `which` names and that wait, or also those that run."""
    cancel = narrowed(sql.CANCEL_PENDING, queue_id, which)
    waited = connection.execute(cancel, {"b_now": timestamp()}).all()
    by_user: dict[str, list[int]] = defaultdict(list)
    moved: dict[int, Counter[str]] = defaultdict(Counter)
    for row in waited:
        by_user[row.user_id].append(row.item_id)
        moved[row.batch].update({"pending": -1, "canceled": 1})
    _count(connection, queue_id, moved)
    running: list[ItemChange] = []
    if running_too:
        find = narrowed(queries.FIND_ITEMS, queue_id, which).where(queue_items.c.status == "in_progress")
        for row in connection.execute(find.order_by(queue_items.c.item_id)).all():
            change = finish(connection, attempt_of(row.item_id, None), "canceled", None)
            running.extend([change] if change else [])
    return Sweep({user: sorted(ids) for user, ids in by_user.items()}, tuple(running))


def remove(connection: Connection, queue_id: str, which: ItemFilter) -> list[int]:
    """Delete the items of a queue that `which` names and that have ended; their numbers."""
    deleted = connection.execute(narrowed(sql.DELETE_ENDED, queue_id, which)).all()
    moved: dict[int, Counter[str]] = defaultdict(Counter)
    for row in deleted:
        moved[row.batch][row.status] -= 1
    _count(connection, queue_id, moved)
    if moved:
        forget_idle_batches(connection, queue_id, only=next(iter(moved)) if len(moved) == 1 else None)
    return sorted(row.item_id for row in deleted)


def forget_idle_batches(connection: Connection, queue_id: str, *, only: int | None = None) -> None:
    """Delete batches that are left without items: those of a queue, or `only` this one."""
    statement = sql.DELETE_IDLE_BATCHES if only is None else sql.DELETE_IDLE_BATCHES.where(batches.c.id == only)
    before = timestamp(plus_s=-KEY_LIFETIME_S)
    connection.execute(statement, {"queue_id": queue_id, "keys_before": before})


def _count(connection: Connection, queue_id: str, moved: dict[int, Counter[str]]) -> None:
    """Add what happened to the items of each batch to the counts."""
    total: Counter[str] = Counter()
    for batch, delta in moved.items():
        connection.execute(sql.ADD_TO_BATCH_COUNTS, delta_of(delta, b_id=batch))
        total.update(delta)
    if moved:
        connection.execute(sql.ADD_TO_QUEUE_COUNTS, delta_of(total, b_queue_id=queue_id))


def delta_of(delta: Counter[str], **which: object) -> dict[str, object]:
    """The parameters that add `delta` to the counts of what `which` names."""
    return {**which, **{f"d_{name}": delta[name] for name in queries.COUNTERS}}
