"""What stands before every request: foreign origins, bodies that are too large, and mistakes of ours.

Plain ASGI, so that streams and sockets pass through untouched. The API installs them in the order
in which they stand here, outermost first.
"""

import logging
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from impasto.api.problems import ProblemError, ProblemResponse, problem
from impasto.api.request_log import path_of
from impasto.engine.log_fields import request_id
from impasto_sdk.ids import new_id

__all__ = ["SAFE_METHODS", "BodyLimit", "OriginGuard", "UnexpectedErrors"]

logger = logging.getLogger(__name__)

#: Requests that change nothing, which another web page may send without harm: it cannot read the answer.
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class UnexpectedErrors:
    """Answers an exception that nobody expected with a problem document, and logs it under an id that both name."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and answer for it if it breaks."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except Exception:  # every request is held off from the others
            error_id = request_id.get() or new_id()
            logger.exception("error %s: %s %s failed", error_id, scope["method"], path_of(scope))
            if started:
                raise  # half an answer is out: only a broken connection tells the client
            detail = f"the server made a mistake; its log says more under error {error_id}"
            await ProblemResponse(problem(500, "internal-error", detail))(scope, receive, send)


class OriginGuard:
    """Refuses requests that change something, and sockets, when a web page of another origin sends them.

    A page anywhere can make a browser post to ``127.0.0.1``. Programs that are no browsers send no ``Origin`` and pass.
    `allowed`: other origins that may, e.g. ``https://gallery.example``; ``*``: all.
    """

    def __init__(self, app: ASGIApp, allowed: Collection[str] = ()) -> None:
        self._app = app
        self._allowed = frozenset(allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        harmless = scope["type"] == "http" and scope["method"] in SAFE_METHODS
        if scope["type"] not in ("http", "websocket") or harmless or self._accepts(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        origin = Headers(scope=scope)["origin"]
        detail = f"web pages of {origin} may not use this server; add it to the setting `allow_origins`"
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": detail[:120]})
        else:
            await ProblemResponse(problem(403, "foreign-origin", detail))(scope, receive, send)

    def _accepts(self, headers: Headers) -> bool:
        origin = headers.get("origin")
        if origin is None or origin in self._allowed or "*" in self._allowed:
            return True
        return urlsplit(origin).netloc == headers.get("host")


class BodyLimit:
    """Ends the reading of a body, with status 413, once it is larger than `limit` bytes."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, counting its body."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isdigit() and int(announced) > self._limit:
            # the body stays unread: the connection cannot be used again
            response = ProblemResponse(self._too_large().document, {"Connection": "close"})
            await response(scope, receive, send)
            return
        received = 0

        async def count() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._limit:
                raise self._too_large()
            return message

        await self._app(scope, count, send)

    def _too_large(self) -> ProblemError:
        detail = f"the body is larger than {self._limit} bytes; the setting `max_upload_bytes` allows more"
        return ProblemError(problem(413, "too-large", detail))
