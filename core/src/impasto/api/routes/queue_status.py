"""Whether a queue is worked on: what the routes that look at it and those that pause it answer alike."""

from impasto.api.routes.queue_models import ProcessorStatus
from impasto.app import Impasto

__all__ = ["processor_status"]


def processor_status(app: Impasto, queue_id: str) -> ProcessorStatus:
    """Whether workers take items from a queue, and whether one of its items runs."""
    is_started = any(worker.status != "stopped" for worker in app.engine.workers()) and not app.queue.is_paused(
        queue_id
    )
    return ProcessorStatus(is_started=is_started, is_processing=app.queue.status(queue_id).in_progress > 0)
