"""`Subscription`: one reader's bounded buffer between the bus and a thread or a coroutine.

The publisher never waits. A buffer that is full loses progress first; when it holds nothing but durable events and
another one comes, the subscription ends with a reason, and the reader comes back with the last id it saw.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

from impasto.errors import SubscriptionEndedError
from impasto.events.envelope import Envelope
from impasto_sdk.events import Event

__all__ = ["Subscription"]

#: Most non-durable events that wait for a reader, whatever its limit: each may carry a preview picture, and of progress
#: only the newest is of any use.
TRANSIENT_LIMIT = 64


class Subscription:
    """What one reader has yet to read. Made by `EventBus.subscribe`; use it as a context manager.

    One reader at a time: either a thread that calls `get`, or a coroutine that awaits `next` or iterates with
    ``async for``.
    """

    def __init__(
        self,
        *,
        replay: Iterable[Envelope],
        last_id: int,
        complete: bool,
        limit: int,
        accept: Callable[[Event], bool] | None,
        on_close: Callable[["Subscription"], None],
    ) -> None:
        #: Whether the replay is whole. False: durable events after `since` are no longer kept, or `since` is an id that
        #: this bus has not given (the server was started again); the reader should fetch the present state.
        self.complete = complete
        self._accept = accept
        self._on_close = on_close
        self._durable = deque(replay)
        self._transient: deque[Envelope] = deque()
        # what is replayed does not count: it was all there when the reader came
        self._limit = limit + len(self._durable)
        self._last_id = last_id
        self._ended: str | None = None
        self._overflowed = False
        self._dropped = 0
        self._changed = threading.Condition()
        self._waiter: tuple[asyncio.AbstractEventLoop, asyncio.Future[None]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def last_id(self) -> int:
        """Id of the last event that was handed out: what to come back with."""
        return self._last_id

    @property
    def dropped(self) -> int:
        """How many non-durable events this reader was too slow for."""
        return self._dropped

    @property
    def overflowed(self) -> bool:
        """Whether it ended because durable events no longer fitted, so that something is missing after `last_id`."""
        return self._overflowed

    def get(self, timeout_s: float | None = None) -> Envelope | None:
        """The next event, for a thread; None when none came within `timeout_s` seconds (None: wait for ever).

        Raises `SubscriptionEndedError` when all that was kept is read and no more will come.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        with self._changed:
            while not self._durable and not self._transient:
                if self._ended is not None:
                    raise SubscriptionEndedError(self._ended, self._last_id)
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    return None
                self._changed.wait(left)
            return self._take()

    async def next(self) -> Envelope:
        """The next event, for a coroutine. Cancelling the wait loses nothing. Raises like `get`."""
        loop = asyncio.get_running_loop()
        while True:
            with self._changed:
                if self._durable or self._transient:
                    return self._take()
                if self._ended is not None:
                    raise SubscriptionEndedError(self._ended, self._last_id)
                woken = loop.create_future()
                self._waiter = (loop, woken)
            await woken

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Envelope:
        try:
            return await self.next()
        except SubscriptionEndedError:
            if self._overflowed:
                raise  # a loop that just ended would look as if nothing were missing
            raise StopAsyncIteration from None

    def close(self) -> None:
        """Stop reading. What is buffered is let go."""
        with self._changed:
            self._durable.clear()
            self._transient.clear()
        self.end("the reader closed it")
        self._on_close(self)

    def end(self, reason: str) -> None:
        """No more events will come; what is buffered can still be read. Called by the bus."""
        with self._changed:
            self._end(reason)

    def offer(self, envelope: Envelope) -> None:
        """Put an event into the buffer, if the reader wants it. Called by the bus, in order of ids."""
        if self._accept is not None and not self._accept(envelope.event):
            return
        with self._changed:
            if self._ended is not None:
                return
            if not envelope.event.durable and len(self._transient) >= TRANSIENT_LIMIT:
                self._drop_oldest()
            full = len(self._durable) + len(self._transient) >= self._limit
            if full and not self._make_room(envelope):
                return
            (self._durable if envelope.event.durable else self._transient).append(envelope)
            self._wake()

    def _make_room(self, envelope: Envelope) -> bool:
        """Whether `envelope` may be added now; called with the lock held and the buffer full."""
        if self._transient:
            self._drop_oldest()
            return True
        if not envelope.event.durable:
            self._dropped += 1
            return False
        self._overflowed = True
        self._end(f"the reader is too slow: {self._limit} events wait for it; come back with the last id that was read")
        return False

    def _drop_oldest(self) -> None:
        self._transient.popleft()
        self._dropped += 1

    def _take(self) -> Envelope:
        durable, transient = self._durable, self._transient
        use_durable = durable and (not transient or durable[0].id < transient[0].id)
        envelope = (durable if use_durable else transient).popleft()
        self._last_id = envelope.id
        return envelope

    def _end(self, reason: str) -> None:
        if self._ended is None:
            self._ended = reason
            self._wake()

    def _wake(self) -> None:
        self._changed.notify()
        waiter, self._waiter = self._waiter, None
        if waiter is None:
            return
        loop, woken = waiter
        try:
            loop.call_soon_threadsafe(_resolve, woken)
        except RuntimeError:
            # the reader's loop was closed while it waited: there is nobody to wake
            return


def _resolve(woken: asyncio.Future[None]) -> None:
    if not woken.done():
        woken.set_result(None)
