"""What runs here: version, devices, workers, the invocation cache: `/api/v1/app/…`."""

from typing import Literal

from pydantic import BaseModel, Field

from impasto import __version__
from impasto.api.parameters import App
from impasto.api.router import Router
from impasto.cache import most_entries
from impasto.engine import CacheInfo, CacheOrder
from impasto_sdk import __version__ as sdk_version
from impasto_sdk.models import DeviceInfo

__all__ = ["router"]

router = Router("/api/v1/app", "app")


class AppVersion(BaseModel):
    """The version of the server."""

    version: str
    highlights: list[str] | None = Field(default=None, description="Always null; some clients read it")
    sdk_version: str = Field(description="The version of the sdk that plugins must be made for")


class Devices(BaseModel):
    """The devices that models run on."""

    devices: list[DeviceInfo]


class Worker(BaseModel):
    """A worker: a process that runs sessions, and those that take its place when it is lost."""

    worker_id: str
    kind: Literal["device", "io"] = Field(
        description="What it is for; io: sessions that only wait for something outside, which need no device"
    )
    status: Literal["starting", "ready", "busy", "lost", "stopped"]
    device: DeviceInfo | None = Field(
        description="What it runs models on; null until it has once been ready, and for one of kind io"
    )
    pid: int | None = Field(description="Number of its process; null when there is none")
    item_id: int | None = Field(description="The queue item that it runs")
    reason: str | None = Field(description="Why it was last lost, and when it is started again; null once it is ready")
    starts: int = Field(description="How many processes it has had")
    models: list[str] = Field(
        description="Keys of the models that it holds as of its last run, the most recently used first, at most 50"
    )


class Workers(BaseModel):
    """The workers of the server."""

    workers: list[Worker]


class WorkerInvocationCache(BaseModel):
    """The invocation cache of one worker."""

    worker_id: str
    size: int = Field(description="Entries")
    bytes: int = Field(description="What they take")
    max_bytes: int = Field(description="The most that they may take")
    hits: int
    misses: int
    enabled: bool


class InvocationCacheStatus(BaseModel):
    """The invocation caches of all workers together, each as it was when its last run ended."""

    size: int = Field(description="Entries")
    max_size: int = Field(
        description="Entries that would fit, were they the smallest; the bound is `max_bytes`. 0: nothing is ever kept"
    )
    hits: int = Field(description="Look-ups that found something, since a worker started or the caches were cleared")
    misses: int = Field(description="Look-ups that found nothing; its node ran")
    enabled: bool = Field(description="Whether nodes may take from them and leave something in them")
    bytes: int = Field(description="What the entries take")
    max_bytes: int = Field(description="The most that they may take")
    workers: list[WorkerInvocationCache] = Field(description="Each worker's own")


@router.get("/version")
async def get_version() -> AppVersion:
    """The version of the server."""
    return AppVersion(version=__version__, sdk_version=sdk_version)


@router.get("/devices")
def list_devices(app: App) -> Devices:
    """The devices that workers found, each once; what they fell back to, and why."""
    return Devices(devices=list(app.engine.devices()))


@router.get("/workers")
def list_workers(app: App) -> Workers:
    """The workers as they are now, those with a device in order of the settings, then those that are there without.

    It asks none of them, so it answers at once.
    """
    return Workers(workers=[Worker.model_validate(worker.to_document()) for worker in app.engine.workers()])


@router.get("/invocation_cache/status")
def get_invocation_cache_status(app: App) -> InvocationCacheStatus:
    """How the invocation caches are doing. It asks no worker, so it answers at once."""
    caches = app.engine.caches()
    workers = [_of_worker(cache) for cache in caches]
    return InvocationCacheStatus(
        size=sum(cache.size for cache in workers),
        max_size=sum(most_entries(cache.max_bytes) for cache in workers),
        hits=sum(cache.hits for cache in workers),
        misses=sum(cache.misses for cache in workers),
        enabled=any(cache.enabled for cache in workers),
        bytes=sum(cache.bytes for cache in workers),
        max_bytes=sum(cache.max_bytes for cache in workers),
        workers=workers,
    )


@router.put("/invocation_cache/enable")
def enable_invocation_cache(app: App) -> None:
    """Let nodes use the invocation caches again. Without effect where `invocation_cache_bytes` is 0."""
    app.engine.order_caches(CacheOrder.ENABLE)


@router.put("/invocation_cache/disable")
def disable_invocation_cache(app: App) -> None:
    """Let nodes take nothing from the invocation caches and leave nothing there, until they are enabled.

    What they hold stays. Nodes that run are not waited for. It holds for workers that start later, until the server
    ends.
    """
    app.engine.order_caches(CacheOrder.DISABLE)


@router.delete("/invocation_cache")
def clear_invocation_cache(app: App) -> None:
    """Forget all that the invocation caches hold, and their counts. Nodes that run are not waited for."""
    app.engine.order_caches(CacheOrder.CLEAR)


def _of_worker(cache: CacheInfo) -> WorkerInvocationCache:
    return WorkerInvocationCache(
        worker_id=cache.worker_id,
        size=cache.entries,
        bytes=cache.bytes,
        max_bytes=cache.max_bytes,
        hits=cache.hits,
        misses=cache.misses,
        enabled=cache.enabled,
    )
