"""`EventStreams`: the open event streams of one server, so that it can end them all when it stops.

A stream never ends by itself, and a server that waits for its connections would wait for ever.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from impasto.api.event_filter import EventFilter
from impasto.api.event_frames import SentEvents
from impasto.api.event_position import EventPosition
from impasto.events import EventBus, Subscription
from impasto_sdk.fields import JsonValue

__all__ = ["EventStreams"]

#: A position of no line of events.
_NOWHERE = -1


class EventStreams:
    """Opens streams on the bus and ends them."""

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus
        self._lock = threading.Lock()
        self._open: set[Subscription] = set()
        self._closed = False
        self._sent: SentEvents | None = None

    @property
    def epoch(self) -> str:
        """The line of events that ids are of: ids of another one say nothing here."""
        return self._bus.epoch

    @property
    def sent(self) -> SentEvents:
        """How events are written as server-sent events, the same for all streams."""
        if self._sent is None:  # the bus does not know its line before it is started
            self._sent = SentEvents(self.epoch)
        return self._sent

    @contextmanager
    def open(self, position: EventPosition | None, wanted: EventFilter) -> Iterator[Subscription]:
        """A stream of what comes after `position`; None: of what comes from now on."""
        since = None if position is None else position.id
        if position is not None and position.epoch not in (None, self.epoch):
            since = _NOWHERE
        with self._bus.subscribe(since=since, accept=wanted) as stream:
            with self._lock:
                if self._closed:
                    stream.end("the server stops")
                self._open.add(stream)
            try:
                yield stream
            finally:
                with self._lock:
                    self._open.discard(stream)

    def greeting(self, stream: Subscription) -> dict[str, JsonValue]:
        """What a stream begins with: the epoch, where it starts, and whether nothing is missing before that."""
        return {"epoch": self.epoch, "last_id": stream.last_id, "complete": stream.complete}

    def close(self) -> None:
        """End every stream, and every one that is still opened."""
        with self._lock:
            self._closed = True
            for stream in self._open:
                stream.end("the server stops")
