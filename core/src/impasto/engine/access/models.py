"""`WorkerModels`: records from the server, weights from the worker's own cache."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from impasto.engine.protocol import Request
from impasto.engine.wire import Wire
from impasto.models.cache import ModelCache
from impasto_sdk.errors import ModelLoadError
from impasto_sdk.fields import ModelIdentifierField
from impasto_sdk.models import ModelRecord

__all__ = ["WorkerModels"]

ModelT = TypeVar("ModelT")


class WorkerModels:
    """A `ModelAccess`."""

    def __init__(self, wire: Wire, cache: ModelCache) -> None:
        self._wire = wire
        self._cache = cache

    def record(self, model: ModelIdentifierField) -> ModelRecord:
        """See `ModelAccess.record`."""
        return ModelRecord.model_validate(self._wire.request(Request.MODEL_RECORD, {"key": model.key}).body["record"])

    @contextmanager
    def load(self, model: ModelIdentifierField, expected: type[ModelT]) -> Iterator[ModelT]:
        """See `ModelAccess.load`."""
        with self._cache.lock(self.record(model), model.submodel_type) as loaded:
            found = loaded.model
            if not isinstance(found, expected):
                raise ModelLoadError(
                    model.key,
                    model.submodel_type,
                    f"it was loaded as a {type(found).__name__}, and the node needs a {expected.__name__}",
                )
            yield found

    def search(
        self, *, type: str | None = None, base: str | None = None, name: str | None = None
    ) -> Sequence[ModelRecord]:
        """See `ModelAccess.search`."""
        answer = self._wire.request(Request.MODEL_SEARCH, {"type": type, "base": base, "name": name})
        return [ModelRecord.model_validate(record) for record in answer.body["records"]]
