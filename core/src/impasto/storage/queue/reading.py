"""`QueueReader`: what can be asked of the queue in the database, without changing it.

Also how rows are read, for the modules beside it that change them.
"""

from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Delete, Row, Select, Update, select

from impasto.storage.database import Database
from impasto.storage.documents import load_document
from impasto.storage.portions import portions
from impasto.storage.queue import queries as sql
from impasto.storage.queue.rows import BatchRow, Counts, ItemFilter, ItemRow, Plan, QueueRow
from impasto.storage.tables import batches, queue_items
from impasto_sdk.fields import JsonValue

__all__ = [
    "QueueReader",
    "batch_of",
    "counts_of",
    "current_item",
    "item_of",
    "journals_of",
    "narrowed",
    "queue_counts",
]

StatementT = TypeVar("StatementT", Select[Any], Update, Delete)


class QueueReader:
    """Looks things up in the queue, each time as they are at one moment."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def item(self, item_id: int) -> ItemRow | None:
        """One item."""
        with self._database.read() as connection:
            row = connection.execute(sql.FIND_ITEM, {"item_id": item_id}).one_or_none()
            return None if row is None else item_of(row)

    def current(self, queue_id: str) -> ItemRow | None:
        """The running item of a queue, the first if there are several."""
        with self._database.read() as connection:
            return current_item(connection, queue_id)

    def next(self, queue_id: str) -> ItemRow | None:
        """The item of a queue that will be claimed next."""
        with self._database.read() as connection:
            row = connection.execute(sql.FIND_NEXT, {"queue_id": queue_id}).one_or_none()
            return None if row is None else item_of(row)

    def waiting(self, queue_id: str, limit: int) -> list[ItemRow]:
        """The first items of a queue that wait, in the order in which they are due."""
        with self._database.read() as connection:
            return [item_of(row) for row in connection.execute(sql.FIND_WAITING.limit(limit), {"queue_id": queue_id})]

    def items(self, queue_id: str, which: ItemFilter) -> list[ItemRow]:
        """Items of a queue in the order of their numbers."""
        statement = narrowed(sql.FIND_ITEMS, queue_id, which)
        if which.batch_ids is None:  # where many are meant, a page is found sooner in the order of the queue
            statement = statement.where(queue_items.c.queue_id == queue_id)
        if which.status is not None:
            statement = statement.where(queue_items.c.status == which.status)
        if which.after is not None:
            number = queue_items.c.item_id
            statement = statement.where(number < which.after if which.newest_first else number > which.after)
        order = queue_items.c.item_id.desc() if which.newest_first else queue_items.c.item_id
        with self._database.read() as connection:
            rows = connection.execute(statement.order_by(order).limit(which.limit))
            return [item_of(row) for row in rows]

    def item_ids(self, queue_id: str, *, newest_first: bool) -> list[int]:
        """The numbers of all items of a queue, in order."""
        order = queue_items.c.item_id.desc() if newest_first else queue_items.c.item_id
        with self._database.read() as connection:
            return list(connection.execute(sql.FIND_ITEM_IDS.order_by(order), {"queue_id": queue_id}).scalars())

    def old_history(self, queue_id: str, keep: int) -> list[int]:
        """The numbers of the items of a queue that have ended, but for the `keep` that ended last; oldest first."""
        with self._database.read() as connection:
            counts = queue_counts(connection, queue_id)
            surplus = counts.completed + counts.failed + counts.canceled - keep
            if surplus <= 0:  # as is usual, and known without a look at any
                return []
            return list(connection.execute(sql.FIND_OLD_HISTORY, {"queue_id": queue_id, "limit": surplus}).scalars())

    def open_sessions(self) -> list[str]:
        """The sessions of all queues that have not ended."""
        with self._database.read() as connection:
            return list(connection.scalars(sql.FIND_OPEN_SESSIONS))

    def batch(self, queue_id: str, batch_id: str) -> BatchRow | None:
        """One batch."""
        with self._database.read() as connection:
            row = connection.execute(sql.FIND_BATCH, {"queue_id": queue_id, "batch_id": batch_id}).one_or_none()
            return None if row is None else batch_of(row)

    def batch_by_key(self, queue_id: str, user_id: str, idempotency_key: str) -> BatchRow | None:
        """The batch that was stored under an idempotency key."""
        which = {"queue_id": queue_id, "user_id": user_id, "idempotency_key": idempotency_key}
        with self._database.read() as connection:
            row = connection.execute(sql.FIND_BATCH_BY_KEY, which).one_or_none()
            return None if row is None else batch_of(row)

    def plans(self, ids: Sequence[int]) -> dict[int, Plan]:
        """What sessions of batches have in common, by the batch's row."""
        with self._database.read() as connection:
            rows = (row for some in portions(ids) for row in connection.execute(sql.FIND_PLANS, {"ids": some}))
            return {row.id: Plan(graph=row.graph, context=row.context) for row in rows}

    def journals(self, item_ids: Sequence[int]) -> dict[int, dict[str, JsonValue]]:
        """What finished executions gave, by item and execution id, in the order in which they finished."""
        with self._database.read() as connection:
            return journals_of(connection, item_ids)

    def queues(self) -> list[QueueRow]:
        """All queues that were ever used, by name."""
        with self._database.read() as connection:
            rows = connection.execute(sql.FIND_QUEUES).all()
        return [QueueRow(queue_id=row.queue_id, paused=row.paused, counts=counts_of(row)) for row in rows]

    def paused(self, queue_id: str) -> bool:
        """Whether items of a queue are kept from being claimed."""
        with self._database.read() as connection:
            row = connection.execute(sql.FIND_QUEUE, {"queue_id": queue_id}).one_or_none()
            return row is not None and bool(row.paused)

    def counts_by_destination(self, queue_id: str, destination: str) -> Counts:
        """How many items for a destination are in each status."""
        which = {"queue_id": queue_id, "destination": destination}
        with self._database.read() as connection:
            return Counts(**{row.status: row.number for row in connection.execute(sql.COUNT_DESTINATION, which)})

    def counts(self, queue_id: str) -> tuple[Counts, ItemRow | None]:
        """How many items of a queue are in each status, and the running one."""
        with self._database.read() as connection:
            return queue_counts(connection, queue_id), current_item(connection, queue_id)


