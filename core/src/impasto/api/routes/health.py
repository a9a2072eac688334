"""Is the server up, and can it run anything? For supervisors and load balancers: `/health/…`."""

from collections.abc import Sequence
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from impasto.api.parameters import App
from impasto.engine import WorkerInfo

__all__ = ["router"]

router = APIRouter(tags=["health"])


class Liveness(BaseModel):
    """The server answers."""

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """Whether the server can run anything now."""

    ready: bool
    reasons: list[str] = Field(description="What is missing; empty when it is ready")


@router.get("/health")
@router.get("/health/live", include_in_schema=False)
@router.get("/api/v1/health", include_in_schema=False)
async def get_liveness() -> Liveness:
    """Whether the server answers at all. It asks nothing of the database or the workers."""
    return Liveness()


@router.get("/health/ready", responses={503: {"model": Readiness, "description": "Not yet, or not any more"}})
def get_readiness(app: App, response: Response) -> Readiness:
    """Whether a worker is there to run what is queued. Enqueueing and the gallery work without one."""
    reasons = _reasons_not_ready(app.engine.workers())
    response.status_code = 503 if reasons else 200
    return Readiness(ready=not reasons, reasons=reasons)


def _reasons_not_ready(workers: Sequence[WorkerInfo]) -> list[str]:
    """Why nothing could run now; empty when one worker at least could."""
    if any(worker.status in ("ready", "busy") for worker in workers):
        return []
    if not workers:
        return ["no worker is configured; the setting `devices` names none"]
    return [
        f"worker {worker.worker_id} is {worker.status}" + (f": {worker.reason}" if worker.reason else "")
        for worker in workers
    ]
