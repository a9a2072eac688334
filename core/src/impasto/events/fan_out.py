"""`FanOut`: the bus's own thread, which hands events to every subscription, so that nobody who publishes has to.

What waits for the thread is bounded too: when durable events come faster than it hands them out, it lets go of them
and reads them again from the log, once for all readers.
"""

import threading
from collections.abc import Sequence

from impasto.errors import StorageError
from impasto.events.buffer import EventBuffer
from impasto.events.envelope import Envelope
from impasto.events.log import Log
from impasto.events.subscription import PAGE, Subscription

__all__ = ["FanOut"]


class FanOut:
    """Hands out what it is given, in order. At most `limit` events wait; the thread runs from the first reader on."""

    def __init__(self, log: Log, limit: int) -> None:
        self._log = log
        self._changed = threading.Condition()
        self._inbox = EventBuffer(limit)
        #: What did not fit: the durable events after one id and through another.
        self._left_out: tuple[int, int] | None = None
        self._subscriptions: tuple[Subscription, ...] = ()
        #: What readers that are gone were too slow for.
        self._dropped = 0
        self._thread: threading.Thread | None = None
        self._closed = False

    @property
    def readers(self) -> int:
        """How many subscriptions there are."""
        return len(self._subscriptions)

    @property
    def dropped(self) -> int:
        """How many progress events readers were too slow for, until now; one that none of them got counts once."""
        with self._changed:
            return self._inbox.dropped + self._dropped + sum(each.dropped for each in self._subscriptions)

    def add(self, subscription: Subscription) -> None:
        """Hand a subscription all that is put in from now on, and maybe some of what was before."""
        with self._changed:
            self._subscriptions = (*self._subscriptions, subscription)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="impasto-events", daemon=True)
                self._thread.start()

    def remove(self, subscription: Subscription) -> None:
        """Hand it no more."""
        with self._changed:
            if subscription in self._subscriptions:
                self._dropped += subscription.dropped
                self._subscriptions = tuple(each for each in self._subscriptions if each is not subscription)

    def put(self, envelopes: Sequence[Envelope]) -> None:
        """Hand out events; returns at once, however many readers there are."""
        with self._changed:
            if not self._subscriptions:
                return
            for envelope in envelopes:
                if not self._inbox.put(envelope):
                    self._leave_out(envelope)
            self._changed.notify()

    def close(self, timeout_s: float) -> tuple[Subscription, ...]:
        """Hand out what waits, and end the thread; gives the subscriptions, which nobody hands anything now."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(timeout_s)
        with self._changed:
            subscriptions, self._subscriptions = self._subscriptions, ()
        return subscriptions

    def _leave_out(self, envelope: Envelope) -> None:
        """Leave an event, and all that waits before it, in the log; called with the lock held."""
        oldest = self._inbox.take()
        after = oldest.id - 1 if oldest.event.durable else oldest.id
        if self._left_out is not None:
            after = self._left_out[0]
        self._left_out = (after, envelope.id)
        self._inbox.clear()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not (len(self._inbox) or self._left_out or self._closed):
                    self._changed.wait()
                if not (len(self._inbox) or self._left_out):
                    return
                left_out, self._left_out = self._left_out, None
                envelopes = [self._inbox.take() for _ in range(len(self._inbox))]
                subscriptions = self._subscriptions
            if left_out is not None:
                self._hand_out_from_log(*left_out, subscriptions)
            for subscription in subscriptions:
                subscription.offer(envelopes)

    def _hand_out_from_log(self, after: int, through: int, subscriptions: Sequence[Subscription]) -> None:
        while after < through:
            try:
                page = self._log.read(after, PAGE)
            except StorageError:
                page = None
            if page is None or not page.complete:
                for subscription in subscriptions:
                    subscription.skip(through)  # each finds out for itself, when it reads on
                return
            envelopes = [Envelope.logged(one) for one in page.events]
            for subscription in subscriptions:
                subscription.offer(envelopes)
            if not page.more:
                return
            after = page.last_id
