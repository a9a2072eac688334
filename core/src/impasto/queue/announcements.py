"""Which events and records a change in the store amounts to. Pure; used by the session queue only."""

from collections.abc import Sequence

from impasto.queue.records import BatchStatus, DestinationCounts, QueueOverview, QueueStatus
from impasto.storage.queue.rows import BatchRow, Counts, ItemChange, ItemRow, QueueRow, Removed, Retried, Sweep
from impasto_sdk.events import (
    BatchEnqueuedEvent,
    Event,
    QueueItemMovedEvent,
    QueueItemsCanceledEvent,
    QueueItemsDeletedEvent,
    QueueItemsRetriedEvent,
    QueueItemStatusChangedEvent,
)

__all__ = [
    "batch_enqueued",
    "batch_status",
    "canceled",
    "deleted",
    "destination_counts",
    "moved",
    "overview",
    "queue_status",
    "removed",
    "retried",
    "status_changed",
]


def batch_status(batch: BatchRow | ItemRow, counts: Counts) -> BatchStatus:
    """The status of a batch, which a row of the batch or of one of its items names."""
    return BatchStatus(
        queue_id=batch.queue_id,
        batch_id=batch.batch_id,
        origin=batch.origin,
        destination=batch.destination,
        **_numbers(counts),
    )


def queue_status(queue_id: str, counts: Counts, current: ItemRow | None) -> QueueStatus:
    """The status of a queue with its running item."""
    return QueueStatus(
        queue_id=queue_id,
        item_id=current.item_id if current else None,
        batch_id=current.batch_id if current else None,
        session_id=current.session_id if current else None,
        **_numbers(counts),
    )


def destination_counts(queue_id: str, destination: str, counts: Counts) -> DestinationCounts:
    """How many sessions for a destination are in each status."""
    return DestinationCounts(queue_id=queue_id, destination=destination, **_numbers(counts))


def overview(queue: QueueRow) -> QueueOverview:
    """A queue among others."""
    return QueueOverview(queue_id=queue.queue_id, is_paused=queue.paused, **_numbers(queue.counts))


def status_changed(change: ItemChange) -> QueueItemStatusChangedEvent:
    """An item went from one status to the next."""
    item = change.item
    return QueueItemStatusChangedEvent(
        queue_id=item.queue_id,
        item_id=item.item_id,
        batch_id=item.batch_id,
        session_id=item.session_id,
        origin=item.origin,
        destination=item.destination,
        user_id=item.user_id,
        status=item.status,
        status_sequence=item.status_sequence,
        error_type=item.error_type,
        error_message=item.error_message,
        error_traceback=item.error_traceback,
        created_at=item.created_at,
        updated_at=item.updated_at,
        started_at=item.started_at,
        completed_at=item.completed_at,
        worker_id=item.worker_id,
        batch_status=batch_status(item, change.batch).model_dump(),
        queue_status=queue_status(item.queue_id, change.queue, change.current).model_dump(),
    )


def batch_enqueued(batch: BatchRow) -> BatchEnqueuedEvent:
    """A batch is on disk."""
    return BatchEnqueuedEvent(
        queue_id=batch.queue_id,
        batch_id=batch.batch_id,
        enqueued=batch.requested,
        requested=batch.requested,
        priority=batch.priority,
        origin=batch.origin,
        user_id=batch.user_id,
    )


def canceled(queue_id: str, sweep: Sweep) -> list[Event]:
    """Items were cancelled: each that ran changed its status, those that had not begun are told of together."""
    told: list[Event] = [status_changed(change) for change in sweep.running]
    if sweep.pending:
        told.append(
            QueueItemsCanceledEvent(
                queue_id=queue_id,
                canceled_item_ids=sorted(item_id for ids in sweep.pending.values() for item_id in ids),
                user_ids=sorted(sweep.pending),
                canceled_item_ids_by_user=sweep.pending,
            )
        )
    return told


def removed(queue_id: str, removed: Removed) -> list[Event]:
    """Items are gone, those of them that had not ended after being cancelled."""
    return [*canceled(queue_id, removed.sweep), *deleted(queue_id, removed.item_ids)]


def deleted(queue_id: str, item_ids: Sequence[int]) -> list[Event]:
    """Items that had ended are gone."""
    return [QueueItemsDeletedEvent(queue_id=queue_id, deleted_item_ids=list(item_ids))] if item_ids else []


def retried(queue_id: str, retried: Retried) -> list[Event]:
    """Items are done again; nothing when they were by an earlier call."""
    if retried.repeated:
        return []
    return [
        QueueItemsRetriedEvent(
            queue_id=queue_id,
            retried_item_ids=list(retried.items),
            user_ids=sorted(retried.by_user),
            retried_item_ids_by_user=retried.by_user,
            item_ids=list(retried.items.values()),
        )
    ]


def moved(item: ItemRow | None) -> list[Event]:
    """An item waits somewhere else now; None: it does not."""
    if item is None:
        return []
    return [
        QueueItemMovedEvent(
            queue_id=item.queue_id,
            item_id=item.item_id,
            batch_id=item.batch_id,
            session_id=item.session_id,
            origin=item.origin,
            destination=item.destination,
            user_id=item.user_id,
            priority=item.priority,
        )
    ]


def _numbers(counts: Counts) -> dict[str, int]:
    return {
        "pending": counts.pending,
        "in_progress": counts.in_progress,
        "waiting": counts.waiting,
        "completed": counts.completed,
        "failed": counts.failed,
        "canceled": counts.canceled,
        "total": counts.total,
    }