def narrowed(statement: StatementT, queue_id: str, which: ItemFilter) -> StatementT:
    """`statement` for the items of a queue that `which` names, by their numbers or their batches."""
    if which.item_ids is not None:
        statement = statement.where(queue_items.c.item_id.in_(which.item_ids))
    if which.batch_ids is None and which.destination is None and which.origin is None:
        return statement.where(queue_items.c.queue_id == queue_id)
    # by their batches alone, which are of the queue: asked for the queue too, SQLite would go through all of that
    meant = select(batches.c.id).where(batches.c.queue_id == queue_id)
    if which.batch_ids is not None:
        meant = meant.where(batches.c.batch_id.in_(which.batch_ids))
    if which.origin is not None:
        meant = meant.where(batches.c.origin == which.origin)
    if which.destination is not None:
        meant = meant.where(batches.c.destination == which.destination)
    return statement.where(queue_items.c.batch.in_(meant))


def current_item(connection: Connection, queue_id: str) -> ItemRow | None:
    """The running item of a queue, the first if there are several."""
    row = connection.execute(sql.FIND_CURRENT, {"queue_id": queue_id}).one_or_none()
    return None if row is None else item_of(row)


def queue_counts(connection: Connection, queue_id: str) -> Counts:
    """The kept counts of a queue; zeros for one that was never used."""
    row = connection.execute(sql.FIND_QUEUE, {"queue_id": queue_id}).one_or_none()
    return Counts() if row is None else counts_of(row)


def journals_of(connection: Connection, item_ids: Sequence[int]) -> dict[int, dict[str, JsonValue]]:
    """Outputs by item and execution id, in the order in which they finished."""
    found: dict[int, dict[str, JsonValue]] = {}
    for portion in portions(item_ids):
        for item_id, execution_id, output in connection.execute(sql.FIND_JOURNALS, {"item_ids": portion}):
            found.setdefault(item_id, {})[execution_id] = load_document(output)
    return found


def counts_of(row: Row[Any]) -> Counts:
    """The counts among a row's columns."""
    return Counts(**{name: row._mapping[name] for name in sql.COUNTERS})


def item_of(row: Row[Any]) -> ItemRow:
    """An item from a row that was read together with its batch."""
    return ItemRow(**row._mapping)


def batch_of(row: Row[Any]) -> BatchRow:
    """A batch from its row."""
    apart = {"graph", "context", *sql.COUNTERS}
    columns = {name: value for name, value in row._mapping.items() if name not in apart}
    return BatchRow(**columns, plan=Plan(graph=row.graph, context=row.context), counts=counts_of(row))
