"""`Supervisor`: keeps one worker running: starts its process, has it given work, starts it again when it is lost.

One thread for each worker does all of it, so that a worker's story is told in one order.
"""

import logging
import threading
import time
from dataclasses import dataclass

from impasto.engine.dispatcher import Dispatcher
from impasto.engine.ports import Publish, SessionServices, WorkQueue
from impasto.engine.process import WorkerProcess
from impasto.engine.protocol import ToWorker, WorkerConfig
from impasto.engine.session_server import SessionServer
from impasto.engine.worker_cache import WorkerCache
from impasto.errors import WireError, WorkerError
from impasto_sdk.events import WorkerStatusChangedEvent
from impasto_sdk.fields import JsonValue
from impasto_sdk.models import DeviceInfo

__all__ = ["Patience", "Supervisor", "WorkerInfo"]

logger = logging.getLogger(__name__)

#: How long a lost process may take to be gone by itself, in seconds.
_DYING_S = 2.0
#: Seconds before the second restart in a row; each further one waits twice as long …
_FIRST_DELAY_S = 0.5
#: … up to this.
_LONGEST_DELAY_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a worker is waited for, in seconds."""

    start_timeout_s: float
    cancel_grace_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerInfo:
    """A worker at one moment."""

    worker_id: str
    #: ``starting``, ``ready``, ``busy``, ``lost`` or ``stopped``.
    status: str
    #: What it runs models on; None until it has once been ready.
    device: DeviceInfo | None
    #: Number of its process; None when there is none.
    pid: int | None
    #: The item that it runs.
    item_id: int | None
    #: Why it was last lost; None once it is ready again.
    reason: str | None
    #: How many processes it has had.
    starts: int

    def to_document(self) -> dict[str, JsonValue]:
        """All of it as JSON values."""
        return {
            "worker_id": self.worker_id,
            "status": self.status,
            "device": self.device.model_dump(mode="json") if self.device else None,
            "pid": self.pid,
            "item_id": self.item_id,
            "reason": self.reason,
            "starts": self.starts,
        }


class Supervisor:
    """Keeps one worker, told by `config` what it is, running from `start` to `stop`."""

    def __init__(
        self,
        config: WorkerConfig,
        queue: WorkQueue,
        services: SessionServices,
        publish: Publish,
        patience: Patience,
    ) -> None:
        self._config = config
        self._queue = queue
        self._publish = publish
        self._patience = patience
        self._server = SessionServer(services, config.worker_id)
        #: The worker's invocation cache.
        self.cache = WorkerCache(config.worker_id, config.invocation_cache_bytes)
        self._dispatcher = Dispatcher(
            queue, self._server, publish, config.worker_id, cancel_grace_s=patience.cancel_grace_s
        )
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

    @property
    def running(self) -> bool:
        """Whether its thread is there, and so perhaps a process."""
        return self._thread.is_alive()

    def info(self) -> WorkerInfo:
        """The worker at this moment."""
        process = self._process
        return WorkerInfo(
            worker_id=self.worker_id,
            status=self._status,
            device=self._device,
            pid=process.pid if process else None,
            item_id=self._dispatcher.item_id,
            reason=self._reason,
            starts=self._starts,
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
        self._queue.wake()

    def join(self, timeout_s: float) -> None:
        """Wait until it has stopped."""
        self._thread.join(timeout_s)

    def kill(self) -> None:
        """End its process without asking."""
        process = self._process
        if process is not None:
            process.kill()

    def _supervise(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            # the first restart is immediate: most losses are a single node's doing
            delay_s = 0.0 if failures < 2 else min(_FIRST_DELAY_S * 2 ** (failures - 2), _LONGEST_DELAY_S)
            if self._stopping.wait(delay_s):
                break
            try:
                items, reason = self._live()
            except Exception as error:  # the service goes on whatever one worker does
                items, reason = 0, error.problem if isinstance(error, WorkerError) else repr(error)
                if not isinstance(error, WorkerError):
                    logger.exception("worker %s: its supervision failed", self.worker_id)
            if not self._stopping.is_set():
                logger.error("worker %s was lost: %s", self.worker_id, reason)
                self._set_status("lost", reason)
            failures = 1 if items else failures + 1
        self._set_status("stopped")

    def _live(self) -> tuple[int, str]:
        """One process from start to end: how many items ended in an orderly way, and how the process ended."""
        self._starts += 1
        self._set_status("starting", self._reason)
        process = self._process = WorkerProcess(self.worker_id, self._server, self.cache.hear, self._queue.wake)
        try:
            facts = process.greet(self._config, self._patience.start_timeout_s, self._stopping.is_set)
            self._device = facts.device
            for note in facts.device.notes:
                logger.info("worker %s: %s", self.worker_id, note)
            self.cache.attach(process.send)
            self._set_status("ready")
            items = self._dispatcher.serve(process, facts.device, lambda: self._stop_at, self._set_busy)
        except BaseException:
            process.kill()
            raise
        finally:
            how = self._end(process)
            self._process = None
            self.cache.detach()
        return items, how

    def _end(self, process: WorkerProcess) -> str:
        if self._stop_at is None or process.lost:
            return process.end(_DYING_S)
        try:
            process.send(ToWorker.STOP)
        except WireError:
            logger.debug("worker %s was gone before it was told to stop", self.worker_id)
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
