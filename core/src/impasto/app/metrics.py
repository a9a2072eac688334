"""`Metrics`: counts what happens. A listener of the bus, which tells it each event once; it reads and asks nothing.

Counts begin at zero with the server, as Prometheus expects. How they are written is the metrics page's business, and
what can be read at any time (how long a queue is, what a cache holds) is not counted but read there.
"""

import threading
from collections import Counter, defaultdict
from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import datetime

from impasto.app.histogram import Histogram, HistogramReading
from impasto_sdk.events import (
    BatchEnqueuedEvent,
    Event,
    InvocationCompleteEvent,
    InvocationErrorEvent,
    ModelLoadCompleteEvent,
    QueueItemsCanceledEvent,
    QueueItemsRetriedEvent,
    QueueItemStatusChangedEvent,
    WorkerStatusChangedEvent,
)
from impasto_sdk.fields import JsonValue

__all__ = ["OTHER", "Labels", "Metrics", "Tally"]

#: Values of a metric's labels, in their order.
Labels = tuple[str, ...]

#: Stands for every queue and node type that has no figures of its own.
OTHER = "(other)"
#: Most queues that have figures of their own. Clients choose the names of queues, and each costs Prometheus dozens of
#: series for ever.
MOST_QUEUES = 50
_ENDED = frozenset({"completed", "failed", "canceled"})


@dataclass(frozen=True, slots=True)
class Tally:
    """All counts at one moment, by name of the metric and values of its labels."""

    counters: Mapping[str, Mapping[Labels, float]]
    histograms: Mapping[str, Mapping[Labels, HistogramReading]]


class Metrics:
    """Counts events. `node_types` are those in force: a node of any other is counted as `OTHER`."""

    def __init__(self, node_types: Container[str], *, most_queues: int = MOST_QUEUES) -> None:
        self._node_types = node_types
        self._most_queues = most_queues
        self._lock = threading.Lock()
        self._queues = {"default"}
        self._counters: defaultdict[str, Counter[Labels]] = defaultdict(Counter)
        self._histograms: defaultdict[str, defaultdict[Labels, Histogram]] = defaultdict(lambda: defaultdict(Histogram))

    def hear(self, event: Event) -> None:
        """Count an event."""
        with self._lock:
            self._counters["impasto_events_total"][event.name,] += 1
            match event:
                case InvocationCompleteEvent():
                    self._count_invocation(event)
                case InvocationErrorEvent() if "type" in event.invocation:  # else the graph failed as a whole
                    node_type = self._node_type(event.invocation)
                    self._counters["impasto_invocations_total"][node_type, "failed"] += 1
                case QueueItemStatusChangedEvent():
                    self._count_item(event)
                case BatchEnqueuedEvent():
                    self._count_status(event.queue_id, "pending", event.enqueued)
                case QueueItemsRetriedEvent():
                    self._count_status(event.queue_id, "pending", len(event.item_ids))
                case QueueItemsCanceledEvent():
                    self._count_status(event.queue_id, "canceled", len(event.canceled_item_ids))
                case ModelLoadCompleteEvent() if event.duration_s is not None:
                    labels = (str(event.config.get("base")), str(event.config.get("type")))
                    self._histograms["impasto_model_load_seconds"][labels].observe(event.duration_s)
                case WorkerStatusChangedEvent(status="lost"):
                    self._counters["impasto_worker_losses_total"][event.worker_id,] += 1

    def tally(self) -> Tally:
        """All counts as they are now."""
        with self._lock:
            return Tally(
                {name: dict(counts) for name, counts in self._counters.items()},
                {
                    name: {labels: histogram.reading() for labels, histogram in histograms.items()}
                    for name, histograms in self._histograms.items()
                },
            )

    def queue_label(self, queue_id: str) -> str:
        """What stands for a queue: its name, for the first that are met, `OTHER` for all that come after them."""
        with self._lock:
            return self._queue(queue_id)

    def _count_invocation(self, event: InvocationCompleteEvent) -> None:
        node_type = self._node_type(event.invocation)
        self._counters["impasto_invocations_total"][node_type, "cached" if event.cached else "completed"] += 1
        if event.duration_s is not None:
            labels = (node_type, "true" if event.cached else "false")
            self._histograms["impasto_invocation_seconds"][labels].observe(event.duration_s)

    def _count_item(self, event: QueueItemStatusChangedEvent) -> None:
        self._count_status(event.queue_id, event.status, 1)
        queue = self._queue(event.queue_id)
        if event.status == "in_progress" and event.status_sequence == 1:
            # a later attempt has not only waited, but run in between
            waited_s = _seconds(event.created_at, event.started_at)
            self._histograms["impasto_queue_item_wait_seconds"][queue,].observe(waited_s)
        elif event.status in _ENDED and event.started_at is not None:
            ran_s = _seconds(event.started_at, event.completed_at)
            self._histograms["impasto_queue_item_run_seconds"][queue, event.status].observe(ran_s)

    def _count_status(self, queue_id: str, status: str, items: int) -> None:
        self._counters["impasto_queue_items_total"][self._queue(queue_id), status] += items

    def _node_type(self, invocation: Mapping[str, JsonValue]) -> str:
        node_type = invocation.get("type")
        return node_type if isinstance(node_type, str) and node_type in self._node_types else OTHER

    def _queue(self, queue_id: str) -> str:
        if queue_id not in self._queues:
            if len(self._queues) >= self._most_queues:
                return OTHER
            self._queues.add(queue_id)
        return queue_id


def _seconds(begin: str | None, end: str | None) -> float:
    if not begin or not end:
        return 0.0
    return (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()
