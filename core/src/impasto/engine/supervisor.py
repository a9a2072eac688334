"""`Supervisor`: keeps one worker running: starts its process, has it given work, starts it again when it is lost.

One thread for each worker does all of it, so that a worker's story is told in one order.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from impasto.engine.backoff import Backoff
from impasto.engine.dispatcher import Dispatcher
from impasto.engine.limits import Limits
from impasto.engine.ports import Publish, SessionServices, WorkQueue
from impasto.engine.process import WorkerProcess
from impasto.engine.protocol import ToServer, ToWorker, WorkerConfig
from impasto.engine.session_server import SessionServer
from impasto.engine.warm_models import WarmModels
from impasto.engine.worker_cache import WorkerCache
from impasto.errors import WireError, WorkerError
from impasto_sdk.events import WorkerStatusChangedEvent
from impasto_sdk.fields import JsonValue
from impasto_sdk.models import DeviceInfo

__all__ = ["Supervisor", "WorkerInfo"]

logger = logging.getLogger(__name__)

#: How long a lost process may take to be gone by itself, in seconds.
_DYING_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerInfo:
    """A worker at one moment."""

    worker_id: str
    #: ``device``, or ``io`` for one without a device, which runs sessions that only wait for something outside.
    kind: str
    #: ``starting``, ``ready``, ``busy``, ``lost`` or ``stopped``.
    status: str
    #: What it runs models on; None until it has once been ready, and for one of kind ``io``.
    device: DeviceInfo | None
    #: Number of its process; None when there is none.
    pid: int | None
    #: The item that it runs.
    item_id: int | None
    #: Why it was last lost, and when it is started again if not at once; None once it is ready again.
    reason: str | None
    #: How many processes it has had.
    starts: int
    #: Keys of the models that it holds, the most recently used first, at most 50.
    models: tuple[str, ...]

    def to_document(self) -> dict[str, JsonValue]:
        """All of it as JSON values."""
        return {
            "worker_id": self.worker_id,
            "kind": self.kind,
            "status": self.status,
            "device": self.device.model_dump(mode="json") if self.device else None,
            "pid": self.pid,
            "item_id": self.item_id,
            "reason": self.reason,
            "starts": self.starts,
            "models": list(self.models),
        }


class Supervisor:
    """Keeps one worker, told by `config` what it is, running from `start` to `stop`."""

    def __init__(
        self,
        config: WorkerConfig,
        queue: WorkQueue,
        services: SessionServices,
        publish: Publish,
        limits: Limits,
    ) -> None:
        self._config = config
        #: What its log lines are about.
        self._fields = {"worker_id": config.worker_id}
        self._publish = publish
        self._limits = limits
        self._server = SessionServer(services, config.worker_id)
        #: The worker's invocation cache.
        self.cache = WorkerCache(config.worker_id, config.invocation_cache_bytes)
        #: The models that it holds.
        self.models = WarmModels(config.worker_id)
        self._dispatcher = Dispatcher(queue, self._server, publish, self.models, limits)
        self._stopping = threading.Event()
        self._stop_at: float | None = None
        self._process: WorkerProcess | None = None
        self._status, self._starts = "stopped", 0
        self._reason: str | None = None
        self._device: DeviceInfo | None = None
        self._thread = threading.Thread(target=self._supervise, name=f"impasto-worker-{config.worker_id}", daemon=True)

    @property
    def worker_id(self) -> str:
        """The worker's name."""
        return self._config.worker_id

    def info(self) -> WorkerInfo:
        """The worker at this moment."""
        process = self._process
        return WorkerInfo(
            worker_id=self.worker_id,
            kind="io" if self._config.device is None else "device",
            status=self._status,
            device=self._device,
            pid=process.pid if process else None,
            item_id=self._dispatcher.item_id,
            reason=self._reason,
            starts=self._starts,
            models=self.models.keys,
        )

    def start(self) -> None:
        """Begin; the process comes up in the background."""
        self._thread.start()

    def cancel(self, item_id: int) -> None:
        """An item was cancelled; if it runs here it is ended, in good manners first."""
        self._dispatcher.cancel(item_id)

    def stop(self, deadline: float) -> None:
        """Take no more items, let the node in hand finish, and be gone by `deadline`, a monotonic time."""
        self._stop_at = deadline
        self._stopping.set()
        process = self._process
        if process is not None:
            process.mailbox.ring()
        self._dispatcher.wake()

    def join(self, timeout_s: float) -> None:
        """Wait until it has stopped, if it was started."""
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def kill(self) -> None:
        """End its process without asking."""
        process = self._process
        if process is not None:
            process.kill()

    def _supervise(self) -> None:
        backoff, reason = Backoff(), None
        while not self._stopping.is_set():
            try:
                worked, reason = self._live(reason)
            except Exception as error:  # the service goes on whatever one worker does
                worked, reason = False, error.problem if isinstance(error, WorkerError) else repr(error)
                if not isinstance(error, WorkerError):
                    logger.exception("worker %s: its supervision failed", self.worker_id, extra=self._fields)
            if self._stopping.is_set():
                break
            delay_s = backoff.after(worked=worked)
            told = f"{reason}; it is started again in {delay_s:g} s" if delay_s else reason
            logger.error("worker %s was lost: %s", self.worker_id, told, extra=self._fields)
            self._set_status("lost", told)
            self._stopping.wait(delay_s)
        self._set_status("stopped")

    def _live(self, lost_before: str | None) -> tuple[bool, str]:
        """One process from start to end: whether it was given any work, and how it ended."""
        self._starts += 1
        self._set_status("starting", lost_before)
        listeners: dict[str, Callable[[Mapping[str, JsonValue]], None]] = {
            ToServer.CACHE: self.cache.hear,
            ToServer.MODELS: self.models.hear,
        }
        process = self._process = WorkerProcess(
            self.worker_id,
            self._server,
            listeners,
            self._dispatcher.wake,
            memory_bytes=self._limits.worker_memory_bytes,
        )
        try:
            facts = process.greet(self._config, self._limits.start_timeout_s, self._stopping.is_set)
            self._device = facts.device
            for note in facts.device.notes if facts.device else ():
                logger.info("worker %s: %s", self.worker_id, note, extra=self._fields)
            self.cache.attach(process.send)
            self._set_status("ready")
            worked = self._dispatcher.serve(process, facts.device, lambda: self._stop_at, self._set_busy)
        except BaseException:
            process.kill()
            raise
        finally:
            how = self._end(process)
            self._process = None
            self.cache.detach()
            self.models.forget()
        return worked, how

    def _end(self, process: WorkerProcess) -> str:
        if self._stop_at is None or process.lost:
            return process.end(_DYING_S)
        try:
            process.send(ToWorker.STOP)
        except WireError:
            logger.debug("worker %s was gone before it was told to stop", self.worker_id, extra=self._fields)
        return process.end(self._stop_at - time.monotonic())

    def _set_busy(self, busy: bool) -> None:
        self._set_status("busy" if busy else "ready")

    def _set_status(self, status: str, reason: str | None = None) -> None:
        if (status, reason) == (self._status, self._reason):
            return
        self._status, self._reason = status, reason
        self._publish(
            WorkerStatusChangedEvent(
                worker_id=self.worker_id,
                status=status,
                device=self._device.model_dump(mode="json") if self._device else None,
                reason=reason,
            )
        )
