"""What the queue's store is given and gives: frozen rows, with times and documents as the database holds them.

They stay below the queue's floor. What clients see are the records of `impasto.queue.records`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

__all__ = [
    "BatchRow",
    "Claimed",
    "Cleared",
    "Counts",
    "Enqueued",
    "ItemChange",
    "ItemFilter",
    "ItemRow",
    "NewBatch",
    "NewSession",
    "Place",
    "Plan",
    "QueueRow",
    "Removed",
    "Retried",
    "Sweep",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many items are in each status."""

    pending: int = 0
    in_progress: int = 0
    waiting: int = 0
    completed: int = 0
    failed: int = 0
    canceled: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.pending + self.in_progress + self.waiting + self.completed + self.failed + self.canceled


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRow:
    """A queue as it is stored."""

    queue_id: str
    paused: bool
    counts: Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What all sessions of a batch have in common, as JSON."""

    graph: str
    #: Workflow, metadata, metadata bindings.
    context: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRow:
    """A batch as it is stored."""

    #: Number of its first item.
    id: int
    queue_id: str
    batch_id: str
    user_id: str
    origin: str | None
    destination: str | None
    #: What made its sessions, as JSON: data, runs, session ids.
    expansion: str
    plan: Plan
    requested: int
    priority: int
    idempotency_key: str | None
    fingerprint: str | None
    created_at: str
    counts: Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRow:
    """A queue item as it is stored, with what is looked up most often of its batch."""

    item_id: int
    queue_id: str
    #: The batch's row (`BatchRow.id`).
    batch: int
    batch_id: str
    origin: str | None
    destination: str | None
    session_id: str
    user_id: str
    status: str
    status_sequence: int
    priority: int
    #: Its place among the items of its priority.
    position: int
    #: ``[{node_path, field_name, value}]`` as JSON.
    field_values: str | None
    #: Keys of models that it names: ``,a,b,``.
    models: str | None
    #: Whether it is for a worker with a device.
    needs_device: bool
    retried_from_item_id: int | None
    attempts: int
    excused: int
    worker_id: str | None
    lease_expires_at: str | None
    error_type: str | None
    error_message: str | None
    error_traceback: str | None
    created_at: str
    updated_at: str
    started_at: str | None
    completed_at: str | None


class NewSession(NamedTuple):
    """A session that is to be stored."""

    session_id: str
    #: ``[{node_path, field_name, value}]`` as JSON.
    field_values: str | None
    #: Keys of the models that it names: ``,a,b,``.
    models: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBatch:
    """A batch that is to be stored, and its sessions."""

    queue_id: str
    batch_id: str
    user_id: str
    origin: str | None
    destination: str | None
    expansion: str
    plan: Plan
    #: One for each item, in order.
    sessions: Sequence[NewSession]
    #: Whether they are for a worker with a device.
    needs_device: bool
    #: Before everything that waits in its queue.
    prepend: bool
    idempotency_key: str | None
    fingerprint: str | None


@dataclass(frozen=True, slots=True)
class Enqueued:
    """A batch that is stored: by this call, or by an earlier one with the same idempotency key."""

    batch: BatchRow
    repeated: bool


@dataclass(frozen=True, slots=True)
class ItemChange:
    """An item after a change of its status, and the counts and the running item of its queue at that moment."""

    item: ItemRow
    batch: Counts
    queue: Counts
    current: ItemRow | None


@dataclass(frozen=True, slots=True)
class Claimed:
    """An item that a worker has taken."""

    change: ItemChange
    plan: Plan


@dataclass(frozen=True, slots=True)
class Sweep:
    """What a cancelling of many items did."""

    #: Items that waited, by their owner.
    pending: Mapping[str, list[int]]
    #: Items that ran, each with its change.
    running: tuple[ItemChange, ...]


@dataclass(frozen=True, slots=True)
class Retried:
    """Items that had ended and are done again, or were by an earlier call with the same idempotency key."""

    #: The new items, by the item that each does again, in the order asked for.
    items: Mapping[int, int]
    #: The items that are done again, by their owner.
    by_user: Mapping[str, list[int]]
    repeated: bool


@dataclass(frozen=True, slots=True)
class Removed:
    """What a removing of items did."""

    #: Those that are gone.
    item_ids: Sequence[int]
    #: What became of those of them that had not ended.
    sweep: Sweep


@dataclass(frozen=True, slots=True)
class Cleared:
    """What emptying a queue removed."""

    deleted: int
    #: Items that were running.
    running: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in its queue an item is to wait: beside another one, or at an end (then `item_id` is None)."""

    where: Literal["before", "after", "front", "back"]
    item_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFilter:
    """Which items of a queue are meant; None: whichever."""

    status: str | None = None
    batch_ids: Sequence[str] | None = None
    origin: str | None = None
    destination: str | None = None
    item_ids: Sequence[int] | None = None
    #: Only items after this one, in the order that is asked for.
    after: int | None = None
    newest_first: bool = False
    limit: int | None = None
