"""The session queue: `/api/v1/queue/{queue_id}/…`. Paths and payloads are InvokeAI's."""

from typing import Annotated, Any, Literal

from fastapi import Body, Query, Response
from pydantic import BaseModel, Field

from impasto.api.idempotency import IdempotencyKey, tell_repeated
from impasto.api.parameters import App, ItemId, ItemIdParameter, NameParameter, QueueIdParameter
from impasto.api.problems import problem_responses
from impasto.api.router import Router
from impasto.queue.records import Batch, BatchStatus, EnqueueBatchResult, QueueItem, QueueStatus

__all__ = ["router"]

router = Router("/api/v1/queue", "queue")

#: Most items that one request may name.
MOST_ITEMS = 10_000


class EnqueueBatchRequest(BaseModel):
    """A batch for the queue."""

    batch: Batch = Field(description="The graph, what is substituted into it, and how often it is run")
    prepend: bool = Field(default=False, description="Whether it goes before everything that waits")


class EnqueueWorkflowRequest(BaseModel):
    """A saved workflow for the queue."""

    workflow_id: str = Field(description="Id of the workflow in the library", min_length=1, max_length=1024)
    inputs: dict[str, Any] = Field(
        default_factory=dict, description="Values for inputs that the workflow exposes, by `node_id::field`"
    )
    runs: int = Field(default=1, ge=1, le=10_000, description="How many items to make of it")
    prepend: bool = Field(default=False, description="Whether it goes before everything that waits")
    origin: str | None = Field(default=None, description="Kept with the items, for the client")
    destination: str | None = Field(default=None, description="Kept with the items, for the client")


class ItemIds(BaseModel):
    """The ids of queue items, in order."""

    item_ids: list[int]
    total_count: int


class ProcessorStatus(BaseModel):
    """Whether anything runs items."""

    is_started: bool = Field(description="Whether workers take items from the queue")
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


@router.post("/{queue_id}/enqueue_batch", status_code=201, responses=problem_responses(409, 429))
def enqueue_batch(
    app: App,
    response: Response,
    queue_id: QueueIdParameter,
    request: EnqueueBatchRequest,
    idempotency_key: IdempotencyKey = None,
) -> EnqueueBatchResult:
    """Check a batch and put its items into the queue. They are on disk when this answers."""
    result = app.submissions.enqueue(queue_id, request.batch, prepend=request.prepend, idempotency_key=idempotency_key)
    tell_repeated(response, repeated=result.repeated)
    return result


@router.post("/{queue_id}/enqueue_workflow", status_code=201, responses=problem_responses(404, 409, 429))
def enqueue_workflow(
    app: App,
    response: Response,
    queue_id: QueueIdParameter,
    request: EnqueueWorkflowRequest,
    idempotency_key: IdempotencyKey = None,
) -> EnqueueBatchResult:
    """Run a saved workflow as it is now. The images it makes carry the workflow with the values that were put in."""
    result = app.workflow_runs.enqueue(
        queue_id,
        request.workflow_id,
        request.inputs,
        runs=request.runs,
        prepend=request.prepend,
        origin=request.origin,
        destination=request.destination,
        idempotency_key=idempotency_key,
    )
    tell_repeated(response, repeated=result.repeated)
    return result


@router.get("/{queue_id}/list_all")
def list_queue_items(
    app: App,
    queue_id: QueueIdParameter,
    destination: Annotated[str | None, Query(description="Only items with this destination")] = None,
    limit: Annotated[int | None, Query(description="At most so many", ge=1, le=100_000)] = None,
) -> list[QueueItem]:
    """All items of the queue, by number."""
    return app.queue.list(queue_id, destination=destination, limit=limit)


@router.post("/{queue_id}/items_by_ids")
def list_queue_items_by_ids(
    app: App, queue_id: QueueIdParameter, item_ids: Annotated[list[ItemId], Body(embed=True, max_length=MOST_ITEMS)]
) -> list[QueueItem]:
    """The items with these numbers, in the order asked for; those that do not exist are left out."""
    return app.queue.get_many(queue_id, item_ids)


@router.get("/{queue_id}/item_ids")
def list_queue_item_ids(
    app: App,
    queue_id: QueueIdParameter,
    order_dir: Annotated[Literal["ASC", "DESC"], Query(description="Oldest or newest first")] = "DESC",
) -> ItemIds:
    """The ids of all items of the queue, by age."""
    ids = app.queue.item_ids(queue_id, newest_first=order_dir == "DESC")
    return ItemIds(item_ids=ids, total_count=len(ids))


@router.get("/{queue_id}/i/{item_id}", responses=problem_responses(404))
def get_queue_item(app: App, queue_id: QueueIdParameter, item_id: ItemIdParameter) -> QueueItem:
    """One item, with its session as far as it has run."""
    return app.queue.get(queue_id, item_id)


@router.put("/{queue_id}/i/{item_id}/cancel", responses=problem_responses(404))
@router.delete(
    "/{queue_id}/i/{item_id}/cancel",
    name="cancel_queue_item_by_delete",
    deprecated=True,  # there are clients that send it
    responses=problem_responses(404),
)
def cancel_queue_item(app: App, queue_id: QueueIdParameter, item_id: ItemIdParameter) -> QueueItem:
    """Cancel an item, running or not. One that has ended stays as it is."""
    return app.queue.cancel(queue_id, item_id)


@router.put("/{queue_id}/cancel_by_batch_ids")
def cancel_by_batch_ids(
    app: App, queue_id: QueueIdParameter, batch_ids: Annotated[list[str], Body(embed=True)]
) -> CanceledCount:
    """Cancel every item of these batches that has not ended."""
    return CanceledCount(canceled=app.queue.cancel_by_batch_ids(queue_id, batch_ids))


@router.get("/{queue_id}/status")
def get_queue_status(app: App, queue_id: QueueIdParameter) -> QueueAndProcessorStatus:
    """How many items are in each status, and whether the queue is worked on."""
    queue = app.queue.status(queue_id)
    is_started = any(worker.status != "stopped" for worker in app.engine.workers())
    processor = ProcessorStatus(is_started=is_started, is_processing=queue.in_progress > 0)
    return QueueAndProcessorStatus(queue=queue, processor=processor)


@router.get("/{queue_id}/b/{batch_id}/status", responses=problem_responses(404))
def get_batch_status(app: App, queue_id: QueueIdParameter, batch_id: NameParameter) -> BatchStatus:
    """How many items of a batch are in each status."""
    return app.queue.batch_status(queue_id, batch_id)


@router.get("/{queue_id}/current")
def get_current_queue_item(app: App, queue_id: QueueIdParameter) -> QueueItem | None:
    """The item that runs now; null when none does."""
    return app.queue.current(queue_id)


@router.get("/{queue_id}/next")
def get_next_queue_item(app: App, queue_id: QueueIdParameter) -> QueueItem | None:
    """The item that will run next, which this does not start; null when none waits."""
    return app.queue.next(queue_id)


@router.put("/{queue_id}/clear")
def clear_queue(app: App, queue_id: QueueIdParameter) -> DeletedCount:
    """Cancel what runs and delete every item of the queue."""
    return DeletedCount(deleted=app.queue.clear(queue_id))


@router.put("/{queue_id}/prune")
def prune_queue(app: App, queue_id: QueueIdParameter) -> DeletedCount:
    """Delete the items that have ended."""
    return DeletedCount(deleted=app.queue.prune(queue_id))
