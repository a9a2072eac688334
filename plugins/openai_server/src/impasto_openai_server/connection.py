"""Waiting for work while a client waits for it: what happens when it leaves, and what it hears meanwhile."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, MutableMapping
from contextlib import aclosing
from typing import Any, TypeVar

__all__ = ["ClientGoneError", "while_connected", "with_pauses"]

T = TypeVar("T")


class ClientGoneError(Exception):
    """The client left before it was answered, and what was done for it was ended."""


async def while_connected(
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]], work: Coroutine[Any, Any, None]
) -> None:
    """Do `work` for the client at the other end of `receive`, whose body has been read.

    When the client leaves, the work is cancelled, its end is waited for, and `ClientGoneError` raised.
    """
    working, leaving = asyncio.create_task(work), asyncio.create_task(_left(receive))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientGoneError
        working.result()
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.wait({working, leaving})


async def with_pauses(source: AsyncGenerator[T, None], seconds: float) -> AsyncGenerator[T | None, None]:
    """What `source` gives, and None whenever it has given nothing for so long."""
    async with aclosing(source):
        coming: asyncio.Future[T] | None = None
        try:
            while True:
                coming = coming or asyncio.ensure_future(anext(source))
                await asyncio.wait({coming}, timeout=seconds)
                if not coming.done():
                    yield None
                    continue
                try:
                    one = coming.result()
                except StopAsyncIteration:
                    return
                coming = None
                yield one
        finally:
            if coming is not None:
                coming.cancel()
                await asyncio.wait({coming})


async def _left(receive: Callable[[], Awaitable[MutableMapping[str, Any]]]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
