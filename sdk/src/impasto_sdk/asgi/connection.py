"""`AsgiConnection`: one request or one socket of an ASGI application, from the client's side.

The application runs in a task of its own. What it sends waits here until it is read, a little of it: then the
application waits. Leaving tells it that its client is gone, as a server would.
"""

import asyncio
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any, Self

from impasto_sdk.contributions import AsgiApp
from impasto_sdk.errors import ApiClosedError

__all__ = ["AsgiConnection"]

Message = MutableMapping[str, Any]

#: Messages of the application that may wait to be read.
UNREAD = 16
#: Seconds that an application has to end by itself once its client is gone; then its task is cancelled.
GRACE_S = 5.0
#: The close code of a socket that ended without one (RFC 6455, 7.1.5).
ABNORMAL = 1006
#: Stands behind the last message of an application.
_END: Message = {}


class AsgiConnection:
    """Runs `app` with `scope`. An async context manager; `put` and `get` are for use inside of it."""

    def __init__(self, app: AsgiApp, scope: MutableMapping[str, Any]) -> None:
        self._app = app
        self._scope = scope
        self._incoming: asyncio.Queue[Message] = asyncio.Queue()
        self._outgoing: asyncio.Queue[Message] = asyncio.Queue(UNREAD)
        self._left = False
        self._ended = False
        self._run: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._run = asyncio.create_task(self._call())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # a task of its own: who leaves because it is cancelled may be cancelled again while it waits
        await asyncio.shield(asyncio.create_task(self._leave()))

    def put(self, message: Message) -> None:
        """Send a message to the application."""
        self._incoming.put_nowait(message)

    async def get(self) -> Message:
        """The next message of the application. Raises `ApiClosedError` when it ends without another."""
        assert self._run is not None, "use it as a context manager"
        if not self._ended:
            message = await self._outgoing.get()
            if message is not _END:
                return message
            self._ended = True
        await asyncio.wait({self._run})
        failure = self._run.exception()
        words = "the application ended" if failure is None else f"the application failed: {failure}"
        raise ApiClosedError(ABNORMAL, words) from failure

    async def _call(self) -> None:
        try:
            await self._app(self._scope, self._incoming.get, self._send)
        finally:
            await self._send(_END)

    async def _send(self, message: Message) -> None:
        if not self._left:
            await self._outgoing.put(message)

    async def _leave(self) -> None:
        assert self._run is not None
        self._left = True
        kind = self._scope["type"]
        self.put({"type": f"{kind}.disconnect", **({"code": 1000} if kind == "websocket" else {})})
        while not self._outgoing.empty():  # one that waits to send may go on
            self._outgoing.get_nowait()
        _, running = await asyncio.wait({self._run}, timeout=GRACE_S)
        if running:
            self._run.cancel()
            await asyncio.wait({self._run})
        if not self._run.cancelled():
            self._run.exception()  # it was told, or it is nobody's any more
