"""Which events and records a change in the store amounts to. Pure; used by the session queue only."""

from impasto.queue.records import BatchStatus, QueueStatus
from impasto.storage.queue_rows import BatchRow, Counts, ItemChange, ItemRow, Sweep
from impasto_sdk.events import BatchEnqueuedEvent, QueueItemsCanceledEvent, QueueItemStatusChangedEvent

__all__ = ["batch_enqueued", "batch_status", "items_canceled", "queue_status", "status_changed"]


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


def items_canceled(queue_id: str, sweep: Sweep) -> QueueItemsCanceledEvent:
    """Items were cancelled that had not begun."""
    item_ids = sorted(item_id for ids in sweep.pending.values() for item_id in ids)
    return QueueItemsCanceledEvent(
        queue_id=queue_id,
        canceled_item_ids=item_ids,
        user_ids=sorted(sweep.pending),
        canceled_item_ids_by_user=sweep.pending,
    )


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
