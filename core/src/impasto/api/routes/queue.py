"""The session queue: what goes in, and what can be seen of it: `/api/v1/queue/…`. Paths and payloads are InvokeAI's.

But for those that it lacks: the list of all queues, and more filters for the list of items.
"""

from typing import Annotated, Literal

from fastapi import Body, Query, Response

from impasto.api.idempotency import IdempotencyKey, tell_repeated
from impasto.api.parameters import LARGEST_ID, App, ItemId, ItemIdParameter, NameParameter, QueueIdParameter
from impasto.api.problems import problem_responses
from impasto.api.router import Router
from impasto.api.routes.queue_models import (
    MOST_ITEMS,
    EnqueueBatchRequest,
    EnqueueWorkflowRequest,
    ItemIds,
    QueueAndProcessorStatus,
)
from impasto.api.routes.queue_status import processor_status
from impasto.queue.records import (
    BatchStatus,
    DestinationCounts,
    EnqueueBatchResult,
    QueueItem,
    QueueItemStatus,
    QueueItemSummary,
    QueueOverview,
)

__all__ = ["router"]

router = Router("/api/v1/queue", "queue")

#: The items that a body names.
ItemIdsBody = Annotated[list[ItemId], Body(embed=True, max_length=MOST_ITEMS)]

# --- enqueueing ---


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


# --- items ---


@router.get("/{queue_id}/list_all")
def list_queue_items(
    app: App,
    queue_id: QueueIdParameter,
    status: Annotated[QueueItemStatus | None, Query(description="Only items in this status")] = None,
    batch_id: Annotated[str | None, Query(description="Only items of this batch")] = None,
    origin: Annotated[str | None, Query(description="Only items from this origin")] = None,
    destination: Annotated[str | None, Query(description="Only items with this destination")] = None,
    order_dir: Annotated[Literal["ASC", "DESC"], Query(description="Lowest or highest number first")] = "ASC",
    after: Annotated[
        int | None, Query(description="The page after this item, in that order", ge=0, le=LARGEST_ID)
    ] = None,
    limit: Annotated[int | None, Query(description="At most so many", ge=1, le=100_000)] = None,
) -> list[QueueItem]:
    """All items of the queue, by number. A long list is read in pages: ask again `after` the last number you got."""
    return app.queue.list(
        queue_id,
        status=status,
        batch_id=batch_id,
        origin=origin,
        destination=destination,
        newest_first=order_dir == "DESC",
        after=after,
        limit=limit,
    )


@router.post("/{queue_id}/items_by_ids")
def list_queue_items_by_ids(app: App, queue_id: QueueIdParameter, item_ids: ItemIdsBody) -> list[QueueItem]:
    """The items with these numbers, in the order asked for; those that do not exist are left out."""
    return app.queue.get_many(queue_id, item_ids)


@router.post("/{queue_id}/item_summaries_by_ids")
def list_queue_item_summaries_by_ids(
    app: App, queue_id: QueueIdParameter, item_ids: ItemIdsBody
) -> list[QueueItemSummary]:
    """The same without sessions and workflows, which are most of what an item is."""
    return app.queue.summaries(queue_id, item_ids)


@router.get("/{queue_id}/waiting")
def list_waiting_queue_items(
    app: App,
    queue_id: QueueIdParameter,
    limit: Annotated[int, Query(description="At most so many", ge=1, le=MOST_ITEMS)] = 100,
) -> list[QueueItemSummary]:
    """The items that wait, in the order in which they are due. A worker may prefer one whose models it holds."""
    return app.queue.waiting(queue_id, limit)


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


@router.get("/{queue_id}/current")
def get_current_queue_item(app: App, queue_id: QueueIdParameter) -> QueueItem | None:
    """The item that runs now; null when none does."""
    return app.queue.current(queue_id)


@router.get("/{queue_id}/next")
def get_next_queue_item(app: App, queue_id: QueueIdParameter) -> QueueItem | None:
    """The first item that waits, which this does not start; null when none does.

    A worker may take a later one before it whose models it holds, within `affinity_window` places.
    """
    return app.queue.next(queue_id)


# --- counts ---


@router.get("/")
def list_queues(app: App) -> list[QueueOverview]:
    """All queues that were ever used, by name: how full each is, and whether it is paused."""
    return app.queue.queues()


@router.get("/{queue_id}/status")
def get_queue_status(app: App, queue_id: QueueIdParameter) -> QueueAndProcessorStatus:
    """How many items are in each status, and whether the queue is worked on."""
    return QueueAndProcessorStatus(queue=app.queue.status(queue_id), processor=processor_status(app, queue_id))


@router.get("/{queue_id}/b/{batch_id}/status", responses=problem_responses(404))
def get_batch_status(app: App, queue_id: QueueIdParameter, batch_id: NameParameter) -> BatchStatus:
    """How many items of a batch are in each status."""
    return app.queue.batch_status(queue_id, batch_id)


@router.get("/{queue_id}/counts_by_destination")
def get_counts_by_destination(
    app: App,
    queue_id: QueueIdParameter,
    destination: Annotated[
        str, Query(description="As it was given when they were enqueued", min_length=1, max_length=1024)
    ],
) -> DestinationCounts:
    """How many items for a destination are in each status."""
    return app.queue.counts_by_destination(queue_id, destination)
