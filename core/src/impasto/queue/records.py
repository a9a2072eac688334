"""What goes into the queue and comes out of it, as clients see it: InvokeAI's names, every null present.

Frozen records without behaviour. Documents (graphs, workflows, outputs) are JSON values and are shared, not copied:
whoever is given one reads it and changes a copy.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from impasto_sdk.fields import JsonValue
from impasto_sdk.ids import new_id

__all__ = [
    "WHOLE_NUMBER",
    "Batch",
    "BatchDatum",
    "BatchStatus",
    "ClaimedItem",
    "DestinationCounts",
    "EnqueueBatchResult",
    "MetadataBinding",
    "NodeFieldValue",
    "QueueItem",
    "QueueItemStatus",
    "QueueItemSummary",
    "QueueOverview",
    "QueueStatus",
    "RetryItemsResult",
]

QueueItemStatus = Literal["pending", "in_progress", "waiting", "completed", "failed", "canceled"]


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


#: After a strict `int` and its bounds: an integer as JSON knows it. 3.0 is one, while true and ``"3"`` are none.
WHOLE_NUMBER = BeforeValidator(_whole)


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class BatchDatum(_Record, strict=True):
    """Values for one input of one node, one value for each session."""

    node_path: str = Field(description="Id of the node")
    field_name: str = Field(description="Name of its input")
    items: list[JsonValue] = Field(description="Values, all of one kind; whole numbers and fractions may mix")


class MetadataBinding(_Record, strict=True):
    """A place in a batch's metadata that holds the value which an input has in the session at hand."""

    pointer: str = Field(description="JSON Pointer (RFC 6901) into the metadata, e.g. '/values/seed'")
    node_path: str = Field(description="Id of the node")
    field_name: str = Field(description="Name of its input")


class Batch(_Record, strict=True):
    """Many sessions of one graph."""

    batch_id: str = Field(default_factory=new_id, min_length=1, description="Chosen by the client, or random")
    origin: str | None = Field(default=None, description="Where it comes from, e.g. 'workflows'")
    destination: str | None = Field(default=None, description="Where its results are wanted, e.g. 'gallery'")
    data: list[list[BatchDatum]] | None = Field(
        default=None, description="Values to put in: inner lists go together and have one length, outer lists multiply"
    )
    graph: dict[str, JsonValue] = Field(description="The graph; in an answer, as much of it as `targets` need")
    targets: list[str] | None = Field(
        default=None,
        description="Ids of nodes. Only what these need is checked and run; null: everything. Values in `data` for "
        "other nodes are not used, and make as many sessions as ever",
        json_schema_extra={"minItems": 1},
    )
    workflow: JsonValue = Field(
        default=None, description="The workflow that the graph was made from, kept with its images"
    )
    runs: Annotated[int, Field(strict=True, ge=1), WHOLE_NUMBER] = Field(
        default=1, description="How often each combination of values runs"
    )
    metadata: dict[str, JsonValue] | None = Field(default=None, description="Facts kept with every image that it makes")
    metadata_bindings: list[MetadataBinding] = Field(
        default_factory=list, description="Places in the metadata that differ from session to session"
    )
    session_ids: list[str] | None = Field(
        default=None, description="Ids for its sessions, chosen by the client: as many as there are sessions"
    )


class EnqueueBatchResult(_Record):
    """What an enqueueing did."""

    queue_id: str
    enqueued: int = Field(description="Sessions that are on disk")
    requested: int = Field(description="Sessions that were asked for; always as many")
    batch: Batch
    priority: int
    item_ids: list[int]
    #: By an earlier call with the same idempotency key; the API says so in a header.
    repeated: bool = Field(default=False, exclude=True)


class RetryItemsResult(_Record):
    """What a retry did."""

    queue_id: str
    retried_item_ids: list[int] = Field(description="The items that are done again, in the order asked for")
    item_ids: list[int] = Field(description="The new items that do them again, in the same order")
    #: By an earlier call with the same idempotency key; the API says so in a header.
    repeated: bool = Field(default=False, exclude=True)


class NodeFieldValue(_Record):
    """A value that a session puts into its graph."""

    node_path: str
    field_name: str
    value: JsonValue


class QueueItemSummary(_Record):
    """One session in the queue, without its graph and what came of it."""

    item_id: int
    status: QueueItemStatus
    status_sequence: int = Field(description="Rises with each change of the status")
    priority: int
    batch_id: str
    origin: str | None
    destination: str | None
    session_id: str
    error_type: str | None
    error_message: str | None
    error_traceback: str | None
    created_at: str
    updated_at: str
    started_at: str | None
    completed_at: str | None
    queue_id: str
    user_id: str
    user_display_name: str | None = None
    user_email: str | None = None
    field_values: list[NodeFieldValue] | None
    retried_from_item_id: int | None = Field(description="The item that this one does again")
    workflow_call_id: str | None = None
    parent_item_id: int | None = None
    parent_session_id: str | None = None
    root_item_id: int | None = None
    workflow_call_depth: int | None = None
    attempts: int = Field(description="How often a worker has taken it")
    worker_id: str | None = Field(description="The worker that runs it")


class QueueItem(QueueItemSummary):
    """One session in the queue."""

    session: dict[str, JsonValue] = Field(
        description="The session as far as it got: its graph, what ran of it, results and errors"
    )
    workflow: JsonValue


class _Counts(_Record):
    pending: int
    in_progress: int
    waiting: int
    completed: int
    failed: int
    canceled: int
    total: int


class BatchStatus(_Counts):
    """How many sessions of a batch are in each status."""

    queue_id: str
    batch_id: str
    origin: str | None
    destination: str | None


class DestinationCounts(_Counts):
    """How many sessions for a destination are in each status."""

    queue_id: str
    destination: str


class QueueOverview(_Counts):
    """How many items of a queue are in each status, and whether it rests."""

    queue_id: str
    is_paused: bool = Field(description="Whether its items are kept from being started")


class QueueStatus(_Counts):
    """How many items of a queue are in each status, and which one runs."""

    queue_id: str
    item_id: int | None
    batch_id: str | None
    session_id: str | None
    user_pending: int | None = None
    user_in_progress: int | None = None


class ClaimedItem(_Record):
    """An item that a worker has taken, with all that it needs to run it."""

    item_id: int
    queue_id: str
    batch_id: str
    session_id: str
    user_id: str
    origin: str | None
    destination: str | None
    graph: dict[str, JsonValue] = Field(description="The graph with this session's values put in")
    workflow: JsonValue
    metadata: dict[str, JsonValue] | None = Field(description="The batch's metadata with its bindings resolved")
    attempt: int = Field(description="1 for the first claim of the item, 2 for the next …")
