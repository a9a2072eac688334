"""`QueueView`: what can be asked of the queue, as the records that clients see.

Reads only; `SessionQueue` adds what changes it.
"""

import builtins
from collections.abc import Sequence
from typing import Any

from impasto.errors import BatchNotFoundError, QueueItemNotFoundError
from impasto.queue import announcements
from impasto.queue.expansion import substituted
from impasto.queue.records import (
    BatchStatus,
    DestinationCounts,
    QueueItem,
    QueueItemSummary,
    QueueOverview,
    QueueStatus,
)
from impasto.queue.session_view import session_view
from impasto.storage.documents import load_document
from impasto.storage.queue.reading import QueueReader
from impasto.storage.queue.rows import ItemFilter, ItemRow
from impasto_sdk.fields import JsonValue

__all__ = ["QueueView"]


class QueueView:
    """Looks at queues. A queue that was never used is empty, not unknown."""

    def __init__(self, reader: QueueReader) -> None:
        self._reader = reader

    def get(self, queue_id: str, item_id: int) -> QueueItem:
        """One item with its session as far as it got. Raises `QueueItemNotFoundError`."""
        row = self._reader.item(item_id)
        if row is None or row.queue_id != queue_id:
            raise QueueItemNotFoundError(queue_id, item_id)
        return self._records([row])[0]

    def get_many(self, queue_id: str, item_ids: Sequence[int]) -> builtins.list[QueueItem]:
        """The items of these numbers that exist, in the order asked for."""
        records = self._records(self._reader.items(queue_id, ItemFilter(item_ids=item_ids)))
        by_id = {record.item_id: record for record in records}
        return [by_id[item_id] for item_id in item_ids if item_id in by_id]

    def summaries(self, queue_id: str, item_ids: Sequence[int]) -> builtins.list[QueueItemSummary]:
        """The same items without their graphs and what came of them, which makes a long list short."""
        found = {row.item_id: row for row in self._reader.items(queue_id, ItemFilter(item_ids=item_ids))}
        rows = (found[item_id] for item_id in item_ids if item_id in found)
        return [QueueItemSummary(**_facts(row)) for row in rows]

    def waiting(self, queue_id: str, limit: int) -> builtins.list[QueueItemSummary]:
        """The first items that wait, in the order in which they are due."""
        return [QueueItemSummary(**_facts(row)) for row in self._reader.waiting(queue_id, limit)]

    def list(
        self,
        queue_id: str,
        *,
        status: str | None = None,
        origin: str | None = None,
        destination: str | None = None,
        batch_id: str | None = None,
        after: int | None = None,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> builtins.list[QueueItem]:
        """Items in the order of their numbers; `after` is the number that the page before ended with."""
        which = ItemFilter(
            status=status,
            origin=origin,
            destination=destination,
            batch_ids=None if batch_id is None else [batch_id],
            after=after,
            newest_first=newest_first,
            limit=limit,
        )
        return self._records(self._reader.items(queue_id, which))

    def item_ids(self, queue_id: str, *, newest_first: bool = False) -> builtins.list[int]:
        """The numbers of all items of a queue, in order."""
        return self._reader.item_ids(queue_id, newest_first=newest_first)

    def open_sessions(self) -> builtins.list[str]:
        """The ids of all sessions that wait or run, in whichever queue."""
        return self._reader.open_sessions()

    def current(self, queue_id: str) -> QueueItem | None:
        """The item that runs, the first if there are several."""
        return self._record(self._reader.current(queue_id))

    def next(self, queue_id: str) -> QueueItem | None:
        """The first item that waits; it is not claimed by asking. A worker may take another whose models it holds."""
        return self._record(self._reader.next(queue_id))

    def status(self, queue_id: str) -> QueueStatus:
        """How many items are in each status, and which one runs."""
        return announcements.queue_status(queue_id, *self._reader.counts(queue_id))

    def queues(self) -> builtins.list[QueueOverview]:
        """All queues that were ever used, by name."""
        return [announcements.overview(queue) for queue in self._reader.queues()]

    def is_paused(self, queue_id: str) -> bool:
        """Whether items of a queue are kept from being claimed."""
        return self._reader.paused(queue_id)

    def counts_by_destination(self, queue_id: str, destination: str) -> DestinationCounts:
        """How many items for a destination are in each status; zeros for one that was never named."""
        counts = self._reader.counts_by_destination(queue_id, destination)
        return announcements.destination_counts(queue_id, destination, counts)

    def batch_status(self, queue_id: str, batch_id: str) -> BatchStatus:
        """How many sessions of a batch are in each status. Raises `BatchNotFoundError`."""
        batch = self._reader.batch(queue_id, batch_id)
        if batch is None:
            raise BatchNotFoundError(queue_id, batch_id)
        return announcements.batch_status(batch, batch.counts)

    def _record(self, row: ItemRow | None) -> QueueItem | None:
        return None if row is None else next(iter(self._records([row])), None)

    def _records(self, rows: Sequence[ItemRow]) -> builtins.list[QueueItem]:
        plans = self._reader.plans(list({row.batch for row in rows}))
        journals = self._reader.journals([row.item_id for row in rows if row.attempts])
        documents = {
            batch: (load_document(plan.graph), load_document(plan.context)["workflow"]) for batch, plan in plans.items()
        }
        # a batch that went with its items between two of these queries is passed over
        return [
            _record(row, *documents[row.batch], journals.get(row.item_id, {})) for row in rows if row.batch in documents
        ]


def _record(row: ItemRow, graph: JsonValue, workflow: JsonValue, journal: JsonValue) -> QueueItem:
    facts = _facts(row)
    session = session_view(
        row.session_id,
        substituted(graph, facts["field_values"] or ()),
        journal,
        error=row.error_message,
        completed=row.status == "completed",
    )
    return QueueItem(**facts, session=session, workflow=workflow)


def _facts(row: ItemRow) -> dict[str, Any]:
    """What a row says of an item by itself."""
    return {
        "item_id": row.item_id,
        "status": row.status,
        "status_sequence": row.status_sequence,
        "priority": row.priority,
        "batch_id": row.batch_id,
        "origin": row.origin,
        "destination": row.destination,
        "session_id": row.session_id,
        "error_type": row.error_type,
        "error_message": row.error_message,
        "error_traceback": row.error_traceback,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "started_at": row.started_at,
        "completed_at": row.completed_at,
        "queue_id": row.queue_id,
        "user_id": row.user_id,
        "field_values": None if row.field_values is None else load_document(row.field_values),
        "retried_from_item_id": row.retried_from_item_id,
        "attempts": row.attempts,
        "worker_id": row.worker_id,
    }
