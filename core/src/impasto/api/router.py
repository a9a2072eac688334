"""`Router`: how every file of routes declares its paths.

It serves a path that ends in a slash without the slash too (clients send both, and a redirect would lose bodies), and
reads bodies as strict JSON.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute

from impasto.storage.documents import read_foreign_document

__all__ = ["Router", "StrictRequest"]


class StrictRequest(Request):
    """A request whose body is JSON as every program reads it, see `read_foreign_document`."""

    async def json(self) -> Any:
        """The body. Raises `json.JSONDecodeError`."""
        return read_foreign_document(await self.body())


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
