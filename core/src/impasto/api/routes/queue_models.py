"""Bodies of the queue's routes that are not records of the queue itself: requests, and counts of what was done."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from impasto.api.parameters import ItemId, RequestBody
from impasto.queue.records import WHOLE_NUMBER, Batch, QueueStatus
from impasto.storage.queue.rows import Place

__all__ = [
    "MOST_ITEMS",
    "CanceledCount",
    "DeletedCount",
    "EnqueueBatchRequest",
    "EnqueueWorkflowRequest",
    "ItemIds",
    "MoveRequest",
    "PriorityRequest",
    "ProcessorStatus",
    "QueueAndProcessorStatus",
]

#: Most items that one request may name.
MOST_ITEMS = 10_000
#: Priorities lie between this and its negative; far more than anyone needs, and what every database holds.
HIGHEST_PRIORITY = 1_000_000


class EnqueueBatchRequest(RequestBody):
    """A batch for the queue."""

    batch: Batch = Field(description="The graph, what is substituted into it, and how often it is run")
    prepend: bool = Field(default=False, description="Whether it goes before everything that waits")


class EnqueueWorkflowRequest(RequestBody):
    """A saved workflow for the queue."""

    workflow_id: str = Field(description="Id of the workflow in the library", min_length=1, max_length=1024)
    inputs: dict[str, Any] = Field(
        default_factory=dict, description="Values for inputs that the workflow exposes, by `node_id::field`"
    )
    runs: Annotated[int, Field(strict=True, ge=1, le=10_000), WHOLE_NUMBER] = Field(
        default=1, description="How many items to make of it"
    )
    prepend: bool = Field(default=False, description="Whether it goes before everything that waits")
    origin: str | None = Field(default=None, description="Kept with the items, for the client")
    destination: str | None = Field(default=None, description="Kept with the items, for the client")


_PLACES = {"before": "integer", "after": "integer", "to": "string"}
#: In JSON Schema, of three keys exactly one that is not null.
_ONE_PLACE: Any = {
    "oneOf": [
        {"required": [given], "properties": {name: {"type": kind if name == given else "null"} for name in _PLACES}}
        for given, kind in _PLACES.items()
    ]
}


class MoveRequest(RequestBody):
    """Where an item is to wait: exactly one of the three."""

    model_config = ConfigDict(json_schema_extra=_ONE_PLACE)

    before: ItemId | None = Field(default=None, description="Right before this item, and in its priority")
    after: ItemId | None = Field(default=None, description="Right after this item, and in its priority")
    to: Literal["front", "back"] | None = Field(default=None, description="Before or after all that wait in the queue")

    @model_validator(mode="after")
    def _one_place(self) -> "MoveRequest":
        if sum(place is not None for place in (self.before, self.after, self.to)) != 1:
            raise ValueError("give exactly one of `before`, `after` and `to`")
        return self

    def place(self) -> Place:
        """The same for the queue."""
        if self.to is not None:
            return Place(where=self.to)
        if self.before is not None:
            return Place(where="before", item_id=self.before)
        return Place(where="after", item_id=self.after)


class PriorityRequest(RequestBody):
    """A priority for an item."""

    priority: Annotated[int, Field(strict=True, ge=-HIGHEST_PRIORITY, le=HIGHEST_PRIORITY), WHOLE_NUMBER] = Field(
        description="The higher go first; 0 is usual", examples=[0]
    )


class ItemIds(BaseModel):
    """The ids of queue items, in order."""

    item_ids: list[int]
    total_count: int


class ProcessorStatus(BaseModel):
    """Whether anything runs items."""

    is_started: bool = Field(description="Whether workers take items from the queue: there are some, and it may")
    is_processing: bool = Field(description="Whether an item runs now")


class QueueAndProcessorStatus(BaseModel):
    """How full the queue is, and whether it is worked on."""

    queue: QueueStatus
    processor: ProcessorStatus


class CanceledCount(BaseModel):
    """How many items were cancelled."""

    canceled: int


class DeletedCount(BaseModel):
    """How many items were deleted."""

    deleted: int
