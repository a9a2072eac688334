"""Why a request of this API is refused, as one tree; each is an error document of OpenAI's.

::

    impasto_sdk.ImpastoError
    └── OpenAIError
        ├── InvalidRequestError     400  what was asked for cannot be
        ├── ForbiddenError          403  a plugin of the server refuses
        ├── UnknownThingError       404  there is no such model, or no such path
        ├── TooLargeError           413  the body is larger than the server takes
        ├── BusyError               429  the queue is full
        ├── RunFailedError          500  the picture was begun and came to nothing
        ├── NoPanelError            503  nothing on this server makes such pictures
        └── NotReadyError           503  not now, but perhaps soon

A client of OpenAI's tries 408, 409, 429 and everything from 500 on again by itself. So ``x-should-retry`` says which of
these are worth it: `BusyError` and `NotReadyError` alone. 409 is never sent.
"""

from collections.abc import Mapping

from impasto_sdk.errors import ImpastoError

__all__ = [
    "BusyError",
    "ForbiddenError",
    "InvalidRequestError",
    "NoPanelError",
    "NotReadyError",
    "OpenAIError",
    "RunFailedError",
    "TooLargeError",
    "UnknownThingError",
]

#: The most seconds that OpenAI's clients wait before they try again; for more they give up.
LONGEST_WAIT_S = 120


class OpenAIError(ImpastoError):
    """A refusal. `param` is the parameter that it is about, `code` its stable name; both may be None."""

    status = 500
    type = "server_error"
    #: Whether asking again, with nothing changed, may help.
    retry = False

    def __init__(self, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.param = param
        self.code = code

    def document(self) -> dict[str, dict[str, str | None]]:
        """The error as OpenAI writes it: ``{"error": {message, type, param, code}}``."""
        return {"error": {"message": str(self), "type": self.type, "param": self.param, "code": self.code}}

    def headers(self) -> Mapping[str, str]:
        """What goes with it."""
        return {"x-should-retry": "true" if self.retry else "false"}


class InvalidRequestError(OpenAIError):
    """What was asked for cannot be, however often it is asked for."""

    status = 400
    type = "invalid_request_error"


class ForbiddenError(OpenAIError):
    """A plugin of the server refuses to have it done."""

    status = 403
    type = "permission_error"


class UnknownThingError(OpenAIError):
    """There is no such model, or no such path."""

    status = 404
    type = "invalid_request_error"


class TooLargeError(OpenAIError):
    """The body is larger than the server takes."""

    status = 413
    type = "invalid_request_error"


class _LaterError(OpenAIError):
    retry = True

    def __init__(self, message: str, *, code: str | None = None, retry_after_s: int | None = None) -> None:
        super().__init__(message, code=code)
        #: When to ask again, in seconds; None: the client decides.
        self.retry_after_s = None if retry_after_s is None else min(retry_after_s, LONGEST_WAIT_S)

    def headers(self) -> Mapping[str, str]:
        waiting = {} if self.retry_after_s is None else {"retry-after": str(self.retry_after_s)}
        return {**super().headers(), **waiting}


class BusyError(_LaterError):
    """The queue is full."""

    status = 429
    type = "rate_limit_error"


class RunFailedError(OpenAIError):
    """The picture was begun and came to nothing: asking again would pay for it again."""


class NoPanelError(OpenAIError):
    """Nothing on this server makes such pictures: a model or a plugin is missing."""

    status = 503


class NotReadyError(_LaterError):
    """The server cannot do it now: it stops, or cannot write."""

    status = 503
