"""The paths of this API, as a Starlette application. Imported by the first request."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from impasto_openai_server.answers import model_document, models_document
from impasto_openai_server.bodies import read_edit, read_generation
from impasto_openai_server.endpoint import Endpoint, studio_of
from impasto_openai_server.errors import UnknownThingError
from impasto_openai_server.images import ImagesEndpoint
from impasto_openai_server.responses import refusal_response
from impasto_sdk.fields import JsonValue

__all__ = ["create_app"]


def create_app() -> Starlette:
    """The application, which stands where the server mounts it."""
    app = Starlette(
        routes=[
            Route("/images/generations", ImagesEndpoint("image_generation", read_generation), methods=["POST"]),
            Route("/images/edits", ImagesEndpoint("image_edit", read_edit), methods=["POST"]),
            Route("/models", Endpoint(list_models), methods=["GET"]),
            Route("/models/{model_id:path}", Endpoint(retrieve_model), methods=["GET"]),
        ],
        exception_handlers={404: _unknown_path, 405: _unknown_path},
    )
    app.router.redirect_slashes = False
    return app


async def list_models(request: Request) -> JsonValue:
    """The models that make pictures here."""
    return models_document((await studio_of(request.scope)).ids())


async def retrieve_model(request: Request) -> JsonValue:
    """One of them, by its id, its name or its key."""
    model_id, studio = request.path_params["model_id"], await studio_of(request.scope)
    record = studio.find(model_id)
    ids = studio.ids()
    if record is None:
        raise UnknownThingError(
            f"there is no model {model_id!r} that makes pictures here; there are {', '.join(ids) or 'none'}",
            param="model",
            code="model_not_found",
        )
    return model_document(next(one for one, other in ids.items() if other.key == record.key), record)


async def _unknown_path(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    refused = UnknownThingError(
        f"unknown request: {request.method} {request.url.path}; there are POST /v1/images/generations, "
        "POST /v1/images/edits, GET /v1/models and GET /v1/models/{id}",
        code="unknown_url",
    )
    return refusal_response(refused, dict(error.headers or {}), status=error.status_code)
