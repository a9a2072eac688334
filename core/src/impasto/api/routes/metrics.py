"""How the server is doing, in figures, for Prometheus: `/metrics`."""

from typing import Annotated

from fastapi import APIRouter, Header, Response

from impasto.api.exposition import exposition
from impasto.api.parameters import App

__all__ = ["router"]

router = APIRouter(tags=["health"])


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"description": "The figures", "content": {"text/plain": {}, "application/openmetrics-text": {}}}},
)
def get_metrics(app: App, accept: Annotated[str, Header(include_in_schema=False)] = "") -> Response:
    """All figures of the server in Prometheus' text format, or as OpenMetrics where `Accept` asks for it.

    Nothing waits while they are read, and reading them changes nothing.
    """
    text, media_type = exposition(app, accept)
    return Response(text, headers={"Content-Type": media_type})
