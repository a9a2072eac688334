"""`Engine`: all workers of this server. It starts and stops them, tells them of cancelled items, and says how they are.

Built by the application with the real stores; everything that runs a session is behind it.
"""

import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from impasto.engine.io_workers import IoWorkers
from impasto.engine.limits import Limits
from impasto.engine.ports import SessionServices, WorkQueue
from impasto.engine.protocol import CacheOrder, WorkerConfig
from impasto.engine.supervisor import Supervisor, WorkerInfo
from impasto.engine.warm_models import ModelCacheInfo
from impasto.engine.worker_cache import CacheInfo
from impasto.errors import WorkerError
from impasto.events import EventBus
from impasto.settings import Settings
from impasto_sdk.events import Event, WorkerStatusChangedEvent
from impasto_sdk.models import DeviceInfo

__all__ = ["Engine", "io_configs", "worker_configs"]

logger = logging.getLogger(__name__)

#: How long an ended process may take to be gone, in seconds.
_KILL_S = 10.0
#: How often a worker says that it is there, in seconds; several times while its hold on an item is renewed once.
_BEAT_S = 5.0
#: Most nodes that run on the CPU at once unless the settings say how many: numeric libraries have threads of their own.
_CPU_LANE = 4


class Engine:
    """Workers, as many as the settings ask for, between `start` and `stop`."""

    def __init__(self, settings: Settings, queue: WorkQueue, services: SessionServices, bus: EventBus) -> None:
        self._queue = queue
        self._bus = bus
        self._changed = threading.Condition()
        #: By device, the names that workers were asked for it by.
        self._names: dict[str, set[str]] = {}
        self._drain_s = settings.drain_timeout_s
        limits = Limits(
            start_timeout_s=settings.worker_start_timeout_s,
            cancel_grace_s=settings.cancel_grace_s,
            session_timeout_s=settings.session_timeout_s,
            worker_memory_bytes=settings.worker_memory_bytes,
        )
        supervise = partial(Supervisor, queue=queue, services=services, publish=self._publish)
        # each kind of worker keeps to its kind of items, so that neither holds up the other
        of_device = replace(limits, needs_device=True) if settings.io_workers else limits
        of_io = replace(limits, needs_device=False)
        self._device_workers = [supervise(config, limits=of_device) for config in worker_configs(settings)]
        self._io_workers = IoWorkers([supervise(config, limits=of_io) for config in io_configs(settings)], queue)

    def start(self) -> None:
        """Give back what was running when the server last ended, and start the workers; returns at once.

        Those without a device are started when they are first needed.
        """
        self._queue.recover()
        self._queue.add_cancel_listener(self._cancel)
        for supervisor in self._device_workers:
            supervisor.start()
        self._io_workers.start()

    def stop(self, timeout_s: float | None = None) -> None:
        """Stop all workers: no item is taken any more, and nodes in hand may finish within `timeout_s` seconds.

        Unless it is said, that is the setting `drain_timeout_s`. Items that are not done wait in the queue and go on
        from their journal. When it returns, no process is left.
        """
        deadline = time.monotonic() + (self._drain_s if timeout_s is None else timeout_s)
        self._io_workers.stop()
        there = self._there()
        for supervisor in there:
            supervisor.stop(deadline)
        for supervisor in there:
            supervisor.join(max(deadline + _KILL_S - time.monotonic(), 0.0))
            supervisor.kill()

    def workers(self) -> list[WorkerInfo]:
        """The workers as they are now: those with a device in order of the settings, then those without that are there.

        One without a device is there once it has been needed for the first time.
        """
        return [supervisor.info() for supervisor in self._there()]

    def devices(self) -> list[DeviceInfo]:
        """The devices that workers found, each once."""
        found = {worker.device.name: worker.device for worker in self.workers() if worker.device is not None}
        return list(found.values())

    def caches(self) -> list[CacheInfo]:
        """The invocation caches, one for each worker, in the order of `workers`; waits for none of them."""
        return [supervisor.cache.info() for supervisor in self._there()]

    def model_caches(self) -> list[ModelCacheInfo]:
        """The model caches, one for each worker, in the order of `workers`; waits for none of them."""
        return [supervisor.models.info() for supervisor in self._there()]

    def order_caches(self, order: CacheOrder) -> None:
        """Have every worker clear its invocation cache, or switch it on or off; nodes that run are not waited for.

        Whether caches are on holds for workers that start later too, as long as the server runs.
        """
        for supervisor in (*self._device_workers, *self._io_workers.all):
            supervisor.cache.order(order)

    def wait_until_ready(self, timeout_s: float) -> None:
        """Wait until every worker with a device can run sessions. Others are started when they are needed.

        Raises `WorkerError` as soon as one could not start (it is tried again in the background all the same), or
        when the time is up.
        """
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while True:
                workers = [supervisor.info() for supervisor in self._device_workers]
                for worker in workers:
                    if worker.device is None and worker.reason is not None:
                        raise WorkerError(worker.worker_id, worker.reason)
                waiting = [worker for worker in workers if worker.status not in ("ready", "busy")]
                if not waiting:
                    return
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    raise WorkerError(
                        waiting[0].worker_id, f"it is {waiting[0].status}, not ready, after {timeout_s:g} s"
                    )
                self._changed.wait(left_s)

    def _publish(self, event: Event) -> None:
        self._bus.publish(event)
        if isinstance(event, WorkerStatusChangedEvent):
            self._io_workers.hear(event)
            with self._changed:
                if event.status == "ready":
                    self._look_for_doubles()
                self._changed.notify_all()

    def _look_for_doubles(self) -> None:
        """Say so when two names are one device: each worker there has models of its own."""
        for worker in self.workers():
            if worker.device is not None:
                names = self._names.setdefault(worker.device.name, set())
                if names and worker.device.requested not in names:
                    named = " and ".join(repr(name) for name in sorted({*names, worker.device.requested}))
                    logger.warning(
                        "%s are one device, %s, and the workers there each have models of their own; name it once in "
                        "`devices`",
                        named,
                        worker.device.name,
                    )
                names.add(worker.device.requested)

    def _cancel(self, item_id: int) -> None:
        for supervisor in self._there():
            supervisor.cancel(item_id)

    def _there(self) -> Sequence[Supervisor]:
        return (*self._device_workers, *self._io_workers.started)


