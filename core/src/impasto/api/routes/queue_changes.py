"""What clients do to items that are in the queue: `/api/v1/queue/{queue_id}/…`.

Paths and payloads are InvokeAI's, but for those that it lacks: places, priorities, and cancelling all or by origin.
"""

from typing import Annotated

from fastapi import Body, Query, Response

from impasto.api.idempotency import IdempotencyKey, tell_repeated
from impasto.api.parameters import App, ItemId, ItemIdParameter, NameParameter, QueueIdParameter
from impasto.api.problems import problem_responses
from impasto.api.router import Router
from impasto.api.routes.queue_models import (
    MOST_ITEMS,
    CanceledCount,
    DeletedCount,
    MoveRequest,
    PriorityRequest,
    ProcessorStatus,
)
from impasto.api.routes.queue_status import processor_status
from impasto.queue.records import QueueItem, RetryItemsResult

__all__ = ["router"]

router = Router("/api/v1/queue", "queue")

#: What a client gave its items when it enqueued them.
Name = Annotated[str, Query(description="As it was given when they were enqueued", min_length=1, max_length=1024)]

# --- running ---


@router.put("/{queue_id}/processor/pause")
def pause_processor(app: App, queue_id: QueueIdParameter) -> ProcessorStatus:
    """Start no more items of this queue, not even after a restart. What runs goes on, and so do other queues."""
    app.queue.pause(queue_id)
    return processor_status(app, queue_id)


@router.put("/{queue_id}/processor/resume")
def resume_processor(app: App, queue_id: QueueIdParameter) -> ProcessorStatus:
    """Start items of this queue again."""
    app.queue.resume(queue_id)
    return processor_status(app, queue_id)


@router.put("/{queue_id}/retry_items_by_id", responses=problem_responses(404, 409, 429))
def retry_items_by_id(
    app: App,
    response: Response,
    queue_id: QueueIdParameter,
    item_ids: Annotated[list[ItemId], Body(min_length=1, max_length=MOST_ITEMS, examples=[[1, 2]])],
    idempotency_key: IdempotencyKey = None,
) -> RetryItemsResult:
    """Do items again that failed or were cancelled, each as a new item of its batch; all of them, or none."""
    result = app.queue.retry(queue_id, item_ids, idempotency_key=idempotency_key)
    tell_repeated(response, repeated=result.repeated)
    return result


# --- order ---


@router.put("/{queue_id}/i/{item_id}/move", responses=problem_responses(404, 409))
def move_queue_item(app: App, queue_id: QueueIdParameter, item_id: ItemIdParameter, request: MoveRequest) -> QueueItem:
    """Put an item that waits somewhere else in its queue."""
    return app.queue.move(queue_id, item_id, request.place())


@router.put("/{queue_id}/i/{item_id}/priority", responses=problem_responses(404, 409))
def set_queue_item_priority(
    app: App, queue_id: QueueIdParameter, item_id: ItemIdParameter, request: PriorityRequest
) -> QueueItem:
    """Give an item that waits another priority. Among those that have it, it stands by its age."""
    return app.queue.set_priority(queue_id, item_id, request.priority)


# --- cancelling ---


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
    app: App, queue_id: QueueIdParameter, batch_ids: Annotated[list[str], Body(embed=True, max_length=MOST_ITEMS)]
) -> CanceledCount:
    """Cancel every item of these batches that has not ended."""
    return CanceledCount(canceled=app.queue.cancel_by_batch_ids(queue_id, batch_ids))


@router.put("/{queue_id}/cancel_by_destination")
def cancel_by_destination(app: App, queue_id: QueueIdParameter, destination: Name) -> CanceledCount:
    """Cancel every item for a destination that has not ended."""
    return CanceledCount(canceled=app.queue.cancel_by_destination(queue_id, destination))


@router.put("/{queue_id}/cancel_by_origin")
def cancel_by_origin(app: App, queue_id: QueueIdParameter, origin: Name) -> CanceledCount:
    """Cancel every item from an origin that has not ended."""
    return CanceledCount(canceled=app.queue.cancel_by_origin(queue_id, origin))


@router.put("/{queue_id}/cancel_all")
def cancel_all(app: App, queue_id: QueueIdParameter) -> CanceledCount:
    """Cancel every item that has not ended. They stay in the list."""
    return CanceledCount(canceled=app.queue.cancel_all(queue_id))


@router.put("/{queue_id}/cancel_all_except_current")
def cancel_all_except_current(app: App, queue_id: QueueIdParameter) -> CanceledCount:
    """Cancel every item that has not begun."""
    return CanceledCount(canceled=app.queue.cancel_all_except_current(queue_id))


# --- deleting ---


@router.delete("/{queue_id}/i/{item_id}", responses=problem_responses(404))
def delete_queue_item(app: App, queue_id: QueueIdParameter, item_id: ItemIdParameter) -> None:
    """Delete an item. One that has not ended is cancelled first. Its images stay."""
    app.queue.delete(queue_id, item_id)


@router.delete("/{queue_id}/d/{destination:path}")
def delete_by_destination(app: App, queue_id: QueueIdParameter, destination: NameParameter) -> DeletedCount:
    """Delete every item for a destination. Those that have not ended are cancelled first."""
    return DeletedCount(deleted=app.queue.delete_by_destination(queue_id, destination))


@router.put("/{queue_id}/delete_all_except_current")
def delete_all_except_current(app: App, queue_id: QueueIdParameter) -> DeletedCount:
    """Delete every item that does not run."""
    return DeletedCount(deleted=app.queue.delete_all_except_current(queue_id))


@router.put("/{queue_id}/clear")
def clear_queue(app: App, queue_id: QueueIdParameter) -> DeletedCount:
    """Cancel what runs and delete every item of the queue."""
    return DeletedCount(deleted=app.queue.clear(queue_id))


@router.put("/{queue_id}/prune")
def prune_queue(app: App, queue_id: QueueIdParameter) -> DeletedCount:
    """Delete the items that have ended."""
    return DeletedCount(deleted=app.queue.prune(queue_id))
