"""What the platform tells the world: typed events, named as InvokeAI names them.

Hooks receive these objects; clients receive `to_document()`. A *durable* event can be asked for again by its id
after a lost connection; the others (progress) are worth nothing later and may be dropped for a slow client.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import ClassVar

from impasto_sdk.fields import JsonValue

__all__ = [
    "BatchEnqueuedEvent",
    "Event",
    "ExternalProviderChangedEvent",
    "InvocationCompleteEvent",
    "InvocationErrorEvent",
    "InvocationEvent",
    "InvocationProgressEvent",
    "InvocationStartedEvent",
    "ModelDeletedEvent",
    "ModelInstallCompleteEvent",
    "ModelLoadCompleteEvent",
    "ModelLoadEvent",
    "ModelLoadStartedEvent",
    "ModelUpdatedEvent",
    "QueueClearedEvent",
    "QueueEvent",
    "QueueItemEvent",
    "QueueItemMovedEvent",
    "QueueItemStatusChangedEvent",
    "QueueItemsCanceledEvent",
    "QueueItemsDeletedEvent",
    "QueueItemsRetriedEvent",
    "WorkerStatusChangedEvent",
    "WorkflowCreatedEvent",
    "WorkflowDeletedEvent",
    "WorkflowEvent",
    "WorkflowUpdatedEvent",
    "event_names",
    "event_of",
]


def _now() -> int:
    return int(time.time())


@dataclass(frozen=True, kw_only=True)
class Event:
    """Base of all events."""

    #: Name on the wire.
    name: ClassVar[str] = ""
    #: Whether a client that reconnects is given it again.
    durable: ClassVar[bool] = True

    #: Seconds since 1970, UTC.
    timestamp: int = field(default_factory=_now)

    def to_document(self) -> dict[str, JsonValue]:
        """The event's fields as JSON values; without binary previews."""
        # shallow: every field holds JSON values already
        # mypy takes the hash of an event for that of its class
        return {name: getattr(self, name) for name in _written(type(self))}  # type: ignore[arg-type]


@dataclass(frozen=True, kw_only=True)
class QueueEvent(Event):
    """Something happened in a queue."""

    queue_id: str


@dataclass(frozen=True, kw_only=True)
class QueueItemEvent(QueueEvent):
    """Something happened to a queue item."""

    item_id: int
    batch_id: str
    session_id: str
    origin: str | None = None
    destination: str | None = None
    user_id: str = "system"


@dataclass(frozen=True, kw_only=True)
class InvocationEvent(QueueItemEvent):
    """Something happened to an execution of a node."""

    #: The node as a document: its execution id, type and inputs (collections of iterate and collect left out).
    invocation: Mapping[str, JsonValue]
    #: Id of the node in the graph as it was queued.
    invocation_source_id: str


@dataclass(frozen=True, kw_only=True)
class InvocationStartedEvent(InvocationEvent):
    """A node begins to run."""

    name: ClassVar[str] = "invocation_started"


@dataclass(frozen=True, kw_only=True)
class InvocationProgressEvent(InvocationEvent):
    """A node reports how far it is."""

    name: ClassVar[str] = "invocation_progress"
    durable: ClassVar[bool] = False

    message: str
    #: 0 to 1; None when the length of the work is not known.
    percentage: float | None = None
    #: ``{width, height, dataURL}``, for clients that do not take binary frames.
    image: Mapping[str, JsonValue] | None = None
    #: Device the node runs on.
    device: str | None = None
    #: The preview as encoded bytes (JPEG or WebP), for clients that take binary frames.
    preview: bytes | None = field(default=None, metadata={"binary": True})


@dataclass(frozen=True, kw_only=True)
class InvocationCompleteEvent(InvocationEvent):
    """A node has finished; its result is already on disk."""

    name: ClassVar[str] = "invocation_complete"

    #: The output as a document.
    result: Mapping[str, JsonValue]
    #: Whether the result came from the invocation cache.
    cached: bool = False
    #: How long it ran, in seconds; of nodes that ran as one call, how long that took. None: it was not measured, as of
    #: nodes that the scheduler works out itself.
    duration_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class InvocationErrorEvent(InvocationEvent):
    """A node failed, and with it the session."""

    name: ClassVar[str] = "invocation_error"

    error_type: str
    error_message: str
    error_traceback: str


@dataclass(frozen=True, kw_only=True)
class QueueItemStatusChangedEvent(QueueItemEvent):
    """A queue item went from one status to the next."""

    name: ClassVar[str] = "queue_item_status_changed"

    status: str
    #: Rises with each change of the item, so that a client can drop a stale event.
    status_sequence: int
    error_type: str | None = None
    error_message: str | None = None
    error_traceback: str | None = None
    created_at: str = ""
    updated_at: str = ""
    started_at: str | None = None
    completed_at: str | None = None
    #: The worker that runs it; None when none does.
    worker_id: str | None = None
    batch_status: Mapping[str, JsonValue] = field(default_factory=dict)
    queue_status: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class BatchEnqueuedEvent(QueueEvent):
    """A batch is on disk and its items wait."""

    name: ClassVar[str] = "batch_enqueued"

    batch_id: str
    enqueued: int
    requested: int
    priority: int
    origin: str | None = None
    user_id: str = "system"


