"""`Dispatcher`: takes items from the queue, gives them to a worker process, and sees each to its end.

It runs on its supervisor's thread and outlives processes: when one is lost it gives the item back and returns.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from itertools import islice

from impasto.engine.assignment import Assignment
from impasto.engine.limits import Limits
from impasto.engine.log_fields import item_fields
from impasto.engine.ports import Claim, Publish, WorkQueue
from impasto.engine.process import WorkerProcess
from impasto.engine.protocol import Outcome, RunEnding, RunOrder, ToServer, ToWorker
from impasto.engine.run_record import RunRecord
from impasto.engine.session_server import SessionServer
from impasto.engine.warm_models import WarmModels
from impasto.errors import (
    MessageTooLargeError,
    QueueItemNotFoundError,
    SessionTimeoutError,
    StorageUnavailableError,
    WireError,
)
from impasto_sdk.fields import JsonValue
from impasto_sdk.models import DeviceInfo

__all__ = ["Dispatcher"]

logger = logging.getLogger(__name__)

#: How often a worker's hold on its item is renewed, in seconds, if it was heard of meanwhile; well within a lease.
_LEASE_BEAT_S = 15.0
#: So many times in a row nothing is heard of a worker before it is ended: it is stopped, or hangs whole.
_SILENT_BEATS = 8
#: How often a worker looks after items whose workers have gone silent, in seconds.
_LOOK_S = 30.0
#: How long to wait before an item is asked for again when the database could not be written, in seconds.
_RETRY_S = 5.0
#: After these another message is on its way, unless a node takes its time …
_SOON_FOLLOWED = frozenset({ToServer.STARTED, ToServer.COMPLETED})
#: … which is waited for so long, in seconds, so that one commit does for them.
_MOMENT_S = 0.001
#: How long a process that was told to end may take, in seconds.
_END_S = 5.0


class Dispatcher:
    """Runs items on the process of one worker. `cancel` and `wake` may be called from any thread, the rest from one."""

    def __init__(
        self, queue: WorkQueue, server: SessionServer, publish: Publish, models: WarmModels, limits: Limits
    ) -> None:
        self._queue = queue
        self._server = server
        self._publish = publish
        self._models = models
        self._limits = limits
        #: Set when there may be something to do, for one who has nothing to do.
        self._bell = queue.add_bell(needs_device=limits.needs_device)
        self._lock = threading.Lock()
        self._run: Assignment | None = None
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

    def wake(self) -> None:
        """Look again at what there is to do: an item, or the end of the process or of the server."""
        self._bell.set()

    def serve(
        self,
        process: WorkerProcess,
        device: DeviceInfo | None,
        stop_at: Callable[[], float | None],
        busy: Callable[[bool], None],
    ) -> bool:
        """Run items until the process is lost or the server stops; gives whether it was given any.

        `stop_at` gives the monotonic time by which everything must have ended, once the server stops. `busy` is told
        whenever the worker begins or ceases to work.
        """
        worked = False
        while True:
            self._bell.clear()  # first: what happens from here on is either seen below or ends the wait
            if process.lost or stop_at() is not None:
                return worked
            try:
                self._expire_leases()
                run = self._claim(process, stop_at)
            except StorageUnavailableError as error:  # the disk is full, say: the worker keeps what it has loaded
                fields = {"worker_id": process.worker_id}
                logger.error("worker %s can take no item: %s", process.worker_id, error, extra=fields)
                busy(False)
                process.mailbox.take(_RETRY_S)  # nothing comes but the end of it, or of the server
                continue
            if run is None:
                busy(False)
                self._bell.wait(_LOOK_S)
                continue
            busy(True)
            try:
                self._see_through(run, device)
            except Exception as error:
                process.kill()  # first, so that the item does not run twice at once
                reason = f"its run could not be followed: {type(error).__name__}: {error}"
                self._queue.give_back(run.item.item_id, reason, attempt=run.item.attempt)
                raise
            finally:
                worked |= run.begun
                with self._lock:
                    self._run = None

    def _claim(self, process: WorkerProcess, stop_at: Callable[[], float | None]) -> Assignment | None:
        """The next item; one that is cancelled in the same moment is known to be."""
        with self._lock:
            self._canceled_in_claim = set()
        item = None
        try:
            item = self._queue.claim(process.worker_id, warm=self._models.keys, needs_device=self._limits.needs_device)
        finally:
            with self._lock:
                canceled, self._canceled_in_claim = self._canceled_in_claim, None
                self._run = None if item is None else Assignment(item, process, stop_at, self._limits)
                if self._run is not None and item is not None and item.item_id in canceled:
                    self._run.cancel()
        return self._run

    def _expire_leases(self) -> None:
        if time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + _LOOK_S
            self._queue.expire_leases()

    def _see_through(self, run: Assignment, device: DeviceInfo | None) -> None:
        """Run an item to its end, or to the worker's."""
        item = run.item
        images = self._server.begin(item)
        record = RunRecord(item, self._queue, self._publish, images, device=device.name if device else None)
        ending = None
        try:
            self._give(run)
            ending = self._follow(run, record)
        except MessageTooLargeError as error:  # no worker will ever be given it
            self._queue.fail(item.item_id, type(error).__name__, str(error), attempt=item.attempt)
            return
        except WireError as error:
            fields = item_fields(item, worker_id=run.process.worker_id)
            logger.debug("worker %s: %s", run.process.worker_id, error.problem, extra=fields)
        finally:
            self._server.end()
        if ending is not None:
            self._settle(run, record, ending)
        else:
            self._settle_loss(run, record)

    def _give(self, run: Assignment) -> None:
        """Send the worker what earlier attempts wrote down, a portion at a time, and then the run."""
        item, process = run.item, run.process
        if item.attempt > 1:  # a first one has no past
            for lines in self._queue.journal_lines(item.item_id):
                _send_lines(process, item.item_id, lines)
                run.begun = True
        process.send(ToWorker.RUN, _order(item).model_dump(mode="json"))
        run.begun = True

    def _follow(self, run: Assignment, record: RunRecord) -> RunEnding | None:
        """Record what comes until the run ends; None: the process was lost."""
        mailbox = run.process.mailbox
        heard, silent_beats = run.process.heard, 0
        renew_at = time.monotonic() + _LEASE_BEAT_S
        while True:
            messages = mailbox.take(max(0.0, min(renew_at, run.wake_at) - time.monotonic()))
            moment = time.monotonic() + _MOMENT_S
            while messages and messages[-1].kind in _SOON_FOLLOWED and (left_s := moment - time.monotonic()) > 0:
                messages += mailbox.take(left_s)
            ending = record.take(messages)
            if ending is not None:
                return ending
            if not messages and mailbox.closed is not None:
                return None
            if time.monotonic() >= renew_at:
                silent = run.process.heard == heard and not run.process.taking
                silent_beats = silent_beats + 1 if silent else 0
                heard = run.process.heard
                self._renew(run, record, silent_beats)
                renew_at = time.monotonic() + _LEASE_BEAT_S
            if not record.counts:
                run.cancel()
            if record.foretold is not None:
                run.expect_end()
            run.pass_on()

    def _renew(self, run: Assignment, record: RunRecord, silent_beats: int) -> None:
        """Extend the lease of an item whose worker is heard of; let that of another run out, and end it in the end."""
        if not silent_beats:
            record.counts &= self._queue.extend_lease(run.item.item_id, attempt=run.item.attempt)
        elif silent_beats >= _SILENT_BEATS:
            run.process.end_because(f"it has not been heard of for {silent_beats * _LEASE_BEAT_S:g} s")
        self._expire_leases()

    def _settle(self, run: Assignment, record: RunRecord, ending: RunEnding) -> None:
        """Tell the queue how the run ended, if it did not end well, which the record has told it already.

        An item that is no longer this attempt's stays as it is.
        """
        item = run.item
        match ending.outcome:
            case Outcome.INTERRUPTED:
                self._queue.give_back(item.item_id, "the server stopped", attempt=item.attempt, excused=True)
            case Outcome.CANCELED if run.timed_out:
                self._fail_for_time(run, record)
            case Outcome.CANCELED if not run.canceled:
                self._cancel_in_queue(item)  # the node itself gave up
            case Outcome.FAILED if ending.error is not None:
                error = ending.error
                self._queue.fail(item.item_id, error.type, error.summary, error.traceback, attempt=item.attempt)

    def _settle_loss(self, run: Assignment, record: RunRecord) -> None:
        """The process was lost. The item runs again, unless it was certain already how its run would end."""
        item, how = run.item, run.process.end(_END_S)
        if record.foretold is not None:
            self._settle(run, record, record.foretold)
            return
        if run.timed_out:
            self._fail_for_time(run, record)
            return
        reason = f"worker {run.process.worker_id!r} was lost: {how}"
        if run.stopping:
            reason = "the server stopped before the nodes in hand were done"
        if record.in_hand:
            reason = f"{record.in_hand}: {reason}"
        excused = run.stopping or not run.begun
        self._queue.give_back(item.item_id, reason, attempt=item.attempt, excused=excused)

    def _fail_for_time(self, run: Assignment, record: RunRecord) -> None:
        assert self._limits.session_timeout_s is not None  # it has timed out
        error = SessionTimeoutError(self._limits.session_timeout_s, record.in_hand)
        self._queue.fail(run.item.item_id, type(error).__name__, str(error), attempt=run.item.attempt)

    def _cancel_in_queue(self, item: Claim) -> None:
        try:
            self._queue.cancel(item.queue_id, item.item_id, attempt=item.attempt)
        except QueueItemNotFoundError:
            logger.debug("item %d was removed while it ran", item.item_id, extra=item_fields(item))


def _order(item: Claim) -> RunOrder:
    return RunOrder(
        item_id=item.item_id,
        queue_id=item.queue_id,
        batch_id=item.batch_id,
        session_id=item.session_id,
        user_id=item.user_id,
        graph=item.graph,
        metadata=item.metadata or {},
    )


def _send_lines(process: WorkerProcess, item_id: int, lines: Mapping[str, JsonValue]) -> None:
    """Send lines of a journal; as many messages as it takes, since single lines may be large."""
    try:
        process.send(ToWorker.JOURNAL, {"item_id": item_id, "lines": dict(lines)})
    except MessageTooLargeError:
        half = len(lines) // 2
        if not half:
            raise
        _send_lines(process, item_id, dict(islice(lines.items(), half)))
        _send_lines(process, item_id, dict(islice(lines.items(), half, None)))
