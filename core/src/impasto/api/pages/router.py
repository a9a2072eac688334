"""`pages`: the routes of the two pages."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from impasto.api.pages.docs import render_docs
from impasto.api.pages.home import render_home
from impasto.api.parameters import App

__all__ = ["pages"]

#: No scripts, and nothing from another host.
POLICY = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:"}


def pages(*, with_home: bool) -> APIRouter:
    """The routes of the pages; without the one at `/` when a web client stands there."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    router.add_api_route("/docs", show_docs, methods=["GET", "HEAD"])
    if with_home:
        router.add_api_route("/", show_home, methods=["GET", "HEAD"])
    return router


def show_home(app: App) -> HTMLResponse:
    """What runs here."""
    return HTMLResponse(render_home(app), headers={**POLICY, "Cache-Control": "no-store"})


def show_docs(request: Request) -> HTMLResponse:
    """The routes, described from the OpenAPI document."""
    return HTMLResponse(render_docs(request.app.openapi()), headers=POLICY)
