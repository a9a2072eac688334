"""Panels: forms that plugins describe and that build graphs: `/api/v1/panels`."""

from typing import Annotated, Any

from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict, Field

from impasto.api.idempotency import IdempotencyKey, tell_repeated
from impasto.api.parameters import App, NameParameter, RequestBody
from impasto.api.problems import problem_responses
from impasto.api.revalidation import NOT_MODIFIED, Revalidated
from impasto.api.router import Router
from impasto.queue.records import WHOLE_NUMBER, EnqueueBatchResult
from impasto_sdk.fields import JsonValue

__all__ = ["router"]

router = Router("/api/v1/panels", "panels")


class PanelDocument(BaseModel):
    """Every panel in force, as forms that a client can draw without knowing any of them."""

    model_config = ConfigDict(extra="allow")

    format: int = Field(description="Version of the vocabulary of forms")
    revision: str = Field(description="Changes whenever a panel does; the ETag")
    panels: list[dict[str, Any]]


class PanelValues(RequestBody):
    """The values of a panel, as a person touched them; what is left out takes its default."""

    values: dict[str, Any] = Field(default_factory=dict, description="Flat keys; sections nest under their id")


class PanelRun(PanelValues):
    """The values of a panel, and how they are to be run."""

    runs: Annotated[int, Field(strict=True, ge=1, le=10_000), WHOLE_NUMBER] = Field(
        default=1, description="How many items to make of them"
    )
    prepend: bool = Field(default=False, description="Whether it goes before everything that waits")
    queue_id: str = Field(default="default", min_length=1, max_length=255, description="The queue to put it into")
    origin: str | None = Field(default=None, description="Kept with the items, for the client")
    destination: str | None = Field(default=None, description="Kept with the items, for the client")


class PanelError(BaseModel):
    """One thing that stands in the way of a graph."""

    path: str = Field(description="JSON Pointer into the values")
    message: str
    fix: Any = Field(default=None, description="A value that would be accepted, when one is obvious")


class PanelNotice(BaseModel):
    """One thing worth knowing that stands in the way of nothing."""

    path: str = Field(description="JSON Pointer into the values")
    level: str
    message: str


class PanelVerdict(BaseModel):
    """What values come to, and what is wrong with them."""

    ok: bool = Field(description="Whether a graph can be built")
    values: dict[str, Any] = Field(description="The values in force, defaults filled in")
    hidden: list[str] = Field(description="Ids of the fields and sections that are hidden now")
    errors: list[PanelError]
    notices: list[PanelNotice]


class PanelGraph(BaseModel):
    """A graph and the values that made it."""

    graph: dict[str, Any]
    values: dict[str, Any] = Field(description="The values in force, seeds drawn")


class OldPanelValues(PanelValues):
    """Values that were stored with an older version of a panel."""

    version: Annotated[int, Field(strict=True, ge=0), WHOLE_NUMBER] = Field(
        description="The `values_version` they were stored with"
    )


class UpgradedPanelValues(BaseModel):
    """Values for the present version of a panel."""

    values: dict[str, Any]
    notes: list[str] = Field(description="What a person should know of the change")


@router.get("/", response_model=PanelDocument, responses=NOT_MODIFIED)
def list_panels(app: App, request: Request) -> Response:
    """Every panel in force. The ETag is the revision: send it back as `If-None-Match`."""
    document = app.panels.document()
    return Revalidated.of(document, document["revision"]).answer(request)


@router.post(
    "/{panel_id}/check",
    response_model=PanelVerdict,
    response_model_exclude_unset=True,
    responses=problem_responses(404),
)
def check_panel_values(app: App, panel_id: NameParameter, request: PanelValues) -> dict[str, JsonValue]:
    """What the values come to, and what is wrong with them by path. Wrong values are an answer here, not an error."""
    return app.panels.check(panel_id, request.values).to_document()


@router.post("/{panel_id}/graph", response_model=PanelGraph, responses=problem_responses(404))
def build_panel_graph(app: App, panel_id: NameParameter, request: PanelValues) -> dict[str, JsonValue]:
    """The graph that these values make. Nothing is queued."""
    return app.panels.graph(panel_id, request.values).to_document()


@router.post("/{panel_id}/upgrade", response_model=UpgradedPanelValues, responses=problem_responses(404))
def upgrade_panel_values(app: App, panel_id: NameParameter, request: OldPanelValues) -> dict[str, JsonValue]:
    """Values that an older version of the panel left with an image, for the present one."""
    return app.panels.upgrade(panel_id, request.version, request.values).to_document()


@router.post("/{panel_id}/enqueue", status_code=201, responses=problem_responses(404, 409, 429))
def enqueue_panel(
    app: App,
    response: Response,
    panel_id: NameParameter,
    request: PanelRun,
    idempotency_key: IdempotencyKey = None,
) -> EnqueueBatchResult:
    """Build the graph and put it into the queue. The images it makes carry the panel's values."""
    result = app.panels.enqueue(
        request.queue_id,
        panel_id,
        request.values,
        runs=request.runs,
        prepend=request.prepend,
        origin=request.origin,
        destination=request.destination,
        idempotency_key=idempotency_key,
    )
    tell_repeated(response, repeated=result.repeated)
    return result
