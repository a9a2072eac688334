"""Web apps of plugins: mounted under their paths, and the one at ``/`` behind everything else.

The API's own routes always come first. The web client gets what no route and no other web app takes, except paths under
``/api``; and a page of its is no answer to a program that probes for a path and did not ask for one.

Every web app is handed the API itself and the settings of plugins in the scope of its requests: `impasto_sdk.asgi` is
the other end of that.
"""

import logging
from collections.abc import Sequence

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.routing import Match, Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from impasto.api.problems import ProblemResponse, problem
from impasto.api.request_log import REQUEST_ID_HEADER
from impasto.engine.log_fields import request_id
from impasto.host import Registered
from impasto_sdk.asgi import API_SCOPE, SETTINGS_SCOPE
from impasto_sdk.context import SettingsAccess
from impasto_sdk.contributions import WebApp

__all__ = ["HostedApp", "WebClient", "WholeMount", "has_web_client", "mount_web_apps"]

logger = logging.getLogger(__name__)


def has_web_client(web_apps: Sequence[Registered[WebApp]]) -> bool:
    """Whether one of them takes ``/``."""
    return any(_path(registered) == "" for registered in web_apps)


def mount_web_apps(api: FastAPI, web_apps: Sequence[Registered[WebApp]], settings: SettingsAccess) -> None:
    """Mount them, the longest path first, so that ``/tools/paint`` is not swallowed by ``/tools``.

    `settings`: what the operator chose for plugins.
    """
    for registered in sorted(web_apps, key=lambda one: len(_path(one)), reverse=True):
        path = _path(registered)
        logger.info("%s of plugin %s is at %s", registered.value.title, registered.plugin.name, path or "/")
        app = HostedApp(registered.value.app, api, settings)
        if path:
            api.router.routes.append(WholeMount(path, app, name=registered.value.title))
        else:
            api.router.default = WebClient(app, api.router.default)


def _path(registered: Registered[WebApp]) -> str:
    return "/" + path if (path := registered.value.path.strip("/")) else ""


class WholeMount(Mount):
    """A mount that takes its very path, too, and not only what lies under it: other programs post to ``/prompt``."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether a request is for the app."""
        if scope.get("path") == self.path:
            return super().matches({**scope, "path": f"{self.path}/"})
        return super().matches(scope)


class HostedApp:
    """A web app, handed what the server has for it with every call."""

    def __init__(self, app: ASGIApp, api: ASGIApp, settings: SettingsAccess) -> None:
        self._app = app
        self._api = api
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        name = request_id.get()

        async def api(inner: Scope, receive: Receive, send: Send) -> None:
            # what comes of a request is found in the log under the request's id
            if name and inner["type"] == "http" and REQUEST_ID_HEADER.lower() not in Headers(scope=inner):
                inner = {**inner, "headers": [*inner["headers"], (REQUEST_ID_HEADER.lower().encode(), name.encode())]}
            await self._api(inner, receive, send)

        await self._app({**scope, API_SCOPE: api, SETTINGS_SCOPE: self._settings}, receive, send)


class WebClient:
    """The web app at ``/``. It answers for what nothing else does; for the rest there is `not_found`."""

    def __init__(self, app: ASGIApp, not_found: ASGIApp) -> None:
        self._app = app
        self._not_found = not_found

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, unless it is meant for the API; hold a page back from who did not ask for one."""
        path = scope["path"]
        if path == "/api" or path.startswith("/api/"):
            await self._not_found(scope, receive, send)
        elif scope["type"] != "http" or path == "/" or "text/html" in Headers(scope=scope).get("accept", ""):
            await self._app(scope, receive, send)
        else:
            await self._without_pages(scope, receive, send)

    async def _without_pages(self, scope: Scope, receive: Receive, send: Send) -> None:
        held_back = False

        async def watch(message: Message) -> None:
            nonlocal held_back
            if message["type"] == "http.response.start":
                kind = Headers(raw=message.get("headers", [])).get("content-type", "")
                held_back = kind.startswith("text/html") and not scope["path"].endswith(".html")
                if held_back:
                    document = problem(404, "not-found", f"there is nothing at {scope['path']}; /docs lists the routes")
                    await ProblemResponse(document)(scope, receive, send)
            if not held_back:
                await send(message)

        await self._app(scope, receive, watch)
