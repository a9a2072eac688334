"""`EventBus`: what happens, from any thread, to every reader in one order.

Publishing never waits for a reader, nor for the disk. Durable events go through the log, which keeps them and gives
them their ids; those that were written with the change they tell of come from there as well. All others (progress) are
for who is there.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

from impasto.errors import StorageError
from impasto.events.buffer import TRANSIENT_LIMIT
from impasto.events.envelope import Envelope
from impasto.events.fan_out import FanOut
from impasto.events.listeners import ListenerThread
from impasto.events.log import Log, LoggedEvent
from impasto.events.subscription import Subscription
from impasto_sdk.events import Event

__all__ = ["EventBus"]

logger = logging.getLogger(__name__)

_STOPS = "the server stops"


class EventBus:
    """Hands events to listeners and subscriptions. It listens to `log`, which must be open before anybody reads.

    `buffer` is how many events may wait in memory for one reader; the rest of what it has yet to read is in the log.
    """

    def __init__(self, log: Log, buffer: int) -> None:
        self._log = log
        self._buffer = buffer
        # never held while something waits: the writer of the log takes it
        self._changed = threading.Condition()
        self._fan_out = FanOut(log, buffer)
        #: The newest durable event that went to the readers; None: the log knows.
        self._last_id: int | None = None
        #: How many durable events were published here, and how many of these are kept, or never will be.
        self._submitted = 0
        self._settled = 0
        #: Transient events that were published behind durable ones which are not kept yet, with the last one's number.
        self._held: deque[tuple[int, Event]] = deque(maxlen=TRANSIENT_LIMIT)
        self._listeners: dict[str, ListenerThread] = {}
        self._closed = False
        log.listen(self._hand_out)

    @property
    def epoch(self) -> str:
        """Names the line of events that ids are of: that of the database."""
        return self._log.epoch

    @property
    def last_id(self) -> int:
        """Id of the newest durable event that went to the readers; 0 before the first."""
        return self._log.last_id if self._last_id is None else self._last_id

    @property
    def readers(self) -> int:
        """How many subscriptions are open; listeners have one for each of their threads."""
        return self._fan_out.readers

    @property
    def dropped(self) -> int:
        """How many progress events readers were too slow for, since the bus was made."""
        return self._fan_out.dropped

    def publish(self, event: Event) -> None:
        """Hand `event` to every reader: a durable one once it is kept, any other behind those published before it.

        Any thread may call it but the database's writer, which writes events with the change they tell of. A durable
        event that cannot be kept is logged, and nobody hears of it.
        """
        with self._changed:
            if event.durable:
                self._submit(event)
            elif self._settled < self._submitted:
                self._held.append((self._submitted, event))
            else:
                self._fan_out.put([Envelope(self.last_id, event)])

    def subscribe(
        self,
        since: int | None = None,
        accept: Callable[[Event], bool] | None = None,
        limit: int | None = None,
    ) -> Subscription:
        """A new reader, of all that comes; with `since`, of the durable events after that id before it.

        An id that is not of this line of events (it is newer than the newest, negative, or was lost) gives what comes
        from now on, and `Subscription.complete` is false. `accept` says which events it wants; it is called on the
        thread of the bus, so it must be quick and must not raise. `limit` is how many events may wait in memory; None:
        as many as the bus says.
        """
        with self._changed:
            newest = self.last_id
            # who read the log may have seen what is on its way here
            known = since is None or (0 <= since <= self._log.taken_id and not self._log.was_skipped(since))
            forgotten_id = self._log.forgotten_id
            subscription = Subscription(
                self._log,
                start=newest if since is None or not known else max(since, forgotten_id),
                newest=max(newest, since or 0) if known else newest,
                complete=known and (since is None or since >= forgotten_id),
                limit=self._buffer if limit is None else limit,
                accept=accept,
                on_close=self._fan_out.remove,
            )
            if self._closed:
                subscription.end(_STOPS)
            else:
                self._fan_out.add(subscription)
            return subscription

    def add_listener(self, listener: Callable[[Event], object], *, thread: str = "listeners") -> None:
        """Call `listener` with every event from now on, in order, on the thread of this name.

        What it raises is logged. One that falls far behind loses progress and nothing else; it holds up those that
        share its thread, and no others.
        """
        with self._changed:
            listeners = self._listeners.setdefault(thread, ListenerThread(self.subscribe, thread))
        listeners.add(listener)

    def close(self, timeout_s: float = 5.0) -> None:
        """End every subscription, and let listeners hear what was published; a stuck one is left after `timeout_s`."""
        with self._changed:
            self._changed.wait_for(lambda: self._settled == self._submitted, timeout_s)
            self._closed = True
        subscriptions = self._fan_out.close(timeout_s)
        threads = list(self._listeners.values())
        for thread in threads:
            thread.end(_STOPS)
        for subscription in subscriptions:
            subscription.end(_STOPS)
        for thread in threads:
            thread.join(timeout_s)

    def _submit(self, event: Event) -> None:
        self._submitted += 1
        try:
            future = self._log.submit([event])
        except StorageError as error:
            self._submitted -= 1
            logger.error("nobody is told of %s, for it cannot be kept: %s", event.name, error)
        else:
            future.add_done_callback(lambda future: self._settle(event, future))

    def _settle(self, event: Event, future: Future[Any]) -> None:
        """A durable event is kept and was handed out, or never will be; they come in the order of their publishing."""
        if (error := future.exception()) is not None:
            logger.error("nobody is told of %s, for it could not be kept: %s", event.name, error)
        with self._changed:
            self._settled += 1
            while self._held and self._held[0][0] <= self._settled:
                self._fan_out.put([Envelope(self.last_id, self._held.popleft()[1])])
            self._changed.notify_all()

    def _hand_out(self, logged: Sequence[LoggedEvent]) -> None:
        """Events are on disk. Called by the log, on the database's writer thread."""
        with self._changed:
            self._last_id = logged[-1].id
            self._fan_out.put([Envelope.logged(one) for one in logged])
