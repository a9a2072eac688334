"""`create_api`: the HTTP application in front of an `Impasto`. Built once by the server, and by tests.

It adds no behaviour of its own: routes call the application, plugins' web apps are mounted where they say, and what no
route takes is answered with a problem document.
"""

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.middleware.cors import CORSMiddleware

from impasto import __version__
from impasto.api.event_streams import EventStreams
from impasto.api.guards import BodyLimit, OriginGuard, UnexpectedErrors
from impasto.api.idempotency import IDEMPOTENCY_REPLAYED
from impasto.api.mounts import has_web_client, mount_web_apps
from impasto.api.openapi import complete_openapi
from impasto.api.pages import pages
from impasto.api.problem_handlers import install_problem_handlers
from impasto.api.request_log import REQUEST_ID_HEADER, RequestLog
from impasto.api.routes import ROUTERS
from impasto.app import Impasto
from impasto.engine.access.settings import PluginSettings

__all__ = ["create_api"]

#: What a multipart body may hold beside its file, in bytes: boundaries and the other fields.
MULTIPART_ALLOWANCE = 64 * 2**10


def create_api(app: Impasto) -> FastAPI:
    """The HTTP application for `app`, which need not be started yet."""
    api = FastAPI(
        title="Impasto",
        version=__version__,
        description="Graphs, queue, images and models of an Impasto server. Errors are problem documents (RFC 9457).",
        docs_url=None,  # FastAPI's own pages load their scripts from other hosts
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
    )
    api.state.impasto = app
    api.state.event_streams = EventStreams(app.bus)
    for router in ROUTERS:
        api.include_router(router)
    web_apps = app.host.contributions.web_apps
    api.include_router(pages(with_home=not has_web_client(web_apps)))
    declared = (registered.value for registered in app.host.contributions.settings)
    mount_web_apps(api, web_apps, PluginSettings(declared, app.settings.plugins))
    install_problem_handlers(api, ROUTERS)
    complete_openapi(api)
    # the last one added is the first to see a request
    api.add_middleware(BodyLimit, limit=app.settings.max_upload_bytes + MULTIPART_ALLOWANCE)
    api.add_middleware(OriginGuard, allowed=app.settings.allow_origins)
    api.add_middleware(UnexpectedErrors)
    if app.settings.allow_origins:
        # around the guards, so that pages that may can read what went wrong
        api.add_middleware(
            CORSMiddleware,
            allow_origins=app.settings.allow_origins,
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=["ETag", "Retry-After", IDEMPOTENCY_REPLAYED, REQUEST_ID_HEADER],
        )
    api.add_middleware(RequestLog)
    return api


def _operation_id(route: APIRoute) -> str:
    return route.name
