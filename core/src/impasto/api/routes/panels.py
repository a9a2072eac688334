"""Panels: forms that plugins describe and that build graphs: `/api/v1/panels`."""

from typing import Annotated, Any

from fastapi import Header, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from impasto.api.parameters import App, NameParameter
from impasto.api.problems import problem_responses
from impasto.api.revalidation import Revalidated
from impasto.api.router import Router
from impasto.queue import EnqueueBatchResult
from impasto_sdk.fields import JsonValue

__all__ = ["router"]

router = Router("/api/v1/panels", "panels")


class PanelDocument(BaseModel):
    """Every panel in force, as forms that a client can draw without knowing any of them."""

    model_config = ConfigDict(extra="allow")

    format: int = Field(description="Version of the vocabulary of forms")
    revision: str = Field(description="Changes whenever a panel does; the ETag")
    panels: list[dict[str, Any]]


class PanelValues(BaseModel):
    """The values of a panel, as a person touched them; what is left out takes its default."""

    values: dict[str, Any] = Field(default_factory=dict, description="Flat keys; sections nest under their id")


class PanelRun(PanelValues):
    """The values of a panel, and how they are to be run."""

    runs: int = Field(default=1, ge=1, le=10_000, description="How many items to make of them")
    prepend: bool = Field(default=False, description="Whether it goes before everything that waits")
    queue_id: str = Field(default="default", min_length=1, max_length=255, description="The queue to put it into")
    origin: str | None = Field(default=None, description="Kept with the items, for the client")
    destination: str | None = Field(default=None, description="Kept with the items, for the client")


@router.get("/", response_model=PanelDocument, responses={304: {"description": "It has not changed"}})
def list_panels(app: App, request: Request) -> Response:
    """Every panel in force. The ETag is the revision: send it back as `If-None-Match`."""
    document = app.panels.document()
    return Revalidated.of(document, document["revision"]).answer(request)


@router.post("/{panel_id}/check", responses=problem_responses(400, 404, 415, 422))
def check_panel_values(app: App, panel_id: NameParameter, request: PanelValues) -> dict[str, JsonValue]:
    """The values in force with every default filled in, what is wrong with them by path, and notices."""
    return app.panels.check(panel_id, request.values)


@router.post("/{panel_id}/graph", responses=problem_responses(400, 404, 415, 422))
def build_panel_graph(app: App, panel_id: NameParameter, request: PanelValues) -> dict[str, JsonValue]:
    """The graph that these values make. Nothing is queued."""
    return app.panels.graph(panel_id, request.values)


@router.post("/{panel_id}/enqueue", status_code=201, responses=problem_responses(400, 404, 409, 415, 422, 429))
def enqueue_panel(
    app: App,
    panel_id: NameParameter,
    request: PanelRun,
    idempotency_key: Annotated[
        str | None, Header(description="Makes a retry safe: the same key gives the first answer again", max_length=255)
    ] = None,
) -> EnqueueBatchResult:
    """Build the graph and put it into the queue. The images it makes carry the panel's values."""
    return app.panels.enqueue(
        request.queue_id,
        panel_id,
        request.values,
        runs=request.runs,
        prepend=request.prepend,
        origin=request.origin,
        destination=request.destination,
        idempotency_key=idempotency_key,
    )
