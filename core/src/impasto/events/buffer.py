"""`EventBuffer`: what waits for one reader, bounded. Progress goes first when there is no room; nothing here waits.

Not safe for threads: whoever owns one has a lock.
"""

from collections import deque
from collections.abc import Callable

from impasto.events.envelope import Envelope

__all__ = ["TRANSIENT_LIMIT", "EventBuffer"]

#: Most events that are not durable which wait in one buffer, whatever its limit: each may carry a preview picture, and
#: of progress only the newest is of any use.
TRANSIENT_LIMIT = 64


class EventBuffer:
    """At most `limit` envelopes, given out in the order in which they were put in."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        #: How many non-durable events there was no room for.
        self.dropped = 0
        # both in order, and together by their ids: a transient one goes behind the durable one whose id it has
        self._durable: deque[Envelope] = deque()
        self._transient: deque[Envelope] = deque()

    def __len__(self) -> int:
        return len(self._durable) + len(self._transient)

    def put(self, envelope: Envelope) -> bool:
        """Add an envelope, or let it go if it is progress that does not fit. False: it is durable and does not fit."""
        if not envelope.event.durable:
            self._put_transient(envelope)
            return True
        if len(self) >= self.limit and not self._drop_oldest():
            return False
        self._durable.append(envelope)
        return True

    def take(self) -> Envelope:
        """The next one. There must be one."""
        durable, transient = self._durable, self._transient
        use_durable = durable and (not transient or durable[0].id <= transient[0].id)
        return (durable if use_durable else transient).popleft()

    def keep(self, wanted: Callable[[Envelope], bool]) -> None:
        """Let go of all that is not wanted."""
        self._durable = deque(filter(wanted, self._durable))
        self._transient = deque(filter(wanted, self._transient))

    def clear(self) -> None:
        """Let go of everything; progress counts as dropped."""
        self.dropped += len(self._transient)
        self._durable.clear()
        self._transient.clear()

    def _put_transient(self, envelope: Envelope) -> None:
        full = len(self._transient) >= TRANSIENT_LIMIT or len(self) >= self.limit
        if full and not self._drop_oldest():
            self.dropped += 1
            return
        self._transient.append(envelope)

    def _drop_oldest(self) -> bool:
        """Let the oldest progress go; False: there is none."""
        if not self._transient:
            return False
        self._transient.popleft()
        self.dropped += 1
        return True
