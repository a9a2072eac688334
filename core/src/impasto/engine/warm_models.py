"""`WarmModels`: the server's side of the model cache of one worker: what it holds, and how it is doing.

A worker says so when a run ends, so nobody who asks ever waits for one. With its process goes what it held.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from impasto.engine.protocol import ModelReport
from impasto_sdk.fields import JsonValue

__all__ = ["ModelCacheInfo", "WarmModels"]

_NOTHING = ModelReport(models=[], ram_bytes=0, device_bytes=0, hits=0, misses=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCacheInfo:
    """The model cache of a worker, as it was when its last run ended, or as new."""

    worker_id: str
    #: Keys of the models that it holds, the most recently used first, at most 50.
    models: tuple[str, ...]
    #: What they take in memory and on the device; the latter is 0 where the device is the CPU.
    ram_bytes: int
    device_bytes: int
    #: Since its process started, how often a model was in memory when it was needed, and how often one was loaded.
    hits: int
    misses: int


class WarmModels:
    """The models of one worker. May be called from any thread: a report is replaced whole."""

    def __init__(self, worker_id: str) -> None:
        self._worker_id = worker_id
        self._last = _NOTHING

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of the models that it holds, the most recently used first."""
        return tuple(self._last.models)

    def info(self) -> ModelCacheInfo:
        """How it is doing, as far as it is known."""
        last = self._last
        return ModelCacheInfo(
            worker_id=self._worker_id,
            models=tuple(last.models),
            ram_bytes=last.ram_bytes,
            device_bytes=last.device_bytes,
            hits=last.hits,
            misses=last.misses,
        )

    def hear(self, body: Mapping[str, JsonValue]) -> None:
        """A report of the worker; on the thread that reads its wire."""
        self._last = ModelReport.model_validate(body)

    def forget(self) -> None:
        """The process is gone, and its models with it."""
        self._last = _NOTHING
