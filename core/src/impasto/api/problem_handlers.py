"""How an application answers its errors: each with a problem document, FastAPI's own included.

What an error of the platform becomes is decided in `impasto.api.problems`; here it is caught. Exceptions that nobody
expected pass through: they are for `impasto.api.guards.UnexpectedErrors`.
"""

import logging
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, FastAPI, Request, WebSocket
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from impasto.api.parameters import SecretBody
from impasto.api.problems import ProblemError, ProblemItem, ProblemResponse, problem, problem_of, quotable
from impasto.api.request_log import path_of
from impasto.api.socket_closing import POLICY, closing_words
from impasto.errors import QueueFullError, StorageUnavailableError
from impasto_sdk.errors import ImpastoError

__all__ = ["install_problem_handlers"]

logger = logging.getLogger(__name__)

#: A value of a request is quoted in a message up to this length.
QUOTED_LENGTH = 80
METHOD_NOT_ALLOWED = 405
#: What pydantic puts before the words of a validator of ours.
_OF_OURS = "Value error, "
#: The kinds of problem that statuses without words of their own stand for.
_KINDS = {400: "malformed-request", 403: "forbidden", 413: "too-large", 415: "wrong-media-type", 503: "not-ready"}


def install_problem_handlers(api: FastAPI, routers: Sequence[APIRouter] = ()) -> None:
    """Answer every expected error of `api` with a problem document. The unexpected ones are the guard's.

    `routers`: whose routes say which methods a path takes.
    """
    routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]

    async def on_http_exception(request: Request, error: Exception) -> ProblemResponse:
        assert isinstance(error, HTTPException)
        if error.status_code == METHOD_NOT_ALLOWED:
            return _not_allowed(request, error, routes)
        return _of_http_exception(request, error)

    api.add_exception_handler(ImpastoError, _on_impasto_error)
    api.add_exception_handler(RequestValidationError, _on_validation_error)
    api.add_exception_handler(HTTPException, on_http_exception)
    # FastAPI's own would refuse the handshake with a bare 403, which tells nobody why
    api.add_exception_handler(WebSocketRequestValidationError, _on_socket_validation_error)


async def _on_impasto_error(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, ImpastoError)
    document = problem_of(error)
    if document is None:
        raise error
    if document.status >= 500:
        logger.error("%s %s: %s", request.method, path_of(request.scope), error, exc_info=error)
    headers = None
    if isinstance(error, QueueFullError | StorageUnavailableError):
        headers = {"Retry-After": str(error.retry_after_s)}
    return ProblemResponse(document, headers)


async def _on_socket_validation_error(socket: WebSocket, error: Exception) -> None:
    """A socket has to be open before it can be told what is wrong with its query."""
    assert isinstance(error, WebSocketRequestValidationError)
    await socket.accept()
    await socket.close(POLICY, closing_words(_item_of(error.errors()[0]).message))


def _not_allowed(request: Request, error: HTTPException, routes: Sequence[APIRoute]) -> ProblemResponse:
    """A path that does not take the method; Starlette knows the methods of one of its routes only."""
    path = request.url.path
    methods = set(dict(error.headers or {}).get("Allow", "").split(", "))
    for route in routes:
        if route.path_regex.match(path):
            methods |= route.methods or set()
    allowed = ", ".join(sorted(methods - {""}))
    detail = f"{path} does not take {request.method}; it takes {allowed or 'other methods'}"
    return ProblemResponse(problem(METHOD_NOT_ALLOWED, "method-not-allowed", detail), {"Allow": allowed})


def _of_http_exception(request: Request, error: HTTPException) -> ProblemResponse:
    headers = dict(error.headers) if error.headers else None
    if isinstance(error, ProblemError):
        return ProblemResponse(error.document, headers)
    if error.status_code == 404 and error.detail == "Not Found":
        detail = f"there is nothing at {request.url.path}; /docs lists the routes"
        return ProblemResponse(problem(404, "not-found", detail))
    return ProblemResponse(
        problem(error.status_code, _KINDS.get(error.status_code, "error"), str(error.detail)), headers
    )


async def _on_validation_error(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    first = found[0]
    if first["type"] == "json_invalid":
        where = f"at character {first['loc'][-1]}: {first.get('ctx', {}).get('error', '')}"
        return ProblemResponse(problem(400, "malformed-json", f"the body is not JSON, {where}"))
    wrong = _wrong_media_type(request, found)
    if wrong is not None:
        return ProblemResponse(problem(415, "wrong-media-type", wrong))
    quoted = not _holds_secret(request)
    items = [_item_of(one, quoted=quoted) for one in found]
    more = f" (and {len(items) - 1} more)" if len(items) > 1 else ""
    return ProblemResponse(problem(422, "request-does-not-fit", f"{items[0].message}{more}", items))


def _holds_secret(request: Request) -> bool:
    """Whether the route takes a body that nothing may be quoted of."""
    body_field = getattr(request.scope.get("route"), "body_field", None)
    taken = None if body_field is None else body_field.field_info.annotation
    return isinstance(taken, type) and issubclass(taken, SecretBody)


def _wrong_media_type(request: Request, found: Sequence[Any]) -> str | None:
    """What to say when a body was sent as another type than its route takes; FastAPI calls its parts missing."""
    if not any(one["loc"][0] == "body" for one in found):
        return None
    body_field = getattr(request.scope.get("route"), "body_field", None)
    if body_field is None:
        return None
    wanted = getattr(body_field.field_info, "media_type", "application/json")
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    has_body = request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers
    fits = sent == wanted or (wanted == "application/json" and sent.endswith("+json"))
    if fits or not has_body:
        return None
    return f"{request.url.path} takes {wanted}; {sent or 'a body without a content type'} was sent"


def _item_of(error: Any, *, quoted: bool = True) -> ProblemItem:
    """One thing that is wrong with a request; `quoted`: with the value."""
    place, *inside = error["loc"]
    name = ".".join(str(part) for part in inside) or str(place)
    message = f"{name}: {_decapitalised(error['msg'].removeprefix(_OF_OURS))}"
    has_value = quoted and error["type"] != "missing" and "input" in error
    if has_value:
        message += f"; it is {_quoted(error['input'])}"
    return ProblemItem(
        message=message,
        field=name,
        path="".join(f"/{_escaped(part)}" for part in inside) if place == "body" else None,
        found=quotable(error["input"]) if has_value else None,
        code=error["type"],
    )


def _escaped(part: object) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")


def _decapitalised(text: str) -> str:
    return text[:1].lower() + text[1:]


def _quoted(value: object) -> str:
    text = repr(value)
    return text if len(text) <= QUOTED_LENGTH else f"{text[:QUOTED_LENGTH]}…"
