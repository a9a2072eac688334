"""`EventBus`: events are published from any thread and reach every reader in one order.

Publishing never waits for a reader. Durable events are kept in a ring, so that a client that comes back with the last
id it saw gets what it missed; the others (progress) are for who is there.
"""

import threading
from collections import deque
from collections.abc import Callable

from impasto.events.envelope import Envelope
from impasto.events.listeners import ListenerThread
from impasto.events.subscription import Subscription
from impasto_sdk.events import Event
from impasto_sdk.ids import new_id

__all__ = ["EventBus"]


class EventBus:
    """Gives events their ids and hands them to listeners and subscriptions.

    `buffer` is how many durable events are kept for readers that come back, and how many wait for a slow one.
    """

    def __init__(self, buffer: int) -> None:
        #: Names this bus's life: ids begin at 1 again with a new one, so an id from another life says nothing.
        self.epoch = new_id()
        self._buffer = buffer
        self._lock = threading.Lock()
        self._ring: deque[Envelope] = deque(maxlen=buffer)
        self._last_id = 0
        #: The newest durable event that the ring no longer holds; 0: it holds all.
        self._forgotten_id = 0
        self._subscriptions: list[Subscription] = []
        self._listeners: ListenerThread | None = None
        self._closed = False

    @property
    def last_id(self) -> int:
        """Id of the newest event; 0 before the first."""
        return self._last_id

    def publish(self, event: Event) -> int:
        """Give `event` its id and hand it to every reader. Any thread may call it; it never waits for a reader."""
        with self._lock:
            self._last_id += 1
            envelope = Envelope(self._last_id, event)
            if event.durable:
                if len(self._ring) == self._buffer:
                    self._forgotten_id = self._ring[0].id
                self._ring.append(envelope)
            for subscription in self._subscriptions:
                subscription.offer(envelope)
            return envelope.id

    def subscribe(
        self,
        since: int | None = None,
        accept: Callable[[Event], bool] | None = None,
        limit: int | None = None,
    ) -> Subscription:
        """A new reader. It gets the kept durable events after the id `since`, if that is given, and all that come.

        `accept` says which events it wants; it is called while publishing, so it must be quick and must not raise.
        `limit` is how many events may wait for it; None: as many as the bus keeps.
        """
        with self._lock:
            known = since is None or since <= self._last_id
            start = (self._last_id if since is None else since) if known else 0
            subscription = Subscription(
                replay=[e for e in self._ring if e.id > start and (accept is None or accept(e.event))],
                last_id=start,
                complete=known and self._forgotten_id <= start,
                limit=self._buffer if limit is None else limit,
                accept=accept,
                on_close=self._forget,
            )
            if self._closed:
                subscription.end("the server stops")
            else:
                self._subscriptions.append(subscription)
            return subscription

    def add_listener(self, listener: Callable[[Event], object]) -> None:
        """Call `listener` with every event from now on, in order, on the bus's one listener thread.

        What it raises is logged. A listener that falls far behind loses progress first, and is told nothing twice.
        """
        with self._lock:
            thread = self._listeners
            if thread is None:
                thread = self._listeners = ListenerThread(self.subscribe)
        thread.add(listener)

    def close(self, timeout_s: float = 5.0) -> None:
        """End every subscription, and let listeners hear what was published; a stuck one is left after `timeout_s`."""
        with self._lock:
            self._closed = True
            subscriptions, self._subscriptions = self._subscriptions, []
        for subscription in subscriptions:
            subscription.end("the server stops")
        if self._listeners is not None:
            self._listeners.join(timeout_s)

    def _forget(self, subscription: Subscription) -> None:
        with self._lock:
            if subscription in self._subscriptions:
                self._subscriptions.remove(subscription)
