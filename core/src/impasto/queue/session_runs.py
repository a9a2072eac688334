"""`SessionRuns`: the engine's side of the queue. Items are claimed, journaled, ended, and given back when workers go.

Half of `SessionQueue`, which adds what clients ask for. Every change and the events that tell of it are one
transaction.
"""

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from impasto.queue import announcements
from impasto.queue.queue_view import QueueView
from impasto.queue.records import ClaimedItem
from impasto.queue.stored_batches import claimed_item
from impasto.storage.queue.items import QueueItemStore
from impasto.storage.queue.rows import Claimed, ItemChange
from impasto_sdk.events import Event
from impasto_sdk.fields import JsonValue

__all__ = ["LEASE_S", "SessionRuns"]

#: How long a claim holds unless it is extended, in seconds.
LEASE_S = 60.0
#: Error type of an item that lost its worker once too often.
LOST = "WorkerError"


class SessionRuns(QueueView):
    """What workers do with items, in all queues of the server."""

    def __init__(self, store: QueueItemStore, *, max_attempts: int, affinity_window: int, lease_s: float) -> None:
        super().__init__(store)
        self._store = store
        self._max_attempts = max_attempts
        self._affinity_window = affinity_window
        self._lease_s = lease_s
        #: What is set when there may be more to claim, each with the kind of items that it is for.
        self._bells: list[tuple[bool | None, threading.Event]] = []
        self._cancel_listeners: list[Callable[[int], object]] = []

    def claim(
        self, worker_id: str, *, warm: Collection[str] = (), needs_device: bool | None = None
    ) -> ClaimedItem | None:
        """Take the next item of all queues that are not paused: highest priority first, then the oldest.

        `warm`: keys of the models that the worker holds, the newest first: of the first `affinity_window` places, an
        item that needs more of them goes first. `needs_device`: only items that need one, or only those that need none,
        as if there were no others; None: whichever. None when nothing waits. The item is the worker's until it ends, is
        given back, or its lease runs out.
        """
        claimed = self._store.claim(
            worker_id,
            lease_s=self._lease_s,
            warm=warm,
            window=self._affinity_window,
            needs_device=needs_device,
            tell=_tell_claimed,
        )
        return None if claimed is None else claimed_item(claimed)

    def is_any_waiting(self, *, needs_device: bool) -> bool:
        """Whether an item that needs a device, or one that needs none, could be claimed now."""
        return self._store.is_any_waiting(needs_device=needs_device)

    def add_bell(self, *, needs_device: bool | None = None) -> threading.Event:
        """An event that is set whenever there may be more to claim, of a kind as in `claim`; for one who waits.

        Clear it, then look, then wait: what comes in after the look ends the wait.
        """
        bell = threading.Event()
        self._bells.append((needs_device, bell))
        return bell

    def journal_lines(self, item_id: int, *, limit: int = 1000) -> Iterator[Mapping[str, JsonValue]]:
        """What attempts at an item have written down: outputs by execution id, in order, at most `limit` at a time."""
        return self._store.journal_lines(item_id, limit)

    def journal(
        self,
        item_id: int,
        outputs: Mapping[str, JsonValue],
        *,
        attempt: int | None = None,
        settled: Collection[str] = (),
        events: Sequence[Event] = (),
    ) -> bool:
        """Write what finished executions gave (output documents by execution id), and extend the item's lease.

        When it returns, they are on disk, the images `settled` stay for good, and `events` have left. False: the item
        is no longer this attempt's (it was cancelled, cleared, or given to another worker), and nothing is written.
        The same execution written twice counts once. `outputs` may be empty.
        """
        return self._store.journal(
            item_id,
            outputs,
            attempt=attempt,
            lease_s=self._lease_s,
            settled=settled,
            tell=lambda held: events if held else (),
        )

    def extend_lease(self, item_id: int, *, attempt: int | None = None) -> bool:
        """Say that an attempt is under way: the item stays its own for another lease. False as in `complete`."""
        return self.journal(item_id, {}, attempt=attempt)

    def complete(
        self,
        item_id: int,
        *,
        attempt: int | None = None,
        outputs: Mapping[str, JsonValue] | None = None,
        settled: Collection[str] = (),
        events: Sequence[Event] = (),
    ) -> bool:
        """The session ended well; `outputs` and `settled` as in `journal`, and `events` leave before the item's own.

        False: the item is no longer this attempt's; it stays as it is, and nothing is written or told.
        """
        change = self._store.finish(
            item_id, "completed", attempt=attempt, outputs=outputs, settled=settled, tell=_tell_after(events)
        )
        return change is not None

    def fail(
        self,
        item_id: int,
        error_type: str,
        message: str,
        traceback: str = "",
        *,
        attempt: int | None = None,
        events: Sequence[Event] = (),
    ) -> bool:
        """The session ended with an error; `events` leave before the item's own. False as in `complete`."""
        error = (error_type, message, traceback)
        change = self._store.finish(item_id, "failed", attempt=attempt, error=error, tell=_tell_after(events))
        return change is not None

    def give_back(self, item_id: int, reason: str, *, attempt: int | None = None, excused: bool = False) -> bool:
        """The worker was lost: the item waits again, in its old place, and goes on from its journal.

        With its attempts used up it fails with `reason` instead. `excused`: the attempt does not count, as when the
        server itself is stopping. False as in `complete`.
        """
        change = self._store.give_back(
            item_id,
            (LOST, reason, ""),
            max_attempts=self._max_attempts,
            attempt=attempt,
            excused=excused,
            tell=_tell_after(()),
        )
        if change is None:
            return False
        self._ring(change.item.needs_device)
        return True

    def recover(self) -> int:
        """At start: give back all that was running when the server ended. How many items that is."""
        reason = (LOST, "the server ended while the session ran, and its attempts are used up", "")
        changes = self._store.recover(reason, max_attempts=self._max_attempts, tell=_tell_all)
        self._ring()
        return len(changes)

    def expire_leases(self) -> list[int]:
        """Give back the items whose workers have gone silent: their numbers."""
        reason = (LOST, f"the worker was silent for {self._lease_s:g} s, and the item's attempts are used up", "")
        changes = self._store.recover(reason, max_attempts=self._max_attempts, expired_only=True, tell=_tell_all)
        if changes:
            self._ring()
        return [change.item.item_id for change in changes]

    def add_cancel_listener(self, listener: Callable[[int], object]) -> None:
        """Have `listener(item_id)` called for every running item that is cancelled or removed, once that is on disk."""
        self._cancel_listeners.append(listener)

    def _ring(self, needs_device: bool | None = None) -> None:
        """There may be more to claim: of this kind, or of any."""
        for kind, bell in self._bells:
            if kind is None or needs_device is None or kind == needs_device:
                bell.set()

    def _end_running(self, item_ids: Sequence[int]) -> None:
        """Running items were cancelled or removed: whoever runs them is to stop."""
        for item_id in item_ids:
            for listener in self._cancel_listeners:
                listener(item_id)


def _tell_after(events: Sequence[Event]) -> Callable[[ItemChange | None], Sequence[Event]]:
    return lambda change: () if change is None else (*events, announcements.status_changed(change))


def _tell_all(changes: Sequence[ItemChange]) -> Sequence[Event]:
    return [announcements.status_changed(change) for change in changes]


def _tell_claimed(claimed: Claimed | None) -> Sequence[Event]:
    return () if claimed is None else (announcements.status_changed(claimed.change),)
