"""`Router`: how every file of routes declares its paths.

It serves a path that ends in a slash without the slash too (clients send both, and a redirect would lose bodies), and
reads bodies as strict JSON.
"""

import json
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute

__all__ = ["Router", "StrictRequest"]


class StrictRequest(Request):
    """A request whose body is JSON as it is written: no ``NaN``, no half of a surrogate pair.

    Python reads both, and neither could be stored or sent on.
    """

    async def json(self) -> Any:
        """The body. Raises `json.JSONDecodeError`."""
        body = await self.body()
        value = json.loads(body, parse_constant=_refuse_constant)
        if b"\\ud" in body or b"\\uD" in body:
            try:
                json.dumps(value, ensure_ascii=False).encode()
            except UnicodeEncodeError as error:
                raise json.JSONDecodeError("half of a surrogate pair", "", 0) from error
        return value


class StrictRoute(APIRoute):
    """A route that reads its request strictly."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler, given a `StrictRequest`."""
        handle = super().get_route_handler()

        async def handle_strictly(request: Request) -> Response:
            return await handle(StrictRequest(request.scope, request.receive))

        return handle_strictly


class Router(APIRouter):
    """A group of routes with one prefix and one tag."""

    def __init__(self, prefix: str, tag: str) -> None:
        super().__init__(prefix=prefix, tags=[tag], route_class=StrictRoute, redirect_slashes=False)

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """Add a route, and its twin without the slash; only the one that was asked for is documented."""
        super().add_api_route(path, endpoint, **options)
        if path.endswith("/"):
            super().add_api_route(path[:-1], endpoint, **{**options, "include_in_schema": False})


def _refuse_constant(name: str) -> NoReturn:
    raise json.JSONDecodeError(f"{name} is no JSON value", "", 0)
