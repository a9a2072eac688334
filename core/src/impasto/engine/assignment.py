"""`Assignment`: one item on one process: what is wanted of it, and by when it must have ended.

Made by the dispatcher when it has claimed an item, and used on its thread; only `cancel` is called from any.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from impasto.engine.limits import Limits
from impasto.engine.log_fields import item_fields
from impasto.engine.ports import Claim
from impasto.engine.process import WorkerProcess
from impasto.engine.protocol import ToWorker
from impasto.errors import WireError
from impasto_sdk.fields import JsonValue

__all__ = ["Assignment"]

logger = logging.getLogger(__name__)


class Assignment:
    """An item that `process` was given, or is about to be.

    `stop_at` gives the monotonic time by which everything must have ended, once the server stops.
    """

    def __init__(
        self, item: Claim, process: WorkerProcess, stop_at: Callable[[], float | None], limits: Limits
    ) -> None:
        self.item = item
        self.process = process
        self._stop_at = stop_at
        self._grace_s = limits.cancel_grace_s
        timeout_s = limits.session_timeout_s
        self._timeout_at = None if timeout_s is None else time.monotonic() + timeout_s
        self._canceled = threading.Event()
        self._cancel_sent = self._stop_sent = self._end_expected = self._timed_out = False
        #: When the process is to be ended without asking, as a monotonic time.
        self._kill_at: float | None = None
        #: Whether the worker was given anything of it.
        self.begun = False

    @property
    def canceled(self) -> bool:
        """Whether the item was cancelled, or is no longer this attempt's."""
        return self._canceled.is_set()

    @property
    def stopping(self) -> bool:
        """Whether the worker was told that the server stops."""
        return self._stop_sent

    @property
    def timed_out(self) -> bool:
        """Whether it was told to end since it took too long."""
        return self._timed_out

    @property
    def wake_at(self) -> float:
        """When `pass_on` has to be called next if nothing happens before, as a monotonic time."""
        times = (self._kill_at, None if self._cancel_sent or self._end_expected else self._timeout_at)
        return min((moment for moment in times if moment is not None), default=float("inf"))

    def cancel(self) -> None:
        """Note that the item is cancelled, and wake the thread that passes it on."""
        self._canceled.set()
        self.process.mailbox.ring()

    def expect_end(self) -> None:
        """It is certain how the run ends, and its nodes have been told: they may take as long as cancelled ones."""
        if not self._end_expected:
            self._end_expected = True
            self._kill_by(time.monotonic() + self._grace_s)

    def pass_on(self) -> None:
        """Tell the worker what is wanted, once, and end it when its time is up."""
        now = time.monotonic()
        is_late = self._timeout_at is not None and now >= self._timeout_at
        if not self._cancel_sent and (self.canceled or (is_late and not self._end_expected)):
            self._cancel_sent = True
            self._timed_out = not self.canceled
            self._kill_by(now + self._grace_s)
            self._tell(ToWorker.CANCEL, {"item_id": self.item.item_id})
        stop_at = self._stop_at()
        if stop_at is not None and not self._stop_sent:
            self._stop_sent = True
            self._kill_by(stop_at)
            self._tell(ToWorker.STOP, {})
        if self._kill_at is not None and now >= self._kill_at:
            item, fields = self.item, item_fields(self.item, worker_id=self.process.worker_id)
            logger.warning("item %d does not end when asked to, so its worker is ended", item.item_id, extra=fields)
            self._kill_at = None
            self.process.kill()

    def _tell(self, kind: ToWorker, body: dict[str, JsonValue]) -> None:
        # when it is gone, the mailbox says so, after the last that it had to say
        with suppress(WireError):
            self.process.send(kind, body)

    def _kill_by(self, moment: float) -> None:
        self._kill_at = moment if self._kill_at is None else min(self._kill_at, moment)
