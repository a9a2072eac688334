"""`PictureRun`: an order in the queue, from enqueueing to its pictures. Whoever leaves before the end cancels it."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from impasto_openai_server.errors import RunFailedError
from impasto_openai_server.host import Enqueued, Host, StoredImage
from impasto_openai_server.order import Order
from impasto_openai_server.refusals import refusal_of
from impasto_sdk.asgi import ApiEvent, ApiPreview, EventSocket
from impasto_sdk.errors import ApiClosedError, ApiError
from impasto_sdk.fields import JsonValue

__all__ = ["Finished", "PictureRun", "Preview"]

#: Events that say that an item has ended, or may have.
_ENDS = ("queue_item_status_changed", "queue_items_canceled", "queue_items_deleted", "queue_cleared")
_PROGRESS = "invocation_progress"
#: The close code of a stream of events whose reader is to come back (RFC 6455's registry).
_TRY_AGAIN = 1013


@dataclass(frozen=True, slots=True)
class Preview:
    """How a picture looks so far."""

    #: Which of the pictures, from 0.
    index: int
    #: How far it is, 0 to 1.
    share: float
    picture: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Finished:
    """A picture is done."""

    index: int
    image: StoredImage


class PictureRun:
    """An async context manager: the order is in the queue once it is entered. Then read `pictures`, once."""

    def __init__(self, host: Host, order: Order, *, previews: bool) -> None:
        self._host = host
        self._order = order
        self._previews = previews
        self._stack = AsyncExitStack()
        self._events: EventSocket | None = None
        self._enqueueing: asyncio.Task[None] | None = None
        self._enqueued: Enqueued | None = None
        #: Numbers of the pictures that are still to come, by item.
        self._waiting: dict[int, int] = {}

    async def __aenter__(self) -> Self:
        await self._open(None)  # before anything can happen that is to be heard of
        self._enqueueing = asyncio.create_task(self._enqueue())
        try:
            await asyncio.shield(self._enqueueing)
        except BaseException:
            await self._leave()
            raise
        assert self._events is not None
        assert self._enqueued is not None
        self._events.subscribe(batch_ids=[self._enqueued.batch_id], names=self._names)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._leave()

    async def pictures(self) -> AsyncGenerator[Preview | Finished, None]:
        """Each picture as it is done, in whatever order, and previews of them if they were asked for.

        Raises `RunFailedError` as soon as one comes to nothing.
        """
        share_of: dict[int, float] = {}
        async for told in self._told():
            if isinstance(told, ApiPreview):
                index = self._waiting.get(told.item_id)
                if index is not None and told.id in share_of:
                    yield Preview(index, share_of[told.id], told.picture)
            elif told.name == _PROGRESS:
                # the picture comes right behind its event
                share_of = {told.id: float(told.data.get("percentage") or 0)}
            else:
                for item_id in self._touched(told):
                    finished = await self._finished(item_id)
                    if finished is not None:
                        yield finished
                if not self._waiting:
                    return

    @property
    def _names(self) -> list[str]:
        return [*_ENDS, *([_PROGRESS] if self._previews else [])]

    async def _open(self, last_id: int | None) -> None:
        await self._stack.aclose()
        batch_ids = None if self._enqueued is None else [self._enqueued.batch_id]
        events = self._host.api.events(previews=self._previews, last_id=last_id, names=self._names, batch_ids=batch_ids)
        try:
            self._events = await self._stack.enter_async_context(events)
        except ApiError as error:
            raise refusal_of(error) from error

    async def _enqueue(self) -> None:
        order = self._order
        try:
            self._enqueued = await self._host.enqueue(order.panel_id, order.values, order.count)
        except ApiError as error:
            raise refusal_of(error, order.params) from error
        self._waiting = {item_id: index for index, item_id in enumerate(self._enqueued.item_ids)}

    async def _told(self) -> AsyncIterator[ApiEvent | ApiPreview]:
        """The events, across breaks of their stream that the server asks to come back from."""
        while True:
            assert self._events is not None
            try:
                async for told in self._events:
                    yield told
            except ApiClosedError as closed:
                if closed.code != _TRY_AGAIN:
                    raise refusal_of(closed) from closed
                await self._open(self._events.last_id)
                yield self._events.hello  # of what was missed, not all may be told again

    def _touched(self, event: ApiEvent) -> list[int]:
        """The items still to come that an event may be about the end of: all, unless it names one."""
        if event.name != "queue_item_status_changed":
            return list(self._waiting)
        item_id: JsonValue = event.data.get("item_id")
        ended = event.data.get("status") in ("completed", "failed", "canceled")
        return [item_id] if ended and item_id in self._waiting else []

    async def _finished(self, item_id: int) -> Finished | None:
        """What became of an item; None while nothing has. Raises `RunFailedError`."""
        try:
            item = await self._host.item(item_id)
            if item.status == "completed":
                return Finished(self._waiting.pop(item_id), await self._host.picture_of(item))
        except ApiError as error:
            raise refusal_of(error) from error
        if item.status == "failed":
            del self._waiting[item_id]
            raise RunFailedError(f"the picture could not be made: {item.error}", code="run_failed")
        if item.status == "canceled":
            del self._waiting[item_id]
            raise RunFailedError("somebody cancelled the picture before it was done", code="run_canceled")
        return None

    async def _leave(self) -> None:
        """Cancel what has not ended. In a task of its own: who leaves may be cancelled once more meanwhile."""
        await asyncio.shield(asyncio.create_task(self._end()))

    async def _end(self) -> None:
        try:
            if self._enqueueing is not None:  # what is being stored can be cancelled once it is
                await asyncio.wait({self._enqueueing})
            if self._enqueued is not None and self._waiting:
                # a server that stops, or forgot them, has nothing left to cancel
                with contextlib.suppress(ApiError):
                    await self._host.cancel(self._enqueued)
        finally:
            await self._stack.aclose()
