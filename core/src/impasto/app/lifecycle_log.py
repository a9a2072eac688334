"""`LifecycleLog`: writes the story of every batch, item and worker into the log: queued, started where, ended how.

A listener of the bus, which tells each event once and after the commit, so the log says nothing that is not so. It
names nodes and kinds of errors; messages of errors may quote what a person wrote, and stay with the item.
"""

import logging
from datetime import datetime

from impasto.engine.log_fields import item_fields
from impasto_sdk.events import (
    BatchEnqueuedEvent,
    Event,
    InvocationCompleteEvent,
    InvocationErrorEvent,
    ModelLoadCompleteEvent,
    QueueClearedEvent,
    QueueEvent,
    QueueItemsCanceledEvent,
    QueueItemsRetriedEvent,
    QueueItemStatusChangedEvent,
    WorkerStatusChangedEvent,
)
from impasto_sdk.fields import JsonValue

__all__ = ["LifecycleLog"]

logger = logging.getLogger(__name__)

#: Most failures of nodes whose items have yet to fail.
MOST_FAILED = 1000


class LifecycleLog:
    """Hears every event. One thread at a time."""

    def __init__(self) -> None:
        #: By item that is about to fail, the node that did, as extra fields. An item may go before it comes to that.
        self._failed: dict[int, dict[str, str | None]] = {}
        #: By worker, its last status, and the item that it began with last.
        self._workers: dict[str, str] = {}
        self._begun: dict[str, int] = {}

    def hear(self, event: Event) -> None:
        """Write what the event comes to; progress and the like come to nothing."""
        match event:
            case InvocationErrorEvent():
                if len(self._failed) >= MOST_FAILED:
                    self._failed.clear()
                self._failed[event.item_id] = _node_fields(event.invocation)
            case InvocationCompleteEvent():
                if logger.isEnabledFor(logging.DEBUG):
                    _log_invocation(event)
            case QueueItemStatusChangedEvent():
                self._log_item(event)
            case WorkerStatusChangedEvent():
                self._log_worker(event)
            case QueueEvent():
                _log_queue(event)
            case ModelLoadCompleteEvent():
                part = f" ({event.submodel_type})" if event.submodel_type else ""
                logger.info("model %r%s was loaded%s", event.config.get("name"), part, _words(event.duration_s))

    def _log_item(self, event: QueueItemStatusChangedEvent) -> None:
        failed = self._failed.pop(event.item_id, {}) if event.completed_at else {}
        if event.worker_id is not None:
            self._begun[event.worker_id] = event.item_id
        ran_on = next((worker for worker, item_id in self._begun.items() if item_id == event.item_id), None)
        fields = item_fields(event, worker_id=ran_on, **failed)
        took = _words(_seconds_between(event.started_at, event.completed_at))
        match event.status:
            case "in_progress":
                waited = _words(_seconds_between(event.created_at, event.started_at), "after")
                logger.info("item %d started on %s%s", event.item_id, event.worker_id, waited, extra=fields)
            case "failed":
                where = f" in node {failed['node_id']!r} ({failed['node_type']})" if failed.get("node_type") else ""
                logger.warning("item %d failed%s: %s%s", event.item_id, took, event.error_type, where, extra=fields)
            case "pending":
                logger.warning("item %d waits again: its run did not end", event.item_id, extra=fields)
            case _:
                logger.info("item %d %s%s", event.item_id, event.status, took, extra=fields)

    def _log_worker(self, event: WorkerStatusChangedEvent) -> None:
        before, self._workers[event.worker_id] = self._workers.get(event.worker_id), event.status
        # it goes from ready to busy and back with every item, which says so itself; of a loss its supervisor has told
        quiet = event.status in ("busy", "lost") or (event.status, before) == ("ready", "busy")
        level = logging.DEBUG if quiet else logging.INFO
        logger.log(level, "worker %s is %s", event.worker_id, event.status, extra={"worker_id": event.worker_id})


def _log_queue(event: QueueEvent) -> None:
    """Write what was done to many items at once."""
    queue, fields = event.queue_id, {"queue_id": event.queue_id}
    match event:
        case BatchEnqueuedEvent():
            fields["batch_id"] = event.batch_id
            logger.info("batch %r waits in queue %r, items: %d", event.batch_id, queue, event.enqueued, extra=fields)
        case QueueItemsCanceledEvent():
            logger.info("waiting items of queue %r canceled: %d", queue, len(event.canceled_item_ids), extra=fields)
        case QueueItemsRetriedEvent():
            logger.info("items of queue %r done again: %d", queue, len(event.item_ids), extra=fields)
        case QueueClearedEvent():
            logger.info("queue %r was cleared", queue, extra=fields)


def _log_invocation(event: InvocationCompleteEvent) -> None:
    fields = _node_fields(event.invocation)
    how = "was found in the cache" if event.cached else f"completed{_words(event.duration_s)}"
    logger.debug("node %s (%s) %s", fields["node_id"], fields["node_type"], how, extra=item_fields(event, **fields))


def _node_fields(invocation: object) -> dict[str, str | None]:
    """Which node it was; its type is None for a graph that cannot run as a whole."""
    document: dict[str, JsonValue] = dict(invocation) if isinstance(invocation, dict) else {}
    return {"node_id": document.get("id") or None, "node_type": document.get("type")}


def _seconds_between(begin: str | None, end: str | None) -> float | None:
    if not begin or not end:
        return None
    return (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()


def _words(seconds: float | None, preposition: str = "in") -> str:
    return "" if seconds is None else f" {preposition} {seconds:.3f} s"
