"""`OpenAIApp`: the web app that the server mounts. It is put together by its first call, which imports Starlette."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.applications import Starlette

__all__ = ["OpenAIApp"]

Message = MutableMapping[str, Any]


class OpenAIApp:
    """An ASGI application that costs nothing until it is used."""

    def __init__(self) -> None:
        self._app: Starlette | None = None

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """Answer a request."""
        if self._app is None:
            from impasto_openai_server.routes import create_app

            self._app = create_app()
        await self._app(scope, receive, send)
