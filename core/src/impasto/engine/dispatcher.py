"""`Dispatcher`: takes items from the queue, gives them to a worker process, and sees each to its end.

It runs on its supervisor's thread and outlives processes: when one is lost it gives the item back and returns.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from impasto.engine.ports import Claim, Publish, WorkQueue
from impasto.engine.process import WorkerProcess
from impasto.engine.protocol import Outcome, RunEnding, RunOrder, ToWorker
from impasto.engine.run_record import RunRecord
from impasto.engine.session_server import SessionServer
from impasto.errors import MessageTooLargeError, QueueItemNotFoundError, WireError
from impasto_sdk.fields import JsonValue
from impasto_sdk.models import DeviceInfo

__all__ = ["Dispatcher"]

logger = logging.getLogger(__name__)

#: How often a worker's hold on its item is renewed, in seconds; well within a lease.
_LEASE_BEAT_S = 15.0
#: How often a worker looks after items whose workers have gone silent, in seconds.
_LOOK_S = 30.0
#: How long a process that was told to end may take, in seconds.
_END_S = 5.0


class Dispatcher:
    """Runs items on the process of one worker. `cancel` may be called from any thread, the rest from one."""

    def __init__(
        self, queue: WorkQueue, server: SessionServer, publish: Publish, worker_id: str, *, cancel_grace_s: float
    ) -> None:
        self._queue = queue
        self._server = server
        self._publish = publish
        self._worker_id = worker_id
        self._cancel_grace_s = cancel_grace_s
        self._lock = threading.Lock()
        self._run: _Run | None = None
        #: When silent workers are looked for again, as a monotonic time.
        self._look_at = time.monotonic() + _LOOK_S
        #: Items that were cancelled while one was being claimed; None: none is.
        self._canceled_in_claim: set[int] | None = None

    @property
    def item_id(self) -> int | None:
        """The item that runs now."""
        run = self._run
        return run.item.item_id if run else None

    def cancel(self, item_id: int) -> None:
        """The item was cancelled: see that it ends, if it runs here."""
        with self._lock:
            if self._canceled_in_claim is not None:
                self._canceled_in_claim.add(item_id)
            if self._run is not None and self._run.item.item_id == item_id:
                self._run.cancel()

    def serve(
        self,
        process: WorkerProcess,
        device: DeviceInfo,
        stop_at: Callable[[], float | None],
        busy: Callable[[bool], None],
    ) -> int:
        """Run items until the process is lost or the server stops; gives how many ended in an orderly way.

        `stop_at` gives the monotonic time by which everything must have ended, once the server stops. `busy` is told
        whenever the worker begins or ceases to work.
        """
        ended = 0
        while not process.lost and stop_at() is None:
            self._look_for_silent()
            run = self._claim(process, stop_at)
            if run is None:
                busy(False)
                self._queue.wait_for_work(_LOOK_S)
                continue
            busy(True)
            try:
                ended += self._see_through(run, device)
            except Exception as error:
                process.kill()  # first, so that the item does not run twice at once
                reason = f"its run could not be followed: {type(error).__name__}: {error}"
                self._queue.give_back(run.item.item_id, reason, attempt=run.item.attempt)
                raise
            finally:
                with self._lock:
                    self._run = None
        return ended

    def _claim(self, process: WorkerProcess, stop_at: Callable[[], float | None]) -> "_Run | None":
        """The next item; one that is cancelled in the same moment is known to be."""
        with self._lock:
            self._canceled_in_claim = set()
        item = None
        try:
            item = self._queue.claim(self._worker_id)
        finally:
            with self._lock:
                canceled, self._canceled_in_claim = self._canceled_in_claim, None
                self._run = None if item is None else _Run(item, process, stop_at, self._cancel_grace_s)
                if self._run is not None and item is not None and item.item_id in canceled:
                    self._run.cancel()
        return self._run

    def _look_for_silent(self) -> None:
        if time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + _LOOK_S
            self._queue.expire_leases()

    def _see_through(self, run: "_Run", device: DeviceInfo) -> bool:
        """Run an item to its end; whether the worker is still there after it."""
        item, process = run.item, run.process
        images = self._server.begin(item)
        record = RunRecord(item, self._queue, self._publish, images, device=device.name)
        ending = None
        try:
            process.send(ToWorker.RUN, self._order(item).model_dump(mode="json"))
            run.begun = True
            ending = self._follow(run, record)
        except MessageTooLargeError as error:  # no worker will ever be given it
            self._queue.fail(item.item_id, type(error).__name__, str(error), attempt=item.attempt)
            return True
        except WireError as error:
            logger.debug("worker %s: %s", self._worker_id, error.problem)
        finally:
            self._server.end()
        if ending is not None:
            self._settle(run, ending)
        else:
            self._settle_loss(run, record)
        return ending is not None

    def _follow(self, run: "_Run", record: RunRecord) -> RunEnding | None:
        """Record what comes until the run ends; None: the process was lost."""
        mailbox = run.process.mailbox
        renew_at = time.monotonic() + _LEASE_BEAT_S
        while True:
            wake_at = renew_at if run.kill_at is None else min(renew_at, run.kill_at)
            messages = mailbox.take(max(0.0, wake_at - time.monotonic()))
            ending = record.take(messages)
            if ending is not None:
                return ending
            if not messages and mailbox.closed is not None:
                return None
            if time.monotonic() >= renew_at:
                record.counts &= self._queue.extend_lease(run.item.item_id, attempt=run.item.attempt)
                renew_at = time.monotonic() + _LEASE_BEAT_S
                self._look_for_silent()
            if not record.counts:
                run.cancel()
            if record.foretold is not None:
                run.expect_end()
            run.pass_on()

    def _settle(self, run: "_Run", ending: RunEnding) -> None:
        """Tell the queue how the run ended, if it did not end well, which the record has told it already.

        An item that is no longer this attempt's stays as it is.
        """
        item = run.item
        match ending.outcome:
            case Outcome.INTERRUPTED:
                self._queue.give_back(item.item_id, "the server stopped", attempt=item.attempt, excused=True)
            case Outcome.CANCELED if not run.canceled:
                self._cancel_in_queue(item)  # the node itself gave up
            case Outcome.FAILED if ending.error is not None:
                error = ending.error
                self._queue.fail(item.item_id, error.type, error.summary, error.traceback, attempt=item.attempt)

    def _settle_loss(self, run: "_Run", record: RunRecord) -> None:
        """The process was lost. The item runs again, unless it was certain already how its run would end."""
        item, how = run.item, run.process.end(_END_S)
        if record.foretold is not None:
            self._settle(run, record.foretold)
            return
        reason = f"worker {self._worker_id!r} was lost: {how}"
        if run.stopping:
            reason = "the server stopped before the nodes in hand were done"
        if record.in_hand:
            reason = f"{record.in_hand}: {reason}"
        excused = run.stopping or not run.begun
        self._queue.give_back(item.item_id, reason, attempt=item.attempt, excused=excused)

    def _order(self, item: Claim) -> RunOrder:
        # a first attempt has no past
        portions = self._queue.journal_lines(item.item_id) if item.attempt > 1 else ()
        return RunOrder(
            item_id=item.item_id,
            queue_id=item.queue_id,
            batch_id=item.batch_id,
            session_id=item.session_id,
            user_id=item.user_id,
            graph=item.graph,
            metadata=item.metadata or {},
            journal={key: line for lines in portions for key, line in lines.items()},
        )

    def _cancel_in_queue(self, item: Claim) -> None:
        try:
            self._queue.cancel(item.queue_id, item.item_id, attempt=item.attempt)
        except QueueItemNotFoundError:
            logger.debug("item %d was removed while it ran", item.item_id)


class _Run:
    """One item on one process: what is wanted of it, and by when it must have ended."""

    def __init__(
        self, item: Claim, process: WorkerProcess, stop_at: Callable[[], float | None], cancel_grace_s: float
    ) -> None:
        self.item = item
        self.process = process
        self._stop_at = stop_at
        self._cancel_grace_s = cancel_grace_s
        self._canceled = threading.Event()
        self._cancel_sent = self._stop_sent = self._end_expected = False
        #: Whether the worker was given it.
        self.begun = False
        #: When the process is to be ended without asking, as a monotonic time.
        self.kill_at: float | None = None

    @property
    def canceled(self) -> bool:
        return self._canceled.is_set()

    @property
    def stopping(self) -> bool:
        return self._stop_sent

    def cancel(self) -> None:
        """Note that the item is cancelled, and wake the thread that passes it on."""
        self._canceled.set()
        self.process.mailbox.ring()

    def expect_end(self) -> None:
        """It is certain how the run ends, and its nodes have been told: they may take as long as cancelled ones."""
        if not self._end_expected:
            self._end_expected = True
            self._kill_by(time.monotonic() + self._cancel_grace_s)

    def pass_on(self) -> None:
        """Tell the worker what is wanted, once, and end it when its time is up."""
        if self.canceled and not self._cancel_sent:
            self._cancel_sent = True
            self._kill_by(time.monotonic() + self._cancel_grace_s)
            self._tell(ToWorker.CANCEL, {"item_id": self.item.item_id})
        stop_at = self._stop_at()
        if stop_at is not None and not self._stop_sent:
            self._stop_sent = True
            self._kill_by(stop_at)
            self._tell(ToWorker.STOP, {})
        if self.kill_at is not None and time.monotonic() >= self.kill_at:
            logger.warning("item %d does not end when asked to, so its worker is ended", self.item.item_id)
            self.kill_at = None
            self.process.kill()

    def _tell(self, kind: ToWorker, body: dict[str, JsonValue]) -> None:
        # when it is gone, the mailbox says so, after the last that it had to say
        with suppress(WireError):
            self.process.send(kind, body)

    def _kill_by(self, moment: float) -> None:
        self.kill_at = moment if self.kill_at is None else min(self.kill_at, moment)
