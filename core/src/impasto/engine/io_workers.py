"""`IoWorkers`: the workers without a device, which run the sessions that only wait for something outside.

None is there before it is needed. When such a session waits and all that were started are busy, the next one is
started, and from then on it is kept like any other. One thread decides, about one worker at a time; it ends with the
last of them. Made by the engine, which stops the workers and tells what becomes of them.
"""

import logging
import threading
from collections.abc import Sequence

from impasto.engine.ports import WorkQueue
from impasto.engine.supervisor import Supervisor
from impasto.errors import StorageError
from impasto_sdk.events import WorkerStatusChangedEvent

__all__ = ["IoWorkers"]

logger = logging.getLogger(__name__)

#: How long a session waits until another worker is started, in seconds: one that is about to be done may take it.
_MOMENT_S = 0.1
#: How often it is looked whether another one is needed, in seconds, if nothing happens that asks for it.
_LOOK_S = 30.0


class IoWorkers:
    """Workers that are started one by one, as many as are needed, kept by these `supervisors`."""

    def __init__(self, supervisors: Sequence[Supervisor], queue: WorkQueue) -> None:
        self._supervisors = tuple(supervisors)
        self._queue = queue
        self._started = 0
        #: Set when there may be a session that nobody is there for.
        self._bell = queue.add_bell(needs_device=False)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._start_when_needed, name="impasto-io-workers", daemon=True)

    @property
    def all(self) -> Sequence[Supervisor]:
        """Those that were started, and those that may still be."""
        return self._supervisors

    @property
    def started(self) -> Sequence[Supervisor]:
        """Those that were started, in this order."""
        return self._supervisors[: self._started]

    def start(self) -> None:
        """Begin to look for sessions; no worker is started by it."""
        self._thread.start()

    def stop(self) -> None:
        """Start no more of them. Those that were started go on until they are stopped."""
        self._stopping.set()
        self._bell.set()
        if self._thread.is_alive():
            self._thread.join()

    def hear(self, event: WorkerStatusChangedEvent) -> None:
        """A worker's status has changed. If one of these has become busy, another one may be needed."""
        if event.status == "busy" and any(supervisor.worker_id == event.worker_id for supervisor in self.started):
            self._bell.set()

    def _start_when_needed(self) -> None:
        for supervisor in self._supervisors:
            if not self._wait_until_needed():
                return
            self._started += 1
            supervisor.start()

    def _wait_until_needed(self) -> bool:
        """Wait until another worker is needed; False: the server stops."""
        while True:
            self._bell.clear()  # first: what happens from here on is either seen below or ends the wait
            if self._stopping.is_set():
                return False
            if self._is_needed() and (not self._started or self._is_needed_in_a_moment()):
                return True
            self._bell.wait(_LOOK_S)

    def _is_needed_in_a_moment(self) -> bool:
        return not self._stopping.wait(_MOMENT_S) and self._is_needed()

    def _is_needed(self) -> bool:
        if any(supervisor.info().status != "busy" for supervisor in self.started):
            return False  # it takes what waits as soon as it can
        try:
            return self._queue.is_any_waiting(needs_device=False)
        except StorageError as error:
            logger.warning("whether another worker without a device is needed cannot be told now: %s", error)
            return False
