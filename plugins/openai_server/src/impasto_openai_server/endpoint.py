"""What all endpoints have in common: the server behind them, and that everything is answered. Imports Starlette."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from impasto_openai_server.host import Host
from impasto_openai_server.responses import as_refusal, refusal_response
from impasto_openai_server.settings import OpenAIServerSettings
from impasto_openai_server.studio import Studio
from impasto_sdk.asgi import HostApi, settings_of
from impasto_sdk.fields import JsonValue

__all__ = ["Endpoint", "host_of", "studio_of"]


def host_of(scope: Mapping[str, Any]) -> Host:
    """The server behind a request."""
    return Host(HostApi.of(scope), settings_of(scope, OpenAIServerSettings).queue_id)


async def studio_of(scope: Mapping[str, Any]) -> Studio:
    """What the server has now to make pictures with."""
    host = host_of(scope)
    return Studio(await host.forms(), await host.models(), settings_of(scope, OpenAIServerSettings))


class Endpoint:
    """A question that is answered with a document."""

    def __init__(self, answer: Callable[[Request], Awaitable[JsonValue]]) -> None:
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or say why not."""
        try:
            response = JSONResponse(await self._answer(Request(scope, receive)))
        except Exception as error:  # noqa: BLE001  a request is held off from the server
            response = refusal_response(as_refusal(error))
        await response(scope, receive, send)
