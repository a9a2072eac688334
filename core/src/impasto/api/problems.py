"""Problem documents (RFC 9457): the one shape in which every error leaves the API.

`problem_of` decides, for an error of the platform, which status and words it gets. No route decides that, and FastAPI's
own errors are brought into the same shape by `impasto.api.problem_handlers`.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from impasto.api.idempotency import IDEMPOTENCY_KEY
from impasto.errors import (
    BatchError,
    BatchNotFoundError,
    CreationGoneError,
    ExternalModelError,
    GraphError,
    GraphValidationError,
    IdempotencyKeyError,
    ModelRegistryError,
    NewAddressError,
    PluginError,
    ProviderConfigError,
    QueueFullError,
    QueueItemNotFoundError,
    QueueItemStatusError,
    SecretError,
    SecretFromEnvironmentError,
    StorageUnavailableError,
    UnreadableImageError,
    WorkerError,
    WorkflowFormatError,
)
from impasto_sdk.errors import (
    DraftError,
    EnqueueRefusedError,
    ImpastoError,
    ModelError,
    NotFoundError,
    PanelValuesError,
)
from impasto_sdk.fields import JsonValue

__all__ = [
    "PROBLEM_MEDIA_TYPE",
    "ProblemDocument",
    "ProblemError",
    "ProblemItem",
    "ProblemResponse",
    "problem",
    "problem_of",
    "problem_responses",
    "quotable",
]

#: The media type of problem documents.
PROBLEM_MEDIA_TYPE = "application/problem+json"
#: Values of a request are quoted up to this length.
QUOTED_LENGTH = 200


class ProblemItem(BaseModel):
    """One thing that is wrong. Keys that do not apply are null."""

    message: str = Field(description="What was found, what is expected and what to do, in words")
    node_id: str | None = Field(default=None, description="The node it concerns")
    field: str | None = Field(default=None, description="The node's field, or the parameter of the request")
    path: str | None = Field(default=None, description="JSON Pointer into the values or the body that were sent")
    code: str | None = Field(default=None, description="Stable name of the rule, for programs")
    found: Any = Field(default=None, description="The value that is wrong, where it can be quoted")
    expected: Any = Field(default=None, description="What would do, where that is one thing")
    suggestion: str | None = Field(default=None, description="What was probably meant")
    nodes: list[str] = Field(
        default_factory=list, description="Other nodes it concerns, e.g. those of a cycle, in order"
    )


class ProblemDocument(BaseModel):
    """Why a request was not carried out (RFC 9457)."""

    type: str = Field(
        description="Stable name of the kind of problem, a URN", examples=["urn:impasto:problem:not-found"]
    )
    title: str = Field(description="The kind of problem, in words")
    status: int = Field(description="The HTTP status")
    detail: str = Field(description="What is wrong with this request")
    errors: list[ProblemItem] = Field(default_factory=list, description="Every single thing that is wrong")


class ProblemResponse(JSONResponse):
    """A problem document as a response."""

    media_type = PROBLEM_MEDIA_TYPE

    def __init__(self, document: ProblemDocument, headers: dict[str, str] | None = None) -> None:
        super().__init__(document.model_dump(), status_code=document.status, headers=headers)

    def render(self, content: object) -> bytes:
        """The document as JSON. What it quotes may hold halves of surrogate pairs, which JSON can only escape."""
        return json.dumps(content, ensure_ascii=False).encode("utf-8", "backslashreplace")


class ProblemError(HTTPException):
    """Raised by a route or a middleware to answer with a problem that no error of the platform stands for."""

    def __init__(self, document: ProblemDocument) -> None:
        super().__init__(document.status, document.detail)
        self.document = document


def problem(status: int, kind: str, detail: str, errors: Iterable[ProblemItem] = ()) -> ProblemDocument:
    """A document whose type and title come from `kind`, e.g. ``not-found``."""
    return ProblemDocument(
        type=f"urn:impasto:problem:{kind}",
        title=kind.replace("-", " ").capitalize(),
        status=status,
        detail=detail,
        errors=list(errors),
    )


def quotable(value: object) -> JsonValue:
    """A value of the client's as a problem quotes it: as it is while that is short JSON, else as a short text."""
    if isinstance(value, str):
        return _shortened(value)
    try:
        fits = len(json.dumps(value, allow_nan=False)) <= QUOTED_LENGTH
    except (TypeError, ValueError, RecursionError):  # no JSON, or a number that JSON does not know
        fits = False
    return value if fits else _shortened(repr(value))


def _shortened(text: str) -> str:
    return text if len(text) <= QUOTED_LENGTH else f"{text[:QUOTED_LENGTH]}…"


def problem_of(error: ImpastoError) -> ProblemDocument | None:
    """What an error of the platform means to the client that caused it; None when it did not cause it."""
    for kind, document in _DOCUMENTS:
        if isinstance(error, kind):
            return document(error)
    return None


