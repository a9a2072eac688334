"""`HostApi`: a client for the server's own API, in the process of the server."""

import json as json_text
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote, urlencode

from impasto_sdk.asgi.connection import AsgiConnection
from impasto_sdk.asgi.events import EventSocket
from impasto_sdk.asgi.multipart import UploadFile, encode_multipart
from impasto_sdk.asgi.response import ApiResponse, ApiStream
from impasto_sdk.asgi.scope import API_SCOPE
from impasto_sdk.asgi.socket import ApiSocket
from impasto_sdk.contributions import AsgiApp
from impasto_sdk.errors import ApiClosedError
from impasto_sdk.fields import JsonValue

__all__ = ["HostApi"]

#: A value of a query, or several under one name.
QueryValue = str | int | bool | Collection[str | int]
#: Where events are told of.
EVENTS_PATH = "/api/v1/events/ws"
_JSON = "application/json"


class HostApi:
    """The API of the server. Paths begin at its root, e.g. ``/api/v1/panels``; they are quoted here.

    Nothing goes over a network, and everything else is as it is for any client: what is enqueued is on disk when
    `request` returns, errors are problem documents, and slow readers of events lose progress and nothing else.
    """

    def __init__(self, app: AsgiApp, headers: Mapping[str, str] | None = None) -> None:
        """`headers` go with every request."""
        self._app = app
        self._headers = dict(headers or {})

    @classmethod
    def of(cls, scope: Mapping[str, Any]) -> "HostApi":
        """The API of the server that passed a request with this scope to a web app. Raises `LookupError` elsewhere."""
        app = scope.get(API_SCOPE)
        if app is None:
            raise LookupError(f"the scope has no {API_SCOPE!r}: the app does not run in an Impasto server")
        return cls(app)

    async def get(self, path: str, query: Mapping[str, QueryValue] | None = None) -> ApiResponse:
        """Ask for something."""
        return await self.request("GET", path, query=query)

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, QueryValue] | None = None,
        json: JsonValue = None,
        body: bytes = b"",
        form: Mapping[str, str | UploadFile] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> ApiResponse:
        """Send a request and read the whole answer, whatever its status: see `ApiResponse.checked`.

        One of `json` (None: no body), `body` and `form` at most.
        """
        async with self.stream(method, path, query=query, json=json, body=body, form=form, headers=headers) as stream:
            return await stream.read()

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, QueryValue] | None = None,
        json: JsonValue = None,
        body: bytes = b"",
        form: Mapping[str, str | UploadFile] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncIterator[ApiStream]:
        """Send a request and read the answer as it comes. Leaving the block closes the connection."""
        kind = None
        if form is not None:
            kind, body = encode_multipart(form)
        elif json is not None:
            kind, body = _JSON, json_text.dumps(json).encode()
        about = {"content-length": str(len(body)), **({"content-type": kind} if kind else {})}
        scope = {**_scope("http", path, query, {**self._headers, **about, **(headers or {})}), "method": method}
        async with AsgiConnection(self._app, scope) as connection:
            connection.put({"type": "http.request", "body": body, "more_body": False})
            start = await connection.get()
            received = {
                name.decode("latin-1").lower(): value.decode("latin-1") for name, value in start.get("headers", ())
            }
            yield ApiStream(start["status"], received, connection)

    @asynccontextmanager
    async def socket(self, path: str, query: Mapping[str, QueryValue] | None = None) -> AsyncIterator[ApiSocket]:
        """An open WebSocket; leaving the block closes it. Raises `ApiClosedError` when it is not accepted."""
        scope = {**_scope("websocket", path, query, self._headers), "subprotocols": []}
        async with AsgiConnection(self._app, scope) as connection:
            connection.put({"type": "websocket.connect"})
            answer = await connection.get()
            if answer["type"] != "websocket.accept":
                raise ApiClosedError(answer.get("code") or 1000, answer.get("reason") or f"{path} takes no socket")
            yield ApiSocket(connection)

    @asynccontextmanager
    async def events(
        self,
        *,
        previews: bool = False,
        last_id: int | None = None,
        names: Collection[str] | None = None,
        batch_ids: Collection[str] | None = None,
    ) -> AsyncIterator[EventSocket]:
        """The events from now on, or those after `last_id`; with `previews`, the pictures that belong to progress.

        Open it before you enqueue what you want to follow, and you miss nothing of it. `names` and `batch_ids`: only
        those; None: all.
        """
        chosen = {"last_id": last_id, "events": names, "batch_id": batch_ids}
        query = {"previews": previews, **{key: value for key, value in chosen.items() if value is not None}}
        async with self.socket(EVENTS_PATH, query) as socket:
            yield await EventSocket.of(socket)


def _scope(kind: str, path: str, query: Mapping[str, QueryValue] | None, headers: Mapping[str, str]) -> dict[str, Any]:
    return {
        "type": kind,
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "scheme": "ws" if kind == "websocket" else "http",
        "path": path,
        "raw_path": quote(path).encode(),
        "root_path": "",
        "query_string": urlencode(
            {name: _written(value) for name, value in (query or {}).items()}, doseq=True
        ).encode(),
        "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
        "client": None,
        "server": None,
    }


def _written(value: QueryValue) -> str | list[str]:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int) else [str(one) for one in value]
