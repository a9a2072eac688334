"""Why the queue refuses, and what repeated requests come to."""

from impasto.errors.root import CoreError

__all__ = [
    "BatchError",
    "BatchNotFoundError",
    "CreationGoneError",
    "IdempotencyKeyError",
    "QueueError",
    "QueueFullError",
    "QueueItemNotFoundError",
    "QueueItemStatusError",
]


class BatchError(CoreError, ValueError):
    """A batch's data does not fit its graph. `node_id` and `field` say which substitution."""

    def __init__(self, message: str, *, node_id: str | None = None, field: str | None = None) -> None:
        super().__init__(message)
        self.node_id = node_id
        self.field = field


class QueueError(CoreError):
    """The queue refuses."""


class QueueFullError(QueueError):
    """The batch does not fit; nothing of it was stored. `retry_after_s` is a guess at when it might."""

    def __init__(self, queue_id: str, size: int, limit: int, requested: int, retry_after_s: int = 30) -> None:
        more = f"queue {queue_id!r} holds {size} of at most {limit} waiting items; {requested} more do not fit. "
        if requested > limit:
            way_out = "They never will: send them as smaller batches, or raise `max_queue_size`"
        else:
            way_out = "Wait, or raise `max_queue_size`"
        super().__init__(more + way_out)
        self.queue_id = queue_id
        self.size = size
        self.limit = limit
        self.requested = requested
        self.retry_after_s = retry_after_s


class QueueItemNotFoundError(QueueError):
    """The queue has no such item."""

    def __init__(self, queue_id: str, item_id: int) -> None:
        super().__init__(f"queue {queue_id!r} has no item {item_id}")
        self.queue_id = queue_id
        self.item_id = item_id


class QueueItemStatusError(QueueError):
    """What was asked for cannot be done to an item that is in this status; nothing was done."""

    def __init__(self, queue_id: str, item_id: int, status: str, wanted: str) -> None:
        super().__init__(f"item {item_id} of queue {queue_id!r} is {status.replace('_', ' ')}; {wanted}")
        self.queue_id = queue_id
        self.item_id = item_id
        self.status = status


class BatchNotFoundError(QueueError):
    """The queue has no such batch."""

    def __init__(self, queue_id: str, batch_id: str) -> None:
        super().__init__(f"queue {queue_id!r} has no batch {batch_id!r}")
        self.queue_id = queue_id
        self.batch_id = batch_id


class IdempotencyKeyError(CoreError, ValueError):
    """An idempotency key was used for another request. `kind` is what is created with it."""

    def __init__(self, idempotency_key: str, kind: str) -> None:
        super().__init__(f"idempotency key {idempotency_key!r} was used for another {kind}; use a fresh one")
        self.idempotency_key = idempotency_key
        self.kind = kind


class CreationGoneError(CoreError):
    """A request is repeated, and what it created was deleted since. `created` names that, `kind` says what it is."""

    def __init__(self, idempotency_key: str, kind: str, created: str) -> None:
        super().__init__(
            f"the {kind} {created!r} that was created with idempotency key {idempotency_key!r} was deleted since; "
            f"use a fresh key to create it again"
        )
        self.idempotency_key = idempotency_key
        self.kind = kind
        self.created = created
