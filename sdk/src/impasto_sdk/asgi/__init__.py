"""How a web app of a plugin talks to the server that it runs in: the whole HTTP API, without a network.

The server puts its API into the scope of every request of a web app (`API_SCOPE`), and the settings that the operator
chose for plugins (`SETTINGS_SCOPE`). `HostApi` calls the one, `settings_of` reads the other::

    async def app(scope, receive, send):
        api = HostApi.of(scope)
        panels = (await api.get("/api/v1/panels")).checked().json()
        async with api.events(previews=True) as events:
            async for event in events:
                ...

Pure asyncio: nothing here needs a library, and nothing knows a web framework.
"""

from impasto_sdk.asgi.client import HostApi
from impasto_sdk.asgi.connection import AsgiConnection
from impasto_sdk.asgi.events import ApiEvent, ApiPreview, EventSocket
from impasto_sdk.asgi.multipart import UploadFile, encode_multipart
from impasto_sdk.asgi.response import ApiResponse, ApiStream, ServerSentEvent
from impasto_sdk.asgi.scope import API_SCOPE, SETTINGS_SCOPE, settings_of
from impasto_sdk.asgi.socket import ApiSocket

__all__ = [
    "API_SCOPE",
    "SETTINGS_SCOPE",
    "ApiEvent",
    "ApiPreview",
    "ApiResponse",
    "ApiSocket",
    "ApiStream",
    "AsgiConnection",
    "EventSocket",
    "HostApi",
    "ServerSentEvent",
    "UploadFile",
    "encode_multipart",
    "settings_of",
]