def _graph_problem(error: Any) -> ProblemDocument:
    if isinstance(error, GraphValidationError):
        items = [
            ProblemItem(
                message=found.message,
                node_id=found.node_id,
                field=found.field,
                code=found.code,
                found=quotable(found.found),
                expected=quotable(found.expected),
                suggestion=found.suggestion,
                nodes=list(found.nodes),
            )
            for found in error.problems
        ]
    else:
        items = [
            ProblemItem(
                message=str(error),
                node_id=error.node_id,
                field=error.field,
                found=quotable(error.value),
                suggestion=getattr(error, "suggestion", None),
            )
        ]
    kind = "malformed-workflow" if isinstance(error, WorkflowFormatError) else "graph-cannot-run"
    return problem(422, kind, str(error), items)


def _values_problem(error: Any) -> ProblemDocument:
    items = [ProblemItem(message=found.message, path=found.path) for found in error.problems]
    return problem(422, "panel-values-do-not-fit", str(error), items)


def _batch_problem(error: Any) -> ProblemDocument:
    item = ProblemItem(message=str(error), node_id=error.node_id, field=error.field)
    return problem(422, "batch-does-not-fit", str(error), [item])


def _key_problem(error: Any) -> ProblemDocument:
    item = ProblemItem(message=str(error), field=IDEMPOTENCY_KEY, found=error.idempotency_key)
    return problem(422, "idempotency-key-was-used", str(error), [item])


def _config_problem(status: int) -> Callable[[Any], ProblemDocument]:
    def document(error: Any) -> ProblemDocument:
        kind = "key-is-for-another-address" if isinstance(error, NewAddressError) else "not-a-key-or-address"
        return problem(status, kind, str(error), [ProblemItem(message=str(error), field=error.field)])

    return document


def _plain(status: int, kind: str) -> Callable[[Any], ProblemDocument]:
    return lambda error: problem(status, kind, str(error))


#: The first row whose error it is decides; an error of the platform that has no row is the server's fault.
_DOCUMENTS: Sequence[tuple[type[ImpastoError], Callable[[Any], ProblemDocument]]] = (
    (GraphError, _graph_problem),
    (BatchError, _batch_problem),
    (IdempotencyKeyError, _key_problem),
    (CreationGoneError, _plain(409, "creation-is-gone")),
    (PanelValuesError, _values_problem),
    (DraftError, _plain(422, "graph-cannot-be-built")),
    (EnqueueRefusedError, _plain(409, "refused-by-a-plugin")),
    (QueueFullError, _plain(429, "queue-is-full")),
    (QueueItemNotFoundError, _plain(404, "not-found")),
    (QueueItemStatusError, _plain(409, "wrong-item-status")),
    (BatchNotFoundError, _plain(404, "not-found")),
    (NotFoundError, _plain(404, "not-found")),
    (UnreadableImageError, _plain(415, "not-a-readable-image")),
    (NewAddressError, _config_problem(409)),
    (ProviderConfigError, _config_problem(422)),
    (SecretFromEnvironmentError, _plain(409, "set-by-the-environment")),
    (SecretError, _plain(422, "not-a-secret")),
    (ExternalModelError, _plain(409, "model-of-an-external-service")),
    (ModelRegistryError, _plain(422, "model-cannot-be-registered")),
    (ModelError, _plain(422, "model-cannot-be-used")),
    (PluginError, _plain(500, "plugin-failed")),
    (WorkerError, _plain(503, "no-worker")),
    (StorageUnavailableError, _plain(503, "storage-unavailable")),
)


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For a route's `responses`: that it may answer with problem documents of these statuses."""
    return {
        status: {
            "description": _DESCRIPTIONS[status],
            "content": {PROBLEM_MEDIA_TYPE: {"schema": _REFERENCE}},
            **({"headers": _retry_after(required=status == 429)} if status in (429, 503) else {}),
        }
        for status in statuses
    }


def _retry_after(*, required: bool) -> dict[str, Any]:
    schema = {"type": "integer", "minimum": 0}
    return {"Retry-After": {"description": "Seconds", "required": required, "schema": schema}}


_REFERENCE = {"$ref": "#/components/schemas/ProblemDocument"}
_DESCRIPTIONS = {
    400: "The body is malformed",
    403: "Not allowed from this origin",
    404: "There is no such thing",
    409: "A plugin refuses, or it cannot be done to what is there now; nothing was done",
    413: "The body is too large",
    415: "The body is of a type that this route does not take",
    422: "The request is understood and cannot be carried out; `errors` says why",
    429: "The queue is full; `Retry-After` says when to try again",
    500: "The server made a mistake; its log says more",
    503: "The server is not ready, or cannot read or write what it keeps now; nothing was done",
}
