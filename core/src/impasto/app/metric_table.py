"""`METRICS`: every figure that the server gives, with its kind, its labels and what it means.

Written once: the metrics page takes names, help and labels from here, and a test holds the operators' table to it.
Names follow Prometheus' conventions: base units, and ``_total`` for what only rises.
"""

from dataclasses import dataclass
from typing import Literal

__all__ = ["METRICS", "Metric"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure, or one for each combination of its labels' values."""

    name: str
    kind: Literal["counter", "gauge", "histogram", "info"]
    help: str
    labels: tuple[str, ...] = ()


_COUNTED = (
    Metric("impasto_queue_items_total", "counter", "Queue items that went into a status", ("queue_id", "status")),
    Metric(
        "impasto_queue_item_wait_seconds",
        "histogram",
        "Time from when an item was queued to its first start",
        ("queue_id",),
    ),
    Metric(
        "impasto_queue_item_run_seconds",
        "histogram",
        "Time from the last start of an item to its end",
        ("queue_id", "status"),
    ),
    Metric(
        "impasto_invocations_total",
        "counter",
        "Nodes that ended: completed, cached (the result was remembered) or failed",
        ("node_type", "outcome"),
    ),
    Metric(
        "impasto_invocation_seconds",
        "histogram",
        "Time that nodes ran, or were looked up in the invocation cache; nodes that run as one call each take its time",
        ("node_type", "cached"),
    ),
    Metric("impasto_model_load_seconds", "histogram", "Time that models took to load", ("base", "model_type")),
    Metric("impasto_worker_losses_total", "counter", "How often a worker's process was lost", ("worker_id",)),
    Metric("impasto_events_total", "counter", "Events that happened", ("event",)),
)

_READ = (
    Metric("impasto_build_info", "info", "What runs here", ("version", "sdk_version", "python_version")),
    Metric(
        "impasto_plugin_info", "info", "The installed plugins and what became of them", ("plugin", "version", "state")
    ),
    Metric("impasto_queue_depth", "gauge", "Queue items that are in a status now", ("queue_id", "status")),
    Metric("impasto_queue_paused", "gauge", "Whether a queue is paused: 1, else 0", ("queue_id",)),
    Metric(
        "impasto_workers",
        "gauge",
        "Workers that are in a status now; those without a device, kind `io`, are there once they were needed",
        ("kind", "status"),
    ),
    Metric("impasto_worker_restarts_total", "counter", "How often a worker was started again", ("worker_id",)),
    Metric("impasto_worker_resident_memory_bytes", "gauge", "Memory that a worker's process takes", ("worker_id",)),
    Metric(
        "impasto_invocation_cache_hits_total",
        "counter",
        "Results that the invocation cache had, since its worker started or it was cleared",
        ("worker_id",),
    ),
    Metric(
        "impasto_invocation_cache_misses_total",
        "counter",
        "Results that the invocation cache had not, since its worker started or it was cleared",
        ("worker_id",),
    ),
    Metric("impasto_invocation_cache_entries", "gauge", "Results that the invocation cache holds", ("worker_id",)),
    Metric("impasto_invocation_cache_bytes", "gauge", "Memory that these results take", ("worker_id",)),
    Metric("impasto_invocation_cache_max_bytes", "gauge", "Memory that they may take at most", ("worker_id",)),
    Metric(
        "impasto_model_cache_hits_total",
        "counter",
        "Uses of a model that was in memory, since its worker started",
        ("worker_id",),
    ),
    Metric(
        "impasto_model_cache_misses_total",
        "counter",
        "Uses of a model that had to be loaded, since its worker started",
        ("worker_id",),
    ),
    Metric("impasto_model_cache_models", "gauge", "Models that a worker holds", ("worker_id",)),
    Metric("impasto_model_cache_ram_bytes", "gauge", "Main memory that these models take", ("worker_id",)),
    Metric("impasto_model_cache_device_bytes", "gauge", "Memory of the device that they take", ("worker_id",)),
    Metric(
        "impasto_provider_requests_total",
        "counter",
        "Requests to external providers that ended: completed, refused, failed or canceled",
        ("provider", "outcome"),
    ),
    Metric("impasto_provider_images_total", "counter", "Pictures that external providers gave", ("provider",)),
    Metric(
        "impasto_provider_tokens_total",
        "counter",
        "Tokens that external providers counted: input or output",
        ("provider", "direction"),
    ),
    Metric(
        "impasto_provider_cost_dollars_total",
        "counter",
        "Cost of these requests in US dollars, as far as it is known",
        ("provider",),
    ),
    Metric(
        "impasto_provider_unpriced_requests_total",
        "counter",
        "Completed requests whose cost is not known",
        ("provider",),
    ),
    Metric(
        "impasto_provider_requests_in_flight",
        "gauge",
        "Requests to an external provider that are under way",
        ("provider",),
    ),
    Metric("impasto_provider_places", "gauge", "Requests that may be under way to it at most", ("provider",)),
    Metric("impasto_event_readers", "gauge", "Clients and hooks that read events now"),
    Metric("impasto_event_progress_dropped_total", "counter", "Progress events that readers were too slow for"),
    Metric("impasto_database_bytes", "gauge", "Size of the database's files"),
    Metric("impasto_disk_free_bytes", "gauge", "Space that is left where the images lie"),
)

#: Every figure, in the order of the page. What Prometheus' own collector tells of the process (``process_…``) follows.
METRICS = (*_COUNTED, *_READ)
