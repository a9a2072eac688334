"""`LoopWait`: lets threads wake a coroutine that waits, of whichever event loop it is. Used by `Subscription`."""

import asyncio

__all__ = ["LoopWait"]


class LoopWait:
    """One coroutine's wait at a time. Not safe for threads by itself: whoever owns one has a lock."""

    def __init__(self) -> None:
        self._waiter: tuple[asyncio.AbstractEventLoop, asyncio.Future[None]] | None = None

    def begin(self) -> asyncio.Future[None]:
        """What the coroutine is to await, without the lock."""
        loop = asyncio.get_running_loop()
        woken: asyncio.Future[None] = loop.create_future()
        self._waiter = (loop, woken)
        return woken

    def end(self) -> None:
        """Wake the coroutine, if one waits. Any thread may call it."""
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