@dataclass(frozen=True, kw_only=True)
class QueueItemsCanceledEvent(QueueEvent):
    """Items were cancelled."""

    name: ClassVar[str] = "queue_items_canceled"

    canceled_item_ids: list[int]
    user_ids: list[str] = field(default_factory=lambda: ["system"])
    canceled_item_ids_by_user: Mapping[str, list[int]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class QueueItemsRetriedEvent(QueueEvent):
    """Items that had ended are done again, as new items."""

    name: ClassVar[str] = "queue_items_retried"

    #: The items that are done again; the new ones are `item_ids`, in the same order.
    retried_item_ids: list[int]
    user_ids: list[str] = field(default_factory=lambda: ["system"])
    retried_item_ids_by_user: Mapping[str, list[int]] = field(default_factory=dict)
    item_ids: list[int] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class QueueItemsDeletedEvent(QueueEvent):
    """Items are gone. Those of them that had not ended were cancelled first, and told of as that."""

    name: ClassVar[str] = "queue_items_deleted"

    deleted_item_ids: list[int]


@dataclass(frozen=True, kw_only=True)
class QueueItemMovedEvent(QueueItemEvent):
    """A waiting item has another place in its queue, or another priority."""

    name: ClassVar[str] = "queue_item_moved"

    priority: int


@dataclass(frozen=True, kw_only=True)
class QueueClearedEvent(QueueEvent):
    """All items of a queue were removed."""

    name: ClassVar[str] = "queue_cleared"

    user_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class ModelLoadEvent(Event):
    """A worker loads weights."""

    #: The model record as a document.
    config: Mapping[str, JsonValue]
    submodel_type: str | None = None
    user_id: str = "system"


@dataclass(frozen=True, kw_only=True)
class ModelLoadStartedEvent(ModelLoadEvent):
    """Loading begins."""

    name: ClassVar[str] = "model_load_started"


@dataclass(frozen=True, kw_only=True)
class ModelLoadCompleteEvent(ModelLoadEvent):
    """The weights are in memory."""

    name: ClassVar[str] = "model_load_complete"

    #: How long it took, in seconds; None: it was not measured.
    duration_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class ModelInstallCompleteEvent(Event):
    """A model was registered and can be used."""

    name: ClassVar[str] = "model_install_complete"

    #: Number of the job that installed it; 0: none did, it was registered where it lies.
    id: int = 0
    #: Where it came from: ``{type: "local", path, inplace}``, or ``{type: "external", provider_id, provider_model_id}``
    #: for a model of an external service, which is there since that has a key.
    source: Mapping[str, JsonValue]
    key: str
    #: Size of its files; None when it is not known.
    total_bytes: int | None = None
    #: The model record as a document.
    config: Mapping[str, JsonValue]


@dataclass(frozen=True, kw_only=True)
class ModelUpdatedEvent(Event):
    """The record of a model was changed: by a person, or because its hash was worked out."""

    name: ClassVar[str] = "model_updated"

    key: str
    #: The model record as a document, as it is now.
    config: Mapping[str, JsonValue]


@dataclass(frozen=True, kw_only=True)
class ModelDeletedEvent(Event):
    """A model was deleted."""

    name: ClassVar[str] = "model_deleted"

    key: str
    #: The model record as a document, as it was.
    config: Mapping[str, JsonValue]


@dataclass(frozen=True, kw_only=True)
class ExternalProviderChangedEvent(Event):
    """The key or the address of an external image service was set or removed; its models and its panel came or went."""

    name: ClassVar[str] = "external_provider_changed"

    provider_id: str
    #: Whether it can be used now, as far as can be said without asking the service.
    configured: bool


@dataclass(frozen=True, kw_only=True)
class WorkerStatusChangedEvent(Event):
    """A worker started, is ready, was lost or stopped."""

    name: ClassVar[str] = "worker_status_changed"

    worker_id: str
    #: ``starting``, ``ready``, ``busy``, ``lost`` or ``stopped``.
    status: str
    device: Mapping[str, JsonValue] | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class WorkflowEvent(Event):
    """Something happened to a saved workflow."""

    workflow_id: str
    user_id: str = "system"


@dataclass(frozen=True, kw_only=True)
class WorkflowCreatedEvent(WorkflowEvent):
    """A workflow was saved."""

    name: ClassVar[str] = "workflow_created"

    is_public: bool = False


@dataclass(frozen=True, kw_only=True)
class WorkflowUpdatedEvent(WorkflowEvent):
    """A saved workflow was changed."""

    name: ClassVar[str] = "workflow_updated"

    old_is_public: bool = False
    new_is_public: bool = False


@dataclass(frozen=True, kw_only=True)
class WorkflowDeletedEvent(WorkflowEvent):
    """A saved workflow was deleted."""

    name: ClassVar[str] = "workflow_deleted"

    is_public: bool = False


def event_names() -> frozenset[str]:
    """The names of all events."""
    return frozenset(_kinds())


def event_of(name: str, document: Mapping[str, JsonValue]) -> Event:
    """The event that a document of `Event.to_document` was made from.

    Fields that the event does not have are left out: it may have been written by another version. Raises `ValueError`
    for a name that no event has, and `TypeError` for a document that lacks a field which has to be there.
    """
    kind = _kinds().get(name)
    if kind is None:
        raise ValueError(f"there is no event {name!r}; there are {', '.join(sorted(_kinds()))}")
    known = _written(kind)  # type: ignore[arg-type]
    return kind(**{key: value for key, value in document.items() if key in known})


@cache
def _written(kind: type[Event]) -> dict[str, None]:
    """The names of the fields that are written, in order."""
    return dict.fromkeys(f.name for f in fields(kind) if not f.metadata.get("binary"))


@cache
def _kinds() -> dict[str, type[Event]]:
    found: dict[str, type[Event]] = {}
    waiting = [Event]
    while waiting:
        kind = waiting.pop()
        waiting.extend(kind.__subclasses__())
        if kind.name:
            found[kind.name] = kind
    return found
