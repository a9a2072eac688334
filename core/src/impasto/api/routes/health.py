"""Is the server up, and can it do work? For supervisors and load balancers: `/health/…`."""

from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from impasto.api.parameters import App

__all__ = ["router"]

router = APIRouter(tags=["health"])


class Liveness(BaseModel):
    """The server answers."""

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """Whether the server can do work now."""

    ready: bool
    reasons: list[str] = Field(description="What keeps it from that, in words; empty when it is ready")
    paused_queues: list[str] = Field(description="Queues that are paused, which is no reason not to be ready")


@router.get("/health")
@router.get("/health/live", include_in_schema=False)
@router.get("/api/v1/health", include_in_schema=False)
async def get_liveness() -> Liveness:
    """Whether the server answers at all. It asks nothing of the database or the workers."""
    return Liveness()


@router.get("/health/ready", responses={503: {"model": Readiness, "description": "Not yet, or not any more"}})
def get_readiness(app: App, response: Response) -> Readiness:
    """Whether work can be done: the database can be written, the disk has room, a worker is there, nothing stops.

    Enqueueing and the gallery may work while this says no.
    """
    report = app.readiness.report()
    response.status_code = 200 if report.ready else 503
    return Readiness(ready=report.ready, reasons=list(report.reasons), paused_queues=list(report.paused_queues))