def worker_configs(settings: Settings) -> list[WorkerConfig]:
    """What each worker with a device is told, in order; a device that is named twice counts once, and it is said."""
    for device, times in Counter(settings.devices).items():
        if times > 1:
            logger.warning(
                "`devices` names %r more than once, which counts once; for several workers there, see "
                "`workers_per_device`",
                device,
            )
    return [
        _config(settings, f"{device}-{number}", device)
        for device in dict.fromkeys(settings.devices)
        for number in range(settings.workers_per_device)
    ]


def io_configs(settings: Settings) -> list[WorkerConfig]:
    """What each worker without a device is told, in the order in which they are started."""
    return [_config(settings, f"io-{number}", None) for number in range(settings.io_workers)]


def _config(settings: Settings, worker_id: str, device: str | None) -> WorkerConfig:
    return WorkerConfig(
        worker_id=worker_id,
        device=device,
        precision=settings.precision,
        model_cache_ram_bytes=_room_for_models(settings),
        model_cache_device_bytes=settings.model_cache_device_bytes,
        invocation_cache_bytes=settings.invocation_cache_bytes,
        cpu_lane=settings.cpu_lane or min(_CPU_LANE, os.cpu_count() or 1),
        io_lane=settings.io_lane,
        ready_order=settings.ready_order,
        class_caps=settings.class_caps,
        iteration_window=settings.iteration_window,
        beat_s=_BEAT_S,
        progress_events_per_s=settings.progress_events_per_s,
        previews=settings.previews,
        disabled_plugins=settings.disabled_plugins,
        plugins=settings.plugins,
        log_level=settings.log_level,
    )


def _room_for_models(settings: Settings) -> int:
    """What idle models may take: no worker is to be ended for models that it could have let go."""
    limit = settings.worker_memory_bytes
    wanted = settings.model_cache_ram_bytes
    return min(wanted, limit // 2) if limit else wanted
