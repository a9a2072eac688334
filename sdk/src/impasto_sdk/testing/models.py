"""`FakeModels`: model records and ready-made objects in the place of loaded weights."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

from impasto_sdk.errors import ModelLoadError, ModelNotFoundError, NoLoaderError
from impasto_sdk.fields import ModelIdentifierField
from impasto_sdk.models import ModelRecord

__all__ = ["FakeModels"]

ModelT = TypeVar("ModelT")


class FakeModels:
    """The `ModelAccess` of a `FakeContext`. Put records in with `add`, with the objects that loading them gives."""

    def __init__(self) -> None:
        #: Keys (``key`` or ``key/part``) of what was loaded, in order.
        self.loaded: list[str] = []
        #: Keys of what is locked now; empty once a node has returned.
        self.locked: list[str] = []
        self._records: dict[str, ModelRecord] = {}
        self._objects: dict[tuple[str, str | None], object] = {}

    def add(
        self, record: ModelRecord, model: object = None, *, parts: Mapping[str, object] | None = None
    ) -> ModelIdentifierField:
        """Add a record; `model` is what loading the whole gives, `parts` what loading a part gives, by its name."""
        self._records[record.key] = record
        if model is not None:
            self._objects[record.key, None] = model
        for name, part in (parts or {}).items():
            self._objects[record.key, name] = part
        return record.identifier()

    def record(self, model: ModelIdentifierField) -> ModelRecord:
        """See `ModelAccess.record`."""
        try:
            return self._records[model.key]
        except KeyError:
            held = ", ".join(self._records) or "none"
            raise ModelNotFoundError(model.key, f"this context holds {held}") from None

    @contextmanager
    def load(self, model: ModelIdentifierField, expected: type[ModelT]) -> Iterator[ModelT]:
        """See `ModelAccess.load`."""
        record, part = self.record(model), model.submodel_type
        found = self._objects.get((record.key, part))
        if found is None:
            raise NoLoaderError(record.key, record.base, record.type, record.format, part)
        if not isinstance(found, expected):
            raise ModelLoadError(record.key, part, f"is a {type(found).__name__}, not a {expected.__name__}")
        key = f"{record.key}/{part}" if part else record.key
        self.loaded.append(key)
        self.locked.append(key)
        try:
            yield found
        finally:
            self.locked.remove(key)

    def search(
        self, *, type: str | None = None, base: str | None = None, name: str | None = None
    ) -> Sequence[ModelRecord]:
        """See `ModelAccess.search`."""
        matching = (
            record
            for record in self._records.values()
            if type in (None, record.type) and base in (None, record.base) and name in (None, record.name)
        )
        return sorted(matching, key=lambda record: record.name)
