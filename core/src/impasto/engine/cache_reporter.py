"""`CacheReporter`: tells the server what the caches of a worker hold, whenever that is something new."""

from impasto.cache import InvocationCache
from impasto.engine.protocol import CacheReport, ModelReport, ToServer
from impasto.engine.wire import Wire
from impasto.models.cache import ModelCache

__all__ = ["CacheReporter"]

#: Most models that the server is told of: it looks for items that need one of them.
_MOST_MODELS = 50


class CacheReporter:
    """Reports on both caches of a worker over its wire; called between runs, so that the next claim knows."""

    def __init__(self, wire: Wire, invocations: InvocationCache, models: ModelCache) -> None:
        self._wire = wire
        self._invocations = invocations
        self._models = models
        self._last: CacheReport | None = None
        self._last_models = ModelReport(models=[], ram_bytes=0, device_bytes=0, hits=0, misses=0)

    def report(self) -> None:
        """Tell the server how they are doing, if that is not what it was told last."""
        stats = self._invocations.stats()
        report = CacheReport(
            hits=stats.hits, misses=stats.misses, entries=stats.entries, bytes=stats.bytes, clears=stats.clears
        )
        if report != self._last:
            self._last = report
            self._wire.send(ToServer.CACHE, report.model_dump())
        held = self._models.stats()
        models = ModelReport(
            models=self._models.keys(_MOST_MODELS),
            ram_bytes=held.ram_bytes,
            device_bytes=held.device_bytes,
            hits=held.hits,
            misses=held.misses,
        )
        if models != self._last_models:
            self._last_models = models
            self._wire.send(ToServer.MODELS, models.model_dump())
