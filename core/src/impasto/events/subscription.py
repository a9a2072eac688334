"""`Subscription`: one reader's bounded window on the line of events, for a thread or for a coroutine.

Whoever publishes never waits for it, and it loses nothing durable. While it is *live*, events are put into its buffer.
When they no longer fit, it is *behind*: what comes is left in the log, and the reader fetches it from there, a page at
a time as it reads on, until it has caught up and is live again. A reader that comes back begins behind.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from impasto.errors import SubscriptionEndedError
from impasto.events.buffer import EventBuffer
from impasto.events.envelope import Envelope
from impasto.events.log import Log, LogPage
from impasto.events.wait import LoopWait
from impasto_sdk.events import Event

__all__ = ["Subscription"]

#: Most events that are read from the log at once.
PAGE = 500


class Subscription:
    """What one reader has yet to read. Made by `EventBus.subscribe`; use it as a context manager.

    One reader at a time: either a thread that calls `get`, or a coroutine that awaits `next` or iterates with
    ``async for``.
    """

    def __init__(
        self,
        log: Log,
        *,
        start: int,
        newest: int,
        complete: bool,
        limit: int,
        accept: Callable[[Event], bool] | None,
        on_close: Callable[["Subscription"], None],
    ) -> None:
        """`start`: it reads what comes after this id; `newest`: the id of the newest event there is."""
        #: Whether it begins where the reader left off. False: durable events after that are no longer kept, or it was
        #: not in this line of events; the reader should fetch the present state.
        self.complete = complete
        self._log = log
        self._accept = accept
        self._on_close = on_close
        self._last_id = start
        self._changed = threading.Condition()
        self._loop_wait = LoopWait()
        self._buffer = EventBuffer(limit)
        # every durable event up to this one was handed out, is in the buffer, or is not wanted
        self._covered = start
        # the newest durable event that was offered
        self._newest = newest
        self._behind = start < newest
        self._ended: str | None = None
        self._missed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def last_id(self) -> int:
        """What to come back with: the id of the last event that was handed out."""
        return self._last_id

    @property
    def dropped(self) -> int:
        """How many non-durable events this reader was too slow for."""
        return self._buffer.dropped

    @property
    def behind(self) -> bool:
        """Whether it reads from the log, since it was too slow or has come back."""
        return self._behind

    @property
    def missed(self) -> bool:
        """Whether it ended because events that it had not read yet are no longer kept."""
        return self._missed

    @property
    def waiting(self) -> int:
        """How many events are in its buffer."""
        return len(self._buffer)

    # --- the reader's side ---

    def get(self, timeout_s: float | None = None) -> Envelope | None:
        """The next event, for a thread; None when none came within `timeout_s` seconds (None: wait for ever).

        Raises `SubscriptionEndedError` when no more will come, and `StorageError` when the log cannot be read; it can
        be called again then.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            with self._changed:
                if len(self._buffer):
                    return self._take()
                if not self._behind:
                    self._raise_if_ended()
                    left_s = None if deadline is None else deadline - time.monotonic()
                    if left_s is not None and left_s <= 0:
                        return None
                    self._changed.wait(left_s)
                    continue
                after, newest = self._covered, self._newest
            self._add_page(self._log.read(after, self._page_size), newest)

    async def next(self) -> Envelope:
        """The next event, for a coroutine. Cancelling the wait loses nothing. Raises like `get`."""
        while True:
            woken = None
            with self._changed:
                if len(self._buffer):
                    return self._take()
                if not self._behind:
                    self._raise_if_ended()
                    woken = self._loop_wait.begin()
                after, newest = self._covered, self._newest
            if woken is not None:
                await woken
            else:
                page = await asyncio.to_thread(self._log.read, after, self._page_size)
                self._add_page(page, newest)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Envelope:
        try:
            return await self.next()
        except SubscriptionEndedError:
            if self._missed:
                raise  # a loop that just ended would look as if nothing were missing
            raise StopAsyncIteration from None

    def want(self, accept: Callable[[Event], bool] | None) -> None:
        """Choose other events from now on; what waits and is no longer wanted is let go. See `EventBus.subscribe`."""
        with self._changed:
            self._accept = accept
            self._buffer.keep(lambda envelope: self._wants(envelope.event))

    def close(self) -> None:
        """Stop reading. What is buffered is let go."""
        with self._changed:
            self._buffer.clear()
            self._behind = False
        self.end("the reader closed it")
        self._on_close(self)

    # --- the bus's side ---

    def offer(self, envelopes: Sequence[Envelope]) -> None:
        """Put events into the buffer, if the reader wants them and is not behind. In the order of the bus."""
        with self._changed:
            if self._ended is not None:
                return
            for envelope in envelopes:
                self._offer(envelope)
            if len(self._buffer) or self._behind:
                self._wake()

    def skip(self, newest: int) -> None:
        """Leave all durable events up to the id `newest` to be read from the log."""
        with self._changed:
            if self._ended is None and newest > self._covered:
                self._newest = max(self._newest, newest)
                self._behind = True
                self._wake()

    def end(self, reason: str, *, read_on: bool = False) -> None:
        """No more events will come; what is buffered can still be read, and with `read_on` what the log holds by now.

        Without it, the reader can come back for that.
        """
        with self._changed:
            if self._ended is None:
                self._ended = reason
                self._behind = self._behind and read_on
                self._wake()

    # --- with the lock held ---

    def _offer(self, envelope: Envelope) -> None:
        if envelope.event.durable:
            self._newest = max(self._newest, envelope.id)
            if self._behind or envelope.id <= self._covered:  # it is in the log, or was read from there already
                return
            if self._wants(envelope.event) and not self._buffer.put(envelope):
                self._behind = True
                return
            self._covered = envelope.id
        elif self._behind or envelope.id < self._covered:  # after what is newer it would only mislead
            self._buffer.dropped += 1
        elif self._wants(envelope.event):
            self._buffer.put(envelope)

    def _wants(self, event: Event) -> bool:
        return self._accept is None or self._accept(event)

    def _take(self) -> Envelope:
        envelope = self._buffer.take()
        self._last_id = envelope.id
        return envelope

    def _raise_if_ended(self) -> None:
        if self._ended is not None:
            raise SubscriptionEndedError(self._ended, self._last_id)

    def _wake(self) -> None:
        self._changed.notify()
        self._loop_wait.end()

    # --- behind ---

    @property
    def _page_size(self) -> int:
        return min(PAGE, self._buffer.limit)

    def _add_page(self, page: LogPage, newest: int) -> None:
        """Go on with a page that was read after `newest` had been offered."""
        with self._changed:
            if not self._behind:
                return  # it was ended meanwhile
            if not page.complete:
                self._missed, self._behind = True, False
                self._ended = f"what came after event {self._covered} is no longer kept; fetch the present state"
                return
            for logged in page.events:
                if self._wants(logged.event):
                    self._buffer.put(Envelope.logged(logged))
            # a page that is not full reaches to the end of what was there, so beyond all that had been offered
            self._covered = page.last_id if page.more else max(page.last_id, newest)
            self._behind = self._covered < self._newest
