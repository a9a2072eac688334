"""`ListenerThread`: a thread on which listeners hear of events, in order, held off from one another.

It reads the bus through a subscription like anybody else, so a hook that hangs slows no publisher and fills no memory.
"""

import logging
import threading
from collections.abc import Callable

from impasto.errors import StorageError, SubscriptionEndedError
from impasto.events.subscription import Subscription
from impasto_sdk.events import Event

__all__ = ["ListenerThread"]

logger = logging.getLogger(__name__)

#: How long to wait before the log is read again when it could not be, in seconds.
RETRY_S = 1.0


class ListenerThread:
    """Calls listeners with every event. `subscribe` is the bus's own: ``subscribe(since)``."""

    def __init__(self, subscribe: Callable[[int | None], Subscription], name: str) -> None:
        self._name = f"impasto-{name}"
        self._subscribe = subscribe
        self._listeners: tuple[Callable[[Event], object], ...] = ()
        self._lock = threading.Lock()
        self._subscription: Subscription | None = None
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, listener: Callable[[Event], object]) -> None:
        """Call `listener` from now on; the first one starts the thread."""
        with self._lock:
            self._listeners = (*self._listeners, listener)
            if self._thread is None:
                # subscribed here, not on the thread: an event published right after `add` must not be missed
                self._subscription = self._subscribe(None)
                self._thread = threading.Thread(
                    target=self._run, args=(self._subscription,), name=self._name, daemon=True
                )
                self._thread.start()

    def end(self, reason: str) -> None:
        """No more events come; the listeners hear those that are in the log by now."""
        self._ending.set()
        with self._lock:
            if self._subscription is not None:
                self._subscription.end(reason, read_on=True)

    def join(self, timeout_s: float) -> None:
        """Wait until the listeners have heard everything; called after `end`."""
        if self._thread is None or self._thread is threading.current_thread():
            return
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            logger.warning("a listener did not finish within %s s; events it has not heard are let go", timeout_s)

    def _run(self, subscription: Subscription) -> None:
        current: Subscription | None = subscription
        while current is not None:
            with current:
                current = self._read(current)

    def _read(self, subscription: Subscription) -> Subscription | None:
        """Read to the end; gives the subscription to go on with when there is a hole in this one."""
        while True:
            try:
                envelope = subscription.get()
            except SubscriptionEndedError as ended:
                return self._again(subscription, ended) if subscription.missed else None
            except StorageError as error:
                if self._ending.is_set():
                    return None  # the database is closed: whoever stops the server has waited long enough
                logger.error("listeners wait for events that cannot be read: %s", error)
                self._ending.wait(RETRY_S)
            else:
                if envelope is not None:
                    self._call(envelope.event)

    def _again(self, subscription: Subscription, ended: SubscriptionEndedError) -> Subscription | None:
        logger.error("listeners have missed events, raise `event_retention_s`: %s", ended)
        with self._lock:
            if self._ending.is_set():
                return None
            self._subscription = self._subscribe(subscription.last_id)
            return self._subscription

    def _call(self, event: Event) -> None:
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:  # it may belong to a plugin, and the others are to hear the event too
                logger.exception("a listener failed on %s", event.name)
