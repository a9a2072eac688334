"""What the server's own refusals are to a client of OpenAI's. Pure."""

from collections.abc import Mapping

from impasto_openai_server.errors import (
    BusyError,
    ForbiddenError,
    InvalidRequestError,
    NotReadyError,
    OpenAIError,
    RunFailedError,
    TooLargeError,
)
from impasto_sdk.errors import ApiClosedError, ApiError, ApiRefusedError

__all__ = ["refusal_of"]

#: Kinds of problems whose code has a name of OpenAI's own.
_CODES = {"queue-is-full": "rate_limit_exceeded", "not-a-readable-image": "invalid_image_file"}
#: By status. 409 is a plugin's refusal; passed on as it is, it would be tried again.
_KINDS: Mapping[int, type[OpenAIError]] = {
    400: InvalidRequestError,
    403: ForbiddenError,
    409: ForbiddenError,
    413: TooLargeError,
    415: InvalidRequestError,
    422: InvalidRequestError,
}
_LATER: Mapping[int, type[BusyError] | type[NotReadyError]] = {429: BusyError, 503: NotReadyError}


def refusal_of(error: ApiError, params: Mapping[str, str] | None = None) -> OpenAIError:
    """The refusal that says what `error` says. `params`: parameters of the request by the fields they went into."""
    if not isinstance(error, ApiRefusedError):
        reason = error.reason if isinstance(error, ApiClosedError) else str(error)
        return NotReadyError(f"the server broke off: {reason or error}", code="not_ready")
    code = _CODES.get(error.kind, error.kind.replace("-", "_")) or None
    later = _LATER.get(error.status)
    if later is not None:
        return later(str(error), code=code, retry_after_s=error.retry_after_s)
    kind = _KINDS.get(error.status, RunFailedError)
    return kind(str(error), code=code, param=_param(error, params or {}))


def _param(error: ApiRefusedError, params: Mapping[str, str]) -> str | None:
    """The parameter that the first finding is about, by the place of it in the values of the panel."""
    for finding in error.problem.get("errors") or ():
        field = str(finding.get("path") or "").removeprefix("/").partition("/")[0]
        if field:
            return params.get(field, field)
    return None
