"""`RequestLog`: gives every request an id, and notes at debug what was asked, how it was answered and how long it took.

The outermost thing that a request meets. A client may choose the id; the answer names it, as do problem documents of
the server's own mistakes and every line that is logged meanwhile. Queries and bodies are not logged: they hold what
people write.
"""

import logging
import re
import time
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from impasto.engine.log_fields import request_id
from impasto_sdk.ids import new_id

__all__ = ["REQUEST_ID_HEADER", "RequestLog", "path_of"]

logger = logging.getLogger(__name__)

#: Names a request, in it and in its answer.
REQUEST_ID_HEADER = "X-Request-ID"
#: An id of a client that is anything else gives way to one of ours: it ends up in logs and headers.
_ACCEPTED = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")


class RequestLog:
    """Names requests and logs them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on under its id."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        name = _name_of(scope)
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID_HEADER] = name
            await send(message)

        begin = time.perf_counter()
        token = request_id.set(name)
        try:
            await self._app(scope, receive, answer)
        finally:
            if logger.isEnabledFor(logging.DEBUG):
                took_ms = 1000 * (time.perf_counter() - begin)
                # no status: the connection broke before there was an answer
                logger.debug("%s %s: %s in %.1f ms", scope["method"], path_of(scope), status or "no answer", took_ms)
            request_id.reset(token)


def path_of(scope: Scope) -> str:
    """The path of a request as it was sent, without its query: encoded, so that it cannot break a line of the log."""
    raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    return raw.decode("latin-1")


def _name_of(scope: Scope) -> str:
    chosen = Headers(scope=scope).get(REQUEST_ID_HEADER, "")
    return chosen if _ACCEPTED.fullmatch(chosen) else new_id()
