"""`read_metrics`: the figures that are not counted but looked up, all at the moment at which somebody asks for them.

Nothing here waits for a worker or for the database's writer: what workers say of their caches is known from their last
runs, and the counts of queues are kept with them.
"""

import logging
import platform
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import get_args

from impasto import __version__
from impasto.app import Impasto
from impasto.app.metrics import Labels
from impasto.app.readiness import free_bytes
from impasto.errors import StorageError
from impasto_sdk import __version__ as sdk_version
from impasto_sdk.usage import RequestOutcome

__all__ = ["read_metrics"]

logger = logging.getLogger(__name__)

#: What a worker can be for, and what it can be.
_WORKER_KINDS = ("device", "io")
_WORKER_STATUSES = ("starting", "ready", "busy", "lost", "stopped")
_ITEM_STATUSES = ("pending", "in_progress", "waiting", "completed", "failed", "canceled")

Reading = tuple[str, Labels, float]


def read_metrics(app: Impasto) -> Mapping[str, Mapping[Labels, float]]:
    """Values by name of the metric and values of its labels; what cannot be read now is not there."""
    found: defaultdict[str, Counter[Labels]] = defaultdict(Counter)
    for part in (_build, _queues, _workers, _invocation_caches, _model_caches, _providers, _storage):
        for name, labels, value in part(app):
            found[name][labels] += value  # type: ignore[assignment]  # a Counter of floats
    return found


def _build(app: Impasto) -> Iterator[Reading]:
    yield "impasto_build_info", (__version__, sdk_version, platform.python_version()), 1
    for plugin in app.host.plugins:
        yield "impasto_plugin_info", (plugin.name, plugin.version, plugin.state.value), 1
    yield "impasto_event_readers", (), app.bus.readers
    yield "impasto_event_progress_dropped_total", (), app.bus.dropped


def _queues(app: Impasto) -> Iterator[Reading]:
    try:
        queues = app.queue.queues()
    except StorageError as error:
        logger.warning("the figures of the queues are not there: %s", error)
        return
    for queue in queues:
        label = app.metrics.queue_label(queue.queue_id)
        yield "impasto_queue_paused", (label,), int(queue.is_paused)
        for status in _ITEM_STATUSES:
            yield "impasto_queue_depth", (label, status), getattr(queue, status)


def _workers(app: Impasto) -> Iterator[Reading]:
    for labels in product(_WORKER_KINDS, _WORKER_STATUSES):
        yield "impasto_workers", labels, 0
    for worker in app.engine.workers():
        yield "impasto_workers", (worker.kind, worker.status), 1
        yield "impasto_worker_restarts_total", (worker.worker_id,), max(worker.starts - 1, 0)
        memory = None if worker.pid is None else _memory_of(worker.pid)
        if memory is not None:
            yield "impasto_worker_resident_memory_bytes", (worker.worker_id,), memory


def _invocation_caches(app: Impasto) -> Iterator[Reading]:
    for cache in app.engine.caches():
        labels = (cache.worker_id,)
        yield "impasto_invocation_cache_hits_total", labels, cache.hits
        yield "impasto_invocation_cache_misses_total", labels, cache.misses
        yield "impasto_invocation_cache_entries", labels, cache.entries
        yield "impasto_invocation_cache_bytes", labels, cache.bytes
        yield "impasto_invocation_cache_max_bytes", labels, cache.max_bytes


def _model_caches(app: Impasto) -> Iterator[Reading]:
    for cache in app.engine.model_caches():
        labels = (cache.worker_id,)
        yield "impasto_model_cache_hits_total", labels, cache.hits
        yield "impasto_model_cache_misses_total", labels, cache.misses
        yield "impasto_model_cache_models", labels, len(cache.models)
        yield "impasto_model_cache_ram_bytes", labels, cache.ram_bytes
        yield "impasto_model_cache_device_bytes", labels, cache.device_bytes


def _providers(app: Impasto) -> Iterator[Reading]:
    for provider_id, reading in app.provider_desk.readings().items():
        counts, label = reading.counts, (provider_id,)
        for outcome in get_args(RequestOutcome):
            yield "impasto_provider_requests_total", (provider_id, outcome), getattr(counts, outcome)
        yield "impasto_provider_images_total", label, counts.images
        yield "impasto_provider_tokens_total", (provider_id, "input"), counts.input_tokens
        yield "impasto_provider_tokens_total", (provider_id, "output"), counts.output_tokens
        yield "impasto_provider_cost_dollars_total", label, counts.cost_usd
        yield "impasto_provider_unpriced_requests_total", label, counts.unpriced
        yield "impasto_provider_requests_in_flight", label, reading.in_flight
        yield "impasto_provider_places", label, reading.places


def _storage(app: Impasto) -> Iterator[Reading]:
    database = app.settings.database_path
    # the log of the last commits is a file of its own, and can be the larger one
    files = (database, database.with_name(f"{database.name}-wal"))
    yield "impasto_database_bytes", (), sum(_size(file) for file in files)
    free = free_bytes(app.settings.images_folder)
    if free is not None:
        yield "impasto_disk_free_bytes", (), free


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def _memory_of(pid: int) -> int | None:
    import psutil  # for the first scrape only, which a server that nobody scrapes never sees

    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:  # it ended in this moment
        return None
