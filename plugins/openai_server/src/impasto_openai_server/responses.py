"""Refusals as responses, and what any exception is to a client. Imports Starlette."""

import logging
from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from impasto_openai_server.errors import InvalidRequestError, OpenAIError, RunFailedError, TooLargeError
from impasto_openai_server.refusals import refusal_of
from impasto_sdk.errors import ApiError, ImpastoError

__all__ = ["as_refusal", "refusal_response"]

logger = logging.getLogger(__name__)


def refusal_response(
    refused: OpenAIError, headers: Mapping[str, str] | None = None, *, status: int | None = None
) -> JSONResponse:
    """An error document as a response."""
    return JSONResponse(refused.document(), status or refused.status, {**refused.headers(), **(headers or {})})


def as_refusal(error: Exception) -> OpenAIError:
    """The refusal that stands for an exception; one that nobody expected is logged."""
    if isinstance(error, OpenAIError):
        return error
    if isinstance(error, ApiError):
        return refusal_of(error)
    if isinstance(error, HTTPException):  # raised while a body is read: by the server's limit, or a form that is none
        kind = TooLargeError if error.status_code == 413 else InvalidRequestError
        return kind(str(error.detail), code="too_large" if kind is TooLargeError else "malformed_body")
    logger.error("a request of OpenAI's API failed: %s", error, exc_info=error)
    if isinstance(error, ImpastoError):
        return RunFailedError(str(error), code="server_error")
    return RunFailedError("the server made a mistake; its log says more", code="server_error")
